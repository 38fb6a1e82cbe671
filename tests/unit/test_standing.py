"""Approvals that do not count any more: they have lapsed, or the role or the key behind them is gone."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from models.authentication import read_decision
from models.canonical import canonical, digest
from models.challenge import challenge
from models.compiler import compile_template
from models.deadlines import pending
from models.evidence import Electorate
from models.messages import Action, Choice, Decided, Notify, TimerFired
from models.signing import Envelope, key_id, public_of, seal
from models.state import AS_JSON, Phase
from models.statements import PAYLOAD_TYPE, Deciding, Statement
from tests.unit.kernel_world import PEOPLE, World
from tests.unit.template_mistakes import CREDIT

KEYS = {person: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number, person in enumerate("abcd")}
PUBLIC = {name: public_of(key) for name, key in KEYS.items()}
LAPSING = compile_template(
    CREDIT.replace("{data_science: 1, risk: 1}\n", "{data_science: 1, risk: 2}\n      approvals_lapse: 30d\n"), "t"
)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """A version waits at a gate whose approvals lapse after 30 days."""
    world = World(LAPSING)
    world.start()
    world.run("development")
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    return world


def lapsing(world: World) -> dict[str, float]:
    """The approvals that lapse, in days from when the gate was opened."""
    assert world.state.gate is not None
    opened = world.state.gate.opened
    return {one.timer: (one.due - opened) / DAY for one in pending(world.plan, world.state) if "lapse" in one.timer}


def approvers(world: World) -> list[str]:
    """Whose approvals count now."""
    return [made.person for made in world.state.gate.decisions] if world.state.gate else []


def read_anew(world: World, people: dict[str, tuple[str, ...]], **keys: tuple[str, ...]) -> list[Notify]:
    """The directory is read again, and is now another one."""
    world.ask(Action.RETRY)
    found = Electorate(people=PEOPLE | people, audience="test", keys=keys)
    return [told for told in world.answer(electorate=found).commands if isinstance(told, Notify)]


def test_an_approval_lapses_by_itself(world: World) -> None:
    """Each has a time of its own; when it is over, its role is told, only that approval is gone, and may come again."""
    assert lapsing(world) == {}
    world.decide("rosa")
    world.now += 10 * DAY
    world.decide("dmitri")
    assert [round(due) for due in lapsing(world).values()] == [30, 40]
    fired = world.say(TimerFired(visit=world.state.visit, timer="lapse:rosa"), 20 * DAY)
    assert [(told.roles, told.subject) for told in fired.commands if isinstance(told, Notify)] == [
        (("risk",), "loans: the approval of rosa does not count any more: a decision for risk is due again")
    ]
    assert approvers(world) == ["dmitri"]
    assert world.say(TimerFired(visit=world.state.visit, timer="lapse:rosa")).refusal
    assert world.decide("rosa").refusal is None
    assert world.decide("ravi").refusal is None
    assert world.state.stage == "staging"


def test_what_is_empty_is_left_out(world: World) -> None:
    """Visits without decisions and gates without a lapse are written as they were before."""
    gate = AS_JSON.dump_python(world.state, mode="json")["gate"]
    assert not {"decided", "anew"} & gate.keys()
    assert "approvals_lapse" not in compile_template(CREDIT, "t").stage("staging").gate.model_dump()  # type: ignore[union-attr]


def test_who_lost_the_role_is_not_counted(world: World) -> None:
    """When the directory is read anew, only the role that was lost is asked again."""
    world.decide("rosa")
    world.decide("dmitri")
    assert read_anew(world, {}) == []
    assert approvers(world) == ["rosa", "dmitri"]
    told = read_anew(world, {"risk": ("ravi",)})
    assert [one.roles for one in told] == [("risk",)]
    assert approvers(world) == ["dmitri"]
    assert "holds none" in (world.decide("rosa").refusal or "")


def test_whose_key_is_gone_is_not_counted(world: World) -> None:
    """An approval stands as long as the key that signed it; one that was given in another's place, as theirs do."""
    read_anew(world, {}, rosa=(PUBLIC["a"],), dmitri=(PUBLIC["b"],))
    world.decide("rosa", key=key_id(PUBLIC["a"]))
    world.decide("helga", key=key_id(PUBLIC["c"]), on_behalf_of="dmitri", role="data_science")
    read_anew(world, {}, rosa=(PUBLIC["d"], PUBLIC["a"]), dmitri=(PUBLIC["b"], PUBLIC["d"]))
    assert approvers(world) == ["rosa", "helga"]
    read_anew(world, {}, rosa=(PUBLIC["d"],), dmitri=(PUBLIC["b"], PUBLIC["d"]))
    assert approvers(world) == ["helga"]
    read_anew(world, {}, dmitri=(PUBLIC["d"],))
    assert approvers(world) == []


def signed(world: World, person: str, key: str) -> Envelope:
    """An approval that is signed now."""
    about = challenge(world.plan, digest(world.plan), world.state)
    assert about is not None
    says = Deciding(about=about, decision=Choice.APPROVE, role="risk", reason="looked at it")
    statement = Statement(
        person=person,
        key=key_id(PUBLIC[key]),
        jti="0123456789abcdef",
        issued_at=world.now,
        expires_at=world.now + DAY,
        says=says,
    )
    return seal(canonical(statement), PAYLOAD_TYPE, KEYS[key])


def test_what_has_lapsed_cannot_be_sent_again(world: World) -> None:
    """A signature that is still good counts once: after its lapse, another one is asked for."""
    read_anew(world, {}, rosa=(PUBLIC["a"],))
    envelope = signed(world, "rosa", "a")
    first = read_decision(world.plan, digest(world.plan), world.state, envelope, world.now)
    assert isinstance(first, Decided)
    assert (first.objection, world.say(first).refusal) == ("", None)
    world.say(TimerFired(visit=world.state.visit, timer="lapse:rosa"))
    again = read_decision(world.plan, digest(world.plan), world.state, envelope, world.now)
    assert isinstance(again, Decided)
    assert "signed before rosa was asked again" in (world.say(again).refusal or "")
    world.now += timedelta(minutes=1)
    fresh = read_decision(world.plan, digest(world.plan), world.state, signed(world, "rosa", "a"), world.now)
    assert world.say(fresh).refusal is None


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_whatever_counts_stands(data: st.DataObject) -> None:
    """However people decide, lose roles and let time pass: every approval that counts is young, and of a holder."""
    world = World(LAPSING)
    world.start()
    world.run("development")
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    holders = ("dmitri", "rosa", "ravi", "rita")
    for _ in range(data.draw(st.integers(1, 15))):
        if world.state.stage != "validation":
            break
        match data.draw(st.integers(0, 2)):
            case 0:
                world.decide(data.draw(st.sampled_from(holders)))
            case 1:
                read_anew(world, {"risk": tuple(data.draw(st.sets(st.sampled_from(holders[1:]))))})
            case _:
                if due := [one for one in pending(world.plan, world.state) if one.due <= world.now + 20 * DAY]:
                    world.say(
                        TimerFired(visit=world.state.visit, timer=due[0].timer),
                        max(due[0].due - world.now, timedelta()),
                    )
        if (visit := world.state.gate) is None:
            break
        assert set(visit.decided) == set(approvers(world))
        overdue = any(one.due < world.now for one in pending(world.plan, world.state))
        for made in visit.decisions:
            assert made.person in visit.electorate.people[made.role or ""]
            assert overdue or world.now - visit.decided[made.person] <= 30 * DAY
