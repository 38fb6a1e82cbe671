"""What differs in the work that is known to be done: when a gate decides, before an environment, at the end."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.changes.change import Changes, Topic
from models.evidence import ENTERS, StepKind
from models.inventory import Environment
from models.plan import Plan, StagePlan
from models.proof.graph import done_before, holds_before, kinds_of, promotes
from models.verdict import Verdict

Kinds = frozenset[StepKind]


class _Point(NamedTuple):
    """Something that rests on work, what was done on every path to it, and how to say that this changed."""

    topic: Topic
    done: Kinds
    gained: str = "comes when '{}' was done"
    lost: str = "can come before '{}' was done"


def evidence(before: Plan, after: Plan) -> Changes:
    """Work that is done in both plans, but no longer (or only now) on every path to where it counts."""
    both = _kinds(before.stages) & _kinds(after.stages) - ENTERS
    old = {point.topic.subject: point for point in _points(before)}
    for point in _points(after):
        if earlier := old.get(point.topic.subject):
            had, has = sorted(earlier.done & both), sorted(point.done & both)
            yield from point.topic.members(had, has, point.gained, point.lost)


def pipelines(before: Plan, after: Plan) -> Changes:
    """Whose word is taken for what: a pipeline that takes another one's place is one less and one more."""
    topic = Topic("evidence from pipelines", ("stages",))
    yield from topic.members(_words(before), _words(after), "has {} as well", "no longer has {}")


def _words(plan: Plan) -> tuple[str, ...]:
    externals = (step.external for stage in plan.stages for step in stage.steps if step.external)
    return tuple(sorted({f"'{name}' of '{one.pipeline}'" for one in externals for name in one.readings}))


def _points(plan: Plan) -> Iterator[_Point]:
    before = done_before(plan.by_name, plan.entry, plan.opening, plan.enters.new_version)
    gated = [(stage, stage.gate) for stage in plan.stages if stage.gate]
    for stage, gate in gated:
        done = before.get(stage.name, frozenset()) | kinds_of(stage)
        texts = ("decides when '{}' was done", "can decide before '{}' was done")
        yield _Point(Topic(f"gate '{gate.id}'", ("stages", stage.name)), done, *texts)
    for environment in Environment:
        stages = [stage for stage in plan.stages if stage.environment is environment and promotes(stage)]
        if stages:
            done = _common(before.get(stage.name, frozenset()) | _before_promotion(stage) for stage in stages)
            yield _Point(Topic(f"promotion to {environment}", ("stages", stages[0].name)), done)
    if plan.enters.suspension:
        done = kinds_of(plan.stage(plan.enters.suspension))
        texts = ("begins with '{}'", "no longer begins with '{}'")
        yield _Point(Topic("suspension", ("stages", plan.enters.suspension)), done, *texts)
    closed = holds_before(plan.by_name, plan.enters.retirement, kinds_of, Verdict)
    ends = [done for name, done in closed.items() if plan.stage(name).terminal]
    yield _Point(Topic("the end", ("stages", plan.enters.retirement)), _common(ends))


def _before_promotion(stage: StagePlan) -> Kinds:
    kinds = [step.kind for step in stage.steps]
    return frozenset(kinds[: next(index for index, kind in enumerate(kinds) if kind in ENTERS)])


def _common(sets: Iterable[Kinds]) -> Kinds:
    first, *others = list(sets) or [Kinds()]
    return first.intersection(*others)


def _kinds(stages: Iterable[StagePlan]) -> Kinds:
    return frozenset(step.kind for stage in stages for step in stage.steps)
