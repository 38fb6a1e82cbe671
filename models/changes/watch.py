"""What differs in the figures and in the watch: KPIs, monitors, review, retention."""

from models.canonical import spell_duration
from models.changes.change import Changes, Direction, Topic
from models.plan import MonitorPlan, Plan, Remedy
from models.verdict import Comparison, Kpi

_SAFETY = tuple(Remedy)


def kpis(before: Plan, after: Plan) -> Changes:
    """KPIs that pass or fail elsewhere. One that comes or goes matters where it is checked, and is told there."""
    old = {kpi.name: kpi for kpi in before.kpis}
    watched = {kpi for monitor in (*before.monitors, *after.monitors) for kpi in monitor.checks}
    for kpi in after.kpis:
        topic = Topic(f"KPI '{kpi.name}'", ("kpis", kpi.name))
        earlier = old.pop(kpi.name, None)
        yield from _figures(topic, earlier, kpi, kpi.name in watched) if earlier else [topic.neutral("is new")]
    yield from (Topic(f"KPI '{name}'", ("kpis",)).neutral("is gone") for name in old)


def _figures(topic: Topic, before: Kpi, after: Kpi, watched: bool) -> Changes:
    """A gate does not pass on too few observations, and a monitor does not breach: there, more of them is looser."""
    yield from _bound(topic, before.passes, after.passes, "passes", "pass", more_is=Direction.LOOSER)
    yield from _bound(topic, before.fails, after.fails, "fails", "fail", more_is=Direction.TIGHTER)
    if before.metric != after.metric:
        yield topic.neutral(f"is {_read(after)} instead of {_read(before)}", "metric")
    more_is = Direction.LOOSER if watched else Direction.TIGHTER
    yield from topic.number(before.at_least, after.at_least, "needs {} observations", "at_least", more_is=more_is)


def _read(kpi: Kpi) -> str:
    return f"read from the metric '{kpi.metric}'" if kpi.metric else "measured"


def _bound(topic: Topic, before: Comparison, after: Comparison, verb: str, key: str, *, more_is: Direction) -> Changes:
    """Values that satisfy the one and not the other, either way: where neither holds them all, it is both."""
    text = f"{verb} at {after} instead of {before}"
    gains, loses = not after.within(before), not before.within(after)
    if gains:
        yield topic.says(more_is, text + (f", so that values {key} which did not" if loses else ""), key)
    if loses:
        yield topic.says(more_is.mirrored, text + (f", so that values no longer {key} which did" if gains else ""), key)


def monitors(before: Plan, after: Plan) -> Changes:
    """Monitors that are new, gone, look at other figures, look less often, or act otherwise."""
    old = {monitor.id: monitor for monitor in before.monitors}
    for monitor in after.monitors:
        topic = Topic(f"monitor '{monitor.id}'", ("monitors", monitor.id))
        earlier = old.pop(monitor.id, None)
        if earlier is None:
            figures = ", ".join(monitor.checks)
            text = (
                f"is new: checks {figures} every {spell_duration(monitor.every)}, and a breach starts '{monitor.then}'"
            )
            yield topic.says(Direction.TIGHTER, text)
        else:
            yield from _watches(topic, earlier, monitor)
            yield from _remedy(topic, earlier, monitor)
    yield from (Topic(f"monitor '{name}'", ("monitors",)).says(Direction.LOOSER, "is gone") for name in old)


def _watches(topic: Topic, before: MonitorPlan, after: MonitorPlan) -> Changes:
    yield from topic.members(before.checks, after.checks, "checks '{}' as well", "no longer checks '{}'", "checks")
    yield from topic.span(before.every, after.every, "looks every {}", "every")
    if before.tightened and after.tightened:
        yield from topic.span(before.tightened, after.tightened, "looks every {} once tightened", "tightened")
    yield from _patience(topic, before, after)


def _patience(topic: Topic, before: MonitorPlan, after: MonitorPlan) -> Changes:
    """Whatever was a breach before and is none any more is looser; more can be one where failures may lie apart."""
    if not (before.of or after.of):
        text, failures = "takes {} failures in a row for a breach", (before.breaches, after.breaches)
        yield from topic.number(*failures, text, "breach_after", more_is=Direction.LOOSER)
        return
    text = f"takes {_spelt(after)} for a breach instead of {_spelt(before)}"
    if not implies(before, after):
        yield topic.says(Direction.LOOSER, text, "breach_after")
    if not implies(after, before):
        yield topic.says(Direction.TIGHTER, text, "breach_after")


def implies(one: MonitorPlan, other: MonitorPlan) -> bool:
    """Whether every breach of one is a breach of the other.

    The newest look fails; as many of the other failures as may lie before the looks that the other one counts.
    """
    before = max(0, one.looks - other.looks)
    return max(1, one.breaches - before) >= other.breaches


def _spelt(monitor: MonitorPlan) -> str:
    return f"{monitor.breaches} failures {f'of {monitor.of} looks' if monitor.of else 'in a row'}"


def _remedy(topic: Topic, before: MonitorPlan, after: MonitorPlan) -> Changes:
    if before.then is not after.then:
        way = Direction.TIGHTER if _SAFETY.index(after.then) > _SAFETY.index(before.then) else Direction.LOOSER
        yield topic.says(way, f"starts '{after.then}' at a breach instead of '{before.then}'", "then")
    yield from _brakes(topic, before, after)
    if before.to and after.to:
        yield from topic.replaced("tells", before.to, after.to, "to")
    elif after.to:
        yield topic.says(Direction.TIGHTER, f"tells {after.to}, and told nobody", "to")
    elif before.to:
        yield topic.says(Direction.LOOSER, f"no longer tells {before.to}", "to")


def _brakes(topic: Topic, before: MonitorPlan, after: MonitorPlan) -> Changes:
    """Stronger brakes are tighter if what happens instead is safer, and looser if it is not."""
    if before.then is not after.then and not (before.brakes.cooldown and after.brakes.cooldown):
        return
    stronger = _stronger(before) if _stronger(before) is _stronger(after) else Direction.NEUTRAL
    old, new = before.brakes, after.brakes
    cooldowns = (old.cooldown, new.cooldown)
    yield from topic.span(*cooldowns, "acts again after {}", "brakes", "cooldown", longer_is=stronger)
    text = "acts at most {} times"
    yield from topic.number(old.at_most, new.at_most, text, "brakes", "at_most", more_is=stronger.mirrored)
    yield from topic.span(old.per, new.per, "counts what it did within {}", "brakes", "per", longer_is=stronger)
    if old.otherwise is not new.otherwise:
        way = Direction.TIGHTER if new.otherwise is Remedy.SUSPEND else Direction.LOOSER
        text = f"starts '{new.otherwise}' when it may not act instead of '{old.otherwise}'"
        braked = Remedy.ESCALATE not in (before.then, after.then)
        yield topic.says(way if braked else Direction.NEUTRAL, text, "brakes", "otherwise")


def _stronger(monitor: MonitorPlan) -> Direction:
    """What stronger brakes mean for a monitor; nothing holds back one that only escalates."""
    if monitor.then is Remedy.ESCALATE:
        return Direction.NEUTRAL
    safer = _SAFETY.index(monitor.brakes.otherwise) > _SAFETY.index(monitor.then)
    return Direction.TIGHTER if safer else Direction.LOOSER


def kept_and_reviewed(before: Plan, after: Plan) -> Changes:
    """How long records are kept, and how often a champion is looked at anew."""
    kept = (before.retention or 0, after.retention or 0)
    topic = Topic("retention", ("retention",))
    yield from topic.number(*kept, "is {}", more_is=Direction.TIGHTER, spell=_promised)
    topic = Topic("review", ("review",))
    old, new = before.review, after.review
    if old and new:
        yield from topic.span(old.every, new.every, "is due every {}", "every")
        yield from topic.replaced("tells", old.to, new.to, "to")
    elif new:
        yield topic.says(Direction.TIGHTER, f"is new: every {spell_duration(new.every)}, told to {new.to}")
    elif old:
        yield topic.says(Direction.LOOSER, "is gone: nobody looks at a champion anew")


def _promised(seconds: int) -> str:
    return spell_duration(seconds) if seconds else "no promised time"
