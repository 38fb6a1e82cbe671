"""What differs in how challengers are tried: whether they are, on which requests, for how long, and by what."""

from models.canonical import spell_duration
from models.changes.change import Changes, Direction, Topic
from models.plan import MeasurePlan, Plan, TrialPlan


def trials(before: Plan, after: Plan) -> Changes:
    """Trials that are new, gone, or find out something else."""
    old = {stage.name: stage.trial for stage in before.stages if stage.trial}
    for stage in after.stages:
        if stage.trial is None:
            continue
        topic = Topic(f"the trial in '{stage.name}'", ("stages", stage.name, "trial"))
        earlier = old.pop(stage.name, None)
        if earlier is None:
            compared = ", ".join(measure.name for measure in stage.trial.measures)
            yield topic.says(Direction.TIGHTER, f"is new: a challenger is compared by {compared}")
        else:
            yield from _differs(topic, earlier, stage.trial)
    for name in old:
        yield Topic(f"the trial in '{name}'", ("stages",)).says(Direction.LOOSER, "is gone")


def _differs(topic: Topic, before: TrialPlan, after: TrialPlan) -> Changes:
    spans = {
        "shadow": (before.shadow, after.shadow, "only answers copies for {}", Direction.TIGHTER),
        "hold": (before.hold, after.hold, "holds each share for {}", Direction.TIGHTER),
        "every": (before.every, after.every, "looks every {}", Direction.LOOSER),
    }
    for key, (old, new, text, longer_is) in spans.items():
        yield from topic.number(old, new, text, key, more_is=longer_is, spell=spell_duration)
    yield from topic.replaced("asks people after", spell_duration(before.longest), spell_duration(after.longest))
    yield from topic.replaced("gives shares of", _listed(before.shares), _listed(after.shares), "shares")
    counts = (before.at_least, after.at_least)
    yield from topic.number(*counts, "needs {} outcomes", "at_least", more_is=Direction.TIGHTER)
    if before.error_rate != after.error_rate:
        way = Direction.LOOSER if after.error_rate > before.error_rate else Direction.TIGHTER
        text = f"is wrong in {after.error_rate:.4%} of cases at most instead of {before.error_rate:.4%}"
        yield topic.says(way, text, "error_rate")
    yield from _measures(topic, before, after)
    yield from topic.members(before.checks, after.checks, "checks '{}' as well", "no longer checks '{}'", "checks")


def _listed(shares: tuple[int, ...]) -> str:
    return ", ".join(f"{share} %" for share in shares)


def _measures(topic: Topic, before: TrialPlan, after: TrialPlan) -> Changes:
    old, new = ({one.name: one for one in trial.measures} for trial in (before, after))
    yield from topic.members(old, new, "compares '{}' as well", "no longer compares '{}'", "measures")
    for name in old.keys() & new.keys():
        if old[name] != new[name]:
            way = Direction.TIGHTER if _least(new[name]) > _least(old[name]) else Direction.LOOSER
            yield topic.says(
                way, f"wants '{name}' {_wanted(new[name])} instead of {_wanted(old[name])}", "measures", name
            )


def _least(measure: MeasurePlan) -> float:
    """How much better the challenger has to be at least; negative: how much worse it may be."""
    return measure.margin if measure.goal == "better" else -measure.margin


def _wanted(measure: MeasurePlan) -> str:
    return f"{'better' if measure.goal == 'better' else 'not worse'} by {measure.margin:g}"
