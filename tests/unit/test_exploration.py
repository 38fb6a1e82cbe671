"""The kernel run through everything that can happen: what is proved, what a counter-example tells, what is renamed."""

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.compiler import compile_template
from models.evidence import READINGS, Electorate, StepKind, StepOrder, StepResult
from models.inventory import Environment
from models.lifecycle import step
from models.messages import StepSucceeded
from models.plan import GatePlan
from models.proof.exploration import Explorer, explore
from models.proof.moves import BEGIN, Moves, measured_by, measurements, reading_of
from models.proof.symmetry import MODEL, OWNER, Symmetry
from models.state import State, change
from models.verdict import Reading, Verdict, combine, judge
from tests.unit.kernel_world import PEOPLE, World, happening, plan_of
from tests.unit.small_plans import SMALL

LOW, CREDIT = plan_of("low-risk"), plan_of("credit-high-risk")


def test_a_suspension_that_people_end_is_proved() -> None:
    """Every promise holds there, too; a gate that rejects in silence is proved before the kernel's bugs are put in."""
    found = explore(compile_template(SMALL, "variant.yaml"))
    assert found.counter_example is None
    assert found.outcome == "proved"


def test_low_risk_is_proved() -> None:
    """Whatever happens in whatever order: every promise holds, and retirement can always be reached."""
    found = explore(LOW)
    assert found.counter_example is None
    assert found.outcome == "proved"
    assert found.states > 500


def test_part_of_the_states_is_no_proof() -> None:
    """An exploration that was cut short says so."""
    assert explore(LOW, at_most=100).outcome == "incomplete"


def test_a_counter_example_is_a_story() -> None:
    """A plan that claims a gate which its versions do not pass is caught, at the first promotion that lacks it."""
    lying = LOW.model_copy(update={"environment_gates": {**LOW.environment_gates, Environment.TEST: ("four-eyes",)}})
    found = explore(lying)
    assert found.outcome == "broken"
    assert found.counter_example is not None
    assert found.counter_example.broken == "a version goes into TEST that has not passed four-eyes"
    assert found.counter_example.story == (
        "the lifecycle begins: intake, working",
        "classify answers: development, awaiting version",
        "a new version is submitted: development, working",
        "register answers: development, working",
        "scan answers: development, working",
        "package answers",
    )


def judged(gate: GatePlan, readings: tuple[Reading, ...]) -> Verdict:
    """What a gate makes of readings, by those of its checks that they are about."""
    known = {reading.name for reading in readings}
    return combine(tuple(judge(CREDIT.kpi(check), readings).verdict for check in gate.checks if check in known))


@pytest.mark.parametrize(
    ("stage", "seen_by"), [("development", ["development"]), ("validation", ["independent-validation", "release"])]
)
def test_measurements_are_one_for_each_way_that_gates_can_judge(stage: str, seen_by: list[str]) -> None:
    """Whatever a step measures, some explored reading is judged alike by every gate until it is measured anew.

    Where nobody looks at a reading before that, it passes: a kernel that looked would be noticed.
    """
    gates = {one.gate.id: one.gate for one in CREDIT.stages if one.gate}
    explored = measurements(CREDIT, stage, READINGS[StepKind.EVALUATE])
    ways = {tuple(judged(gates[name], readings) for name in seen_by) for _, readings in explored}
    assert len(ways) == len(explored)
    kpis = sorted({check for gate in gates.values() for check in gate.checks} & READINGS[StepKind.EVALUATE])
    bounds = {kpi.name: kpi for kpi in CREDIT.kpis}
    every = [
        tuple(reading_of(bounds[name], verdict) for name, verdict in zip(kpis, verdicts, strict=True))
        for verdicts in product(Verdict, repeat=len(kpis))
    ]
    assert {tuple(judged(gates[name], readings) for name in seen_by) for readings in every} == ways
    assert all({reading.name for reading in readings} == set(kpis) for _, readings in explored)
    assert measurements(CREDIT, "retiring", frozenset()) == [("", ())]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_renaming_keeps_what_can_happen(data: st.DataObject) -> None:
    """A state and the one that stands for it have one fingerprint, and so has whatever the same move makes of them."""
    state = change(State(model=MODEL, owner=OWNER))
    moves, symmetry, move = Moves(CREDIT), Symmetry(CREDIT), BEGIN
    state = step(CREDIT, state, move.event).state
    for _ in range(data.draw(st.integers(0, 40))):
        renamed = symmetry.rename(state)
        assert symmetry.fingerprint(renamed) == Symmetry(CREDIT).fingerprint(state)
        assert symmetry.rename(renamed) == renamed
        possible = [move for move, at in moves.possible(renamed) if step(CREDIT, at, move.event).refusal is None]
        if not possible:
            break
        state = step(CREDIT, renamed, data.draw(st.sampled_from(possible)).event).state


class Ordinary(World):
    """A lifecycle of real people and versions, whose steps measure what is explored and ask whom they are told to."""

    def result(self, order: StepOrder, **given: object) -> StepResult:
        """As an activity answers."""
        result = super().result(order, **given)
        if order.kind is StepKind.ASK:
            people = {role: PEOPLE[role] for role in order.roles}
            return result.model_copy(update={"electorate": Electorate(people=people)})
        return result


@pytest.fixture(scope="module")
def explored() -> Explorer:
    """Every state of the high-risk template."""
    explorer = Explorer(CREDIT)
    assert explorer.run(100_000)
    return explorer


def test_credit_high_risk_is_proved(explored: Explorer) -> None:
    """Every promise held in every state; from each, something that it waits for and retirement can be reached."""
    explored.demand_ways()
    found = explored.report("proved")
    assert found.states > 5_000


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_happens_that_was_not_explored(explored: Explorer, data: st.DataObject) -> None:
    """Whatever real people, versions and times do to a lifecycle, it is in a state that was explored."""
    world = Ordinary(CREDIT)
    world.start()
    for _ in range(40):
        body = happening(data, world)
        order = world.state.in_flight
        if isinstance(body, StepSucceeded) and order:
            readings = data.draw(
                st.sampled_from([some for _, some in measurements(CREDIT, order.stage, measured_by(CREDIT, order))])
            )
            body = body.model_copy(update={"result": body.result.model_copy(update={"readings": readings})})
        world.say(body)
        assert explored.knows(world.state), world.state
