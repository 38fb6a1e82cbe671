"""What differs in the stages: which there are, what they do, and where they lead."""

from models.canonical import Slug, spell_duration
from models.changes.change import Changes, Direction, Topic
from models.evidence import StepKind
from models.plan import Plan, StagePlan, reachable


def stages(before: Plan, after: Plan) -> Changes:
    """Stages that are new, gone, or lead elsewhere. The gates that come and go with them are told on their own."""
    for stage in after.stages:
        topic = Topic(f"stage '{stage.name}'", ("stages", stage.name))
        earlier = before.by_name.get(stage.name)
        if earlier is None:
            yield topic.neutral("is new")
            continue
        yield from topic.replaced("has the environment", earlier.environment, stage.environment, "environment")
        yield from _role(topic, earlier, stage)
        yield from _routes(topic, earlier, stage)
        yield from _work(topic, earlier, stage)
    for stage in before.stages:
        if stage.name not in after.by_name:
            yield Topic(f"stage '{stage.name}'", ("stages",)).neutral("is gone")


def _role(topic: Topic, before: StagePlan, after: StagePlan) -> Changes:
    for old, new, word in ((before.steady, after.steady, "steady"), (before.terminal, after.terminal, "terminal")):
        if old != new:
            yield topic.neutral(f"is {word}" if new else f"is no longer {word}", word)


def _routes(topic: Topic, before: StagePlan, after: StagePlan) -> Changes:
    old, new = before.routes, after.routes
    ways = (
        ("pass", old and old.passed, new and new.passed),
        ("fail", old and old.failed, new and new.failed),
        ("inconclusive", old and old.inconclusive, new and new.inconclusive),
    )
    for verdict, was, leads in ways:
        yield from topic.replaced(f"leads by {verdict} to", was, leads, "then", verdict)


def _work(topic: Topic, before: StagePlan, after: StagePlan) -> Changes:
    """The same kinds of step in another order, under other names, or with another timeout."""
    if sorted(step.kind for step in before.steps) != sorted(step.kind for step in after.steps):
        return
    old, new = (
        ", ".join(f"{step.id} ({step.kind}, {spell_duration(step.timeout)})" for step in stage.steps)
        for stage in (before, after)
    )
    if old != new:
        yield topic.neutral(f"works in another way: {new} instead of {old}", "do")


def steps(before: Plan, after: Plan) -> Changes:
    """Work that is done in more stages, in fewer, or elsewhere. Where promotion leads is told with the environments."""
    for kind in StepKind:
        old, new = _stages_with(before, kind), _stages_with(after, kind)
        if sorted(old) == sorted(new):
            continue
        way = Direction.NEUTRAL
        if kind is not StepKind.PROMOTE and len(set(old)) != len(set(new)):
            way = Direction.TIGHTER if len(set(new)) > len(set(old)) else Direction.LOOSER
        text = f"is done in {', '.join(new) or 'no stage'} instead of {', '.join(old) or 'no stage'}"
        changed = next(name for name in (*new, *old) if old.count(name) != new.count(name))
        path = ("stages", changed, "do") if changed in after.by_name else ("stages",)
        yield Topic(f"step '{kind}'", path).says(way, text)


def _stages_with(plan: Plan, kind: StepKind) -> list[Slug]:
    return [stage.name for stage in plan.stages for step in stage.steps if step.kind is kind]


def entries(before: Plan, after: Plan) -> Changes:
    """Where lifecycles, versions and retirement enter; whether a champion can be suspended, and come back."""
    yield from Topic("the first stage", ("stages",)).replaced("is", before.entry, after.entry)
    old, new = before.enters, after.enters
    yield from Topic("a new version", ("enters",)).replaced(
        "enters at", old.new_version, new.new_version, "new_version"
    )
    yield from Topic("retirement", ("enters",)).replaced("enters at", old.retirement, new.retirement, "retirement")
    topic = Topic("suspension", ("enters",))
    if old.suspension and new.suspension:
        yield from topic.replaced("enters at", old.suspension, new.suspension, "suspension")
        if _comes_back(before) != _comes_back(after):
            way = Direction.LOOSER if _comes_back(after) else Direction.TIGHTER
            text = "can now end in production again" if _comes_back(after) else "no longer ends in production again"
            yield Topic("suspension", ("stages", new.suspension)).says(way, text)
    elif new.suspension:
        yield topic.says(Direction.TIGHTER, "is now possible", "suspension")
    elif old.suspension:
        yield topic.says(Direction.LOOSER, "is no longer possible", "suspension")


def _comes_back(plan: Plan) -> bool:
    """Whether routes lead from suspension to the steady stage."""
    if plan.steady is None or plan.enters.suspension is None:
        return False
    return plan.steady.name in reachable(plan.by_name, plan.enters.suspension, without=plan.closing)
