"""What is proved of every path: gates before environments, facts that hold wherever paths meet."""

from hypothesis import given
from hypothesis import strategies as st

from models.compiler import compile_template
from models.evidence import StepKind
from models.inventory import Environment
from models.plan import Entries, GatePlan, Routes, StagePlan, StepPlan, reachable, targets
from models.proof.graph import KEEPS_VERSION, gates_before, holds_before, pass_chain
from models.verdict import Verdict
from tests.unit.template_mistakes import CREDIT, TEMPLATES

ENTERS = Entries(new_version="a", retirement="end")
PROMOTE = (StepPlan(id="promote", kind=StepKind.PROMOTE, timeout=1),)


def stage(
    name: str, to: str | None = None, *, unknown: str | None = None, gate: bool = True, into: Environment | None = None
) -> StagePlan:
    return StagePlan(
        name=name,
        environment=into,
        steps=PROMOTE if into else (),
        gate=GatePlan(id=f"gate-{name}", question="") if gate else None,
        routes=Routes(passed=to, failed="a", inconclusive=unknown) if to else None,
    )


def test_every_gate_on_a_straight_way_counts() -> None:
    """On a way without branches each environment has all the gates before it, and not the stage's own."""
    stages = (
        stage("a", "b", into=Environment.DEV),
        stage("b", "c", into=Environment.TEST),
        stage("c", into=Environment.PROD),
    )
    assert gates_before(stages, ENTERS) == {
        Environment.DEV: (),
        Environment.PROD: ("gate-a", "gate-b"),
        Environment.TEST: ("gate-a",),
    }


def test_a_way_round_a_gate_makes_it_count_for_nothing() -> None:
    """An inconclusive route past a gate keeps the version without the gate, so the gate dominates nothing."""
    stages = (stage("a", "b"), stage("b", "c", unknown="c"), stage("c", into=Environment.PROD))
    assert gates_before(stages, ENTERS) == {Environment.PROD: ("gate-a",)}


def test_a_way_back_takes_nothing_away() -> None:
    """An inconclusive route back to an earlier stage leaves what was earned before it."""
    stages = (stage("a", "b"), stage("b", "c"), stage("c", "d", unknown="b"), stage("d", into=Environment.PROD))
    assert gates_before(stages, ENTERS) == {Environment.PROD: ("gate-a", "gate-b", "gate-c")}


def test_two_ways_into_one_environment_share_their_gates() -> None:
    """When two stages promote to the same environment, only the gates before both count."""
    stages = (
        stage("a", "b"),
        stage("b", "c", into=Environment.TEST),
        stage("c", "d", into=Environment.TEST),
        stage("d", into=Environment.PROD),
    )
    assert gates_before(stages, ENTERS)[Environment.TEST] == ("gate-a",)


def test_what_no_version_can_reach_is_left_out() -> None:
    """A stage that only a failed version could come to promotes nothing."""
    stages = (stage("a", "b"), stage("b", gate=False), stage("lost", "b", into=Environment.PROD))
    assert gates_before(stages, ENTERS) == {}


def test_the_built_in_templates_are_proved() -> None:
    """High-risk credit comes to production through both human gates; low risk through its automatic one."""
    assert compile_template(CREDIT, "t").environment_gates == {
        Environment.DEV: (),
        Environment.TEST: ("development", "independent-validation"),
        Environment.PROD: ("development", "independent-validation", "release"),
    }
    low = compile_template((TEMPLATES / "low-risk.yaml").read_text(), "t")
    assert low.environment_gates == {Environment.TEST: ("development",), Environment.PROD: ("development",)}


def test_a_pass_chain_ends_where_it_comes_again() -> None:
    """Following PASS stops at a stage that leads nowhere, or before one that was seen."""
    stages = {one.name: one for one in (stage("a", "b"), stage("b", "c"), stage("c", "b"), stage("d"))}
    assert pass_chain(stages, "a") == ("a", "b", "c")
    assert pass_chain(stages, "d") == ("d",)
    assert pass_chain(stages, "nowhere") == ()


NAMES = "abcdef"
GRAPHS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.none() | st.sampled_from(NAMES), st.booleans()), min_size=6, max_size=6
).map(lambda rows: {n: stage(n, to, unknown=unknown, gate=g) for n, (to, unknown, g) in zip(NAMES, rows, strict=True)})


@given(GRAPHS)
def test_a_dominating_gate_is_one_that_no_way_avoids(stages: dict[str, StagePlan]) -> None:
    """The data-flow result equals the definition: without the gate's own PASS edge the stage cannot be reached."""
    found = holds_before(stages, "a", lambda s: frozenset({s.gate.id}) if s.gate else frozenset(), KEEPS_VERSION)
    assert found.keys() == reachable(stages, "a", KEEPS_VERSION)
    for target, held in found.items():
        avoidable = {n for n, s in stages.items() if s.gate and target in _without_passing(stages, n)}
        assert held == {f"gate-{n}" for n, s in stages.items() if s.gate and n not in avoidable}


def _without_passing(stages: dict[str, StagePlan], gated: str) -> set[str]:
    seen, ahead = set[str](), ["a"]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += [
                to
                for verdict, to in targets(stages[name], KEEPS_VERSION)
                if not (name == gated and verdict is Verdict.PASS)
            ]
    return seen
