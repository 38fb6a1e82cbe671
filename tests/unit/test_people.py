"""Who is away, and who holds their roles meanwhile."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.yaml_directory import YamlDirectory
from models.approval import eligible
from models.errors import InvalidInputError
from models.evidence import Electorate
from models.keys import EnrolledKey, Keyring
from models.messages import Action
from models.people import load_people
from models.state import Phase
from tests.unit.kernel_world import PEOPLE, World, plan_of

FILE = Path("people.yaml")
BEFORE, DURING, BACK = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (1, 10, 20))


def directory(**absences: str) -> bytes:
    """Rosa and Rita hold a role, Ravi does not; some of them are away."""
    groups = {"rosa": "risk", "rita": "risk", "ravi": "legal", "lena": "legal"}
    people = [
        f"{name}: {{name: {name}, email: {name}@bank.example, groups: [{group}], absences: {absences.get(name, '[]')}}}"
        for name, group in groups.items()
    ]
    return f"people: {{{', '.join(people)}}}".encode()


def away(cover: str, since: int = 2, until: int = 20) -> str:
    """One absence in December."""
    return f"[{{from: 2026-12-{since:02}, until: 2026-12-{until:02}, cover: {cover}}}]"


def risk(text: bytes, at: datetime | None) -> tuple[tuple[str, ...], dict[str, str | None]]:
    """Who holds the role, and who was away."""
    found = load_people(text, FILE).electorate({"risk": "risk"}, at)
    return found.people["risk"], found.away.get("risk", {})


@pytest.mark.parametrize(
    ("absences", "holders", "absent"),
    [
        ({"rosa": away("ravi")}, ("ravi", "rita"), {"rosa": "ravi"}),
        ({"rosa": away("rita")}, ("rita",), {"rosa": None}),
        ({"rosa": away("ravi"), "ravi": away("lena")}, ("rita",), {"rosa": None}),
        ({"rosa": away("ravi"), "rita": away("ravi")}, ("ravi",), {"rita": "ravi", "rosa": "ravi"}),
        ({"rosa": away("rita"), "rita": away("rosa")}, (), {"rita": None, "rosa": None}),
    ],
)
def test_covers(absences: dict[str, str], holders: tuple[str, ...], absent: dict[str, str | None]) -> None:
    """A cover takes the place; one who holds the role already, or is away, adds nothing, and hands nothing on."""
    assert risk(directory(**absences), DURING) == (holders, absent)
    for at in (BEFORE, BACK, None):
        assert risk(directory(**absences), at) == (("rita", "rosa"), {})


@pytest.mark.parametrize(
    ("absences", "problem"),
    [
        ({"rosa": away("nobody")}, "people.rosa.absences.0: 'nobody' is nobody who can cover"),
        ({"rosa": away("rosa")}, "'rosa' is nobody who can cover for rosa"),
        ({"rosa": away("ravi", 20, 20)}, "people.rosa.absences.0: it ends before it begins"),
        ({"rosa": "[{from: tomorrow, until: 2026-12-20, cover: ravi}]"}, "a day is written as in"),
        ({"rosa": "[{from: 2026-12-01, until: 2026-12-20}]"}, "people.rosa.absences.0.cover: Field required"),
    ],
)
def test_what_is_no_absence(absences: dict[str, str], problem: str) -> None:
    """Whoever is away says from when until when, and who covers."""
    with pytest.raises(InvalidInputError, match=problem):
        load_people(directory(**absences), FILE)


NAMES = ("rosa", "rita", "ravi", "lena")


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)))
def test_nobody_who_is_away_holds_anything(covers: dict[str, str]) -> None:
    """Whoever covers for whom: present members hold the role, and one for each who is away, at most."""
    covers = {name: cover for name, cover in covers.items() if name != cover}
    held, absent = risk(directory(**{name: away(cover) for name, cover in covers.items()}), DURING)
    members = {"rosa", "rita"}
    assert not set(held) & covers.keys()
    assert members - covers.keys() <= set(held)
    assert set(held) - members == {cover for cover in absent.values() if cover}
    assert absent.keys() == members & covers.keys()
    assert len(held) <= len(members)


def test_the_directory_reads_the_time_and_the_keys(tmp_path: Path) -> None:
    """The cover's keys come along, and those of who is away, whose earlier decisions stand."""
    people, keys = tmp_path / "people.yaml", tmp_path / "keys.json"
    people.write_bytes(directory(rosa=away("ravi")))
    enrolled = {name: f"{number:064x}" for number, name in enumerate(("rosa", "ravi", "lena"))}
    known = [EnrolledKey(person=name, public=public, enrolled=BEFORE) for name, public in enrolled.items()]
    keys.write_text(Keyring(keys=tuple(known)).model_dump_json())
    found = YamlDirectory(people, keys, "test", lambda: DURING).electorate({"risk": "risk"})
    assert found.people == {"risk": ("ravi", "rita")}
    assert found.keys == {name: (enrolled[name],) for name in ("ravi", "rosa")}


# --- in the kernel


def at_gate(absent: dict[str, str | None], risk: tuple[str, ...], owner: str = "olga") -> World:
    """A version is at a gate whose role risk is held by some people, others being away."""
    world = World(plan_of("credit-high-risk"))
    world.state = type(world.state)(model="loans", owner=owner)
    world.start()
    world.run("development")
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    read_anew(world, absent, risk)
    return world


def read_anew(world: World, absent: dict[str, str | None], risk: tuple[str, ...]) -> None:
    """The directory is read again."""
    world.ask(Action.RETRY)
    world.answer(electorate=Electorate(people=PEOPLE | {"risk": risk}, away={"risk": absent} if absent else {}))


def test_a_cover_decides_in_the_place_of_who_is_away() -> None:
    """As if they held the role, and without handing it on."""
    world = at_gate({"rosa": "paul"}, ("paul", "ravi"))
    assert eligible(world.plan, world.state, "risk") == ("paul", "ravi")
    assert "rosa is away" in (world.decide("rosa").refusal or "")
    assert "cannot hand that on" in (world.decide("helga", on_behalf_of="paul", role="risk").refusal or "")
    assert world.decide("paul", role="risk").refusal is None


def test_nobody_covers_for_who_may_not_decide() -> None:
    """Rosa owns the model: while she is away, her cover may decide as little as she; for another one, they may."""
    world = at_gate({"rosa": "paul"}, ("paul", "ravi"), owner="rosa")
    assert eligible(world.plan, world.state, "risk") == ("ravi",)
    assert "in the place of somebody who may not decide: rosa is the owner" in (
        world.decide("paul", role="risk").refusal or ""
    )
    read_anew(world, {"rosa": "paul", "rita": "paul"}, ("paul", "ravi"))
    assert world.decide("paul", role="risk").refusal is None


def test_who_decided_before_they_left_has_decided() -> None:
    """The approval stands while they are away, and nobody gives another one in their place."""
    world = at_gate({}, ("ravi", "rosa"))
    world.decide("rosa")
    read_anew(world, {"rosa": "paul"}, ("paul", "ravi"))
    assert [made.person for made in world.state.gate.decisions] == ["rosa"] if world.state.gate else False
    assert "paul" not in eligible(world.plan, world.state, "risk")
    read_anew(world, {}, ("ravi",))
    assert world.state.gate is not None
    assert world.state.gate.decisions == ()


def test_an_electorate_of_whom_nobody_is_away_is_written_as_before() -> None:
    """What is empty is left out."""
    assert "away" not in Electorate(people=PEOPLE).model_dump(mode="json")
