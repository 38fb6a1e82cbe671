"""Who is needed to pass a gate: distinct people, and whom it hangs on."""

from collections.abc import Mapping
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from models.evidence import Electorate
from models.plan import GatePlan, Plan, Routes, StagePlan
from models.proof.quorum import shortages
from tests.unit.kernel_world import plan_of

CREDIT = plan_of("credit-high-risk")
NAMES = ("ana", "bo", "cy", "di")


def plan_asking(approvals: Mapping[str, int], *, bars: bool = True) -> Plan:
    """A plan with one gate."""
    gate = GatePlan(id="release", question="May it?", approvals=dict(approvals), sla=1)
    stage = StagePlan(name="staging", gate=gate, routes=Routes(passed="staging"))
    return CREDIT.model_copy(update={"stages": (stage,), "separation": CREDIT.separation if bars else ()})


def test_one_person_is_not_two() -> None:
    """Two roles that only one person holds cannot both approve; the roles and the person are named."""
    found = shortages(plan_asking({"legal": 1, "risk": 1}), Electorate(people={"legal": ("ana",), "risk": ("ana",)}))
    assert [str(one) for one in found] == ["gate 'release' needs 2 approvals of legal and risk; there is ana"]


def test_nobody() -> None:
    """A role that nobody holds is short by itself."""
    found = shortages(plan_asking({"legal": 1, "risk": 1}), Electorate(people={"risk": ("ana", "bo")}))
    assert found[0].roles == ("legal",)
    assert found[0].people == ()


def test_whom_it_hangs_on() -> None:
    """Where nobody can stand in for somebody who made the version, that person is named."""
    people = Electorate(people={"legal": ("ana", "bo"), "risk": ("bo", "cy")})
    assert shortages(plan_asking({"legal": 1, "risk": 1}), people) == ()
    found = shortages(plan_asking({"legal": 1, "risk": 2}), people)
    assert {one.barred for one in found} == {("ana",), ("bo",), ("cy",)}
    assert shortages(plan_asking({"legal": 1, "risk": 2}, bars=False), people) == ()


def test_editors_of_the_template_are_not_there() -> None:
    """They never decide under it, whoever else is barred."""
    people = Electorate(people={"legal": ("ana", "bo", "cy")})
    edited = plan_asking({"legal": 1}).model_copy(update={"editors": ("ana", "bo")})
    assert [one.barred for one in shortages(edited, people)] == [("cy",)]
    assert shortages(edited.model_copy(update={"separation": ()}), people) == ()


@given(
    st.dictionaries(st.sampled_from(["legal", "risk", "product"]), st.integers(1, 2), min_size=1),
    st.dictionaries(st.sampled_from(["legal", "risk", "product"]), st.sets(st.sampled_from(NAMES))),
)
def test_a_shortage_is_found_exactly_where_no_seating_exists(
    approvals: dict[str, int], held: dict[str, set[str]]
) -> None:
    """Held against trying every way to put different people on the seats; the named roles are short by counting."""
    electorate = Electorate(people={role: tuple(sorted(people)) for role, people in held.items()})
    seats = [role for role, count in approvals.items() for _ in range(count)]
    seated = any(
        all(person in held.get(role, set()) for role, person in zip(seats, row, strict=True))
        for row in permutations(NAMES, len(seats))
    )
    found = shortages(plan_asking(approvals, bars=False), electorate)
    assert seated is (found == ())
    for one in found:
        assert one.needed > len(one.people)
