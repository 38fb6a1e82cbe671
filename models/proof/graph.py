"""What can be said of every path through a plan's graph, before it governs anything.

Plain iterative data-flow analysis: a fact holds at a stage if it holds on every edge that leads there, so facts
start at the entry and only ever shrink where paths meet (Kildall, "A Unified Approach to Global Program
Optimization", POPL 1973). With gates as facts this is dominance by gates.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from models.canonical import Slug
from models.evidence import ENTERS, StepKind
from models.inventory import Environment
from models.plan import Entries, StagePlan, Stages, targets
from models.verdict import Verdict

Fact = TypeVar("Fact", bound=str)

KEEPS_VERSION = (Verdict.PASS, Verdict.INCONCLUSIVE)
"""A FAIL drops the version, so no path of a version goes on there."""


def pass_chain(stages: Stages, start: str) -> tuple[str, ...]:
    """The stages that a version sees that passes everything, until one leads nowhere or comes again."""
    chain: dict[str, None] = {}
    name: str | None = start
    while name is not None and name in stages and name not in chain:
        chain[name] = None
        routes = stages[name].routes
        name = routes.passed if routes else None
    return tuple(chain)


def holds_before(
    stages: Stages,
    start: str,
    gain: Callable[[StagePlan], frozenset[Fact]],
    verdicts: Iterable[Verdict],
    given: frozenset[Fact] = frozenset(),
) -> dict[str, frozenset[Fact]]:
    """What holds on entering each stage, on every path from `start`, where `given` holds.

    Leaving a stage by PASS adds what the stage gains; any other verdict adds nothing. Stages without a path
    are left out.
    """
    known = {start: given}
    ahead = [start]
    while ahead:
        name = ahead.pop()
        for verdict, target in targets(stages[name], verdicts):
            if target not in stages:
                continue
            facts = known[name] | gain(stages[name]) if verdict is Verdict.PASS else known[name]
            agreed = known[target] & facts if target in known else facts
            if known.get(target) != agreed:
                known[target] = agreed
                ahead.append(target)
    return known


def done_before(stages: Stages, entry: str, opening: frozenset[str], start: str) -> dict[str, frozenset[StepKind]]:
    """The kinds of step that were done on every path of a version to a stage, from `start`, after the `opening`."""
    first = {name: stages[name] for name in (opening | {start})}
    given = holds_before(first, entry, kinds_of, Verdict).get(start) if entry in first else None
    return holds_before(stages, start, kinds_of, KEEPS_VERSION, given or frozenset())


def way_to(stages: Stages, start: str, place: str, avoided: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """A shortest way of a version to an environment or a stage, leaving no stage of `avoided` by PASS; empty if none.

    INCONCLUSIVE keeps the version and passes no gate; FAIL drops it.
    """
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        stage = stages[way[-1]]
        if stage.name == place or (stage.environment == place and promotes(stage)):
            return way
        for verdict, target in targets(stage, KEEPS_VERSION):
            closed = verdict is Verdict.PASS and stage.name in avoided
            if not closed and target in stages and target not in seen:
                seen.add(target)
                ways.append((*way, target))
    return ()


def gates_before(stages: tuple[StagePlan, ...], entries: Entries) -> dict[Environment, tuple[Slug, ...]]:
    """For each environment, the gates that a version has passed on every path to a promotion there.

    A version begins where new versions enter, with no gate passed. PASS passes the stage's gate, INCONCLUSIVE keeps
    the version without, FAIL drops it. Promotion is a step, so a stage's own gate comes after it.
    """
    by_name = {stage.name: stage for stage in stages}
    passed = holds_before(by_name, entries.new_version, gate_of, KEEPS_VERSION)
    dominating: dict[Environment, frozenset[str]] = {}
    for stage in stages:
        if stage.environment and stage.name in passed and promotes(stage):
            before = passed[stage.name]
            dominating[stage.environment] = dominating.get(stage.environment, before) & before
    order = [stage.gate.id for stage in stages if stage.gate]
    return {
        environment: tuple(gate for gate in order if gate in dominating[environment])
        for environment in sorted(dominating)
    }


def gate_of(stage: StagePlan) -> frozenset[str]:
    """The gate that leaving a stage by PASS means to have passed."""
    return frozenset({stage.gate.id}) if stage.gate else frozenset()


def kinds_of(stage: StagePlan) -> frozenset[StepKind]:
    """The kinds of step that a stage has done once it has passed."""
    return frozenset(step.kind for step in stage.steps)


def promotes(stage: StagePlan) -> bool:
    """Whether a stage puts a version into its environment."""
    return any(step.kind in ENTERS for step in stage.steps)
