"""What differs in the gates: whom they ask, what they check, how long they wait, and what they stand before."""

from collections.abc import Iterable, Mapping

from models.canonical import Slug, spell_duration
from models.changes.change import Changes, Direction, Topic
from models.inventory import Environment
from models.plan import GatePlan, Plan, StagePlan
from models.proof.graph import KEEPS_VERSION, gate_of, holds_before, promotes
from models.waits import Wait, never_later


def gates(before: Plan, after: Plan) -> Changes:
    """Gates that are new, gone, elsewhere, or ask something else."""
    old, new = _by_id(before), _by_id(after)
    for name, (stage, gate) in new.items():
        topic = Topic(f"gate '{name}'", ("stages", stage, "gate"))
        if name not in old:
            yield topic.says(Direction.TIGHTER, f"is new in stage '{stage}': {_summary(after, gate)}")
            continue
        was, earlier = old[name]
        yield from topic.replaced("stands in stage", was, stage)
        yield from _asks(topic, earlier, gate)
        yield from topic.members(earlier.checks, gate.checks, "checks '{}' as well", "no longer checks '{}'", "checks")
        yield from _waits(topic, earlier, gate)
    for name, (stage, _) in old.items():
        if name not in new:
            yield Topic(f"gate '{name}'", ("stages", stage, "gate")).says(Direction.LOOSER, "is gone")


def _by_id(plan: Plan) -> dict[Slug, tuple[Slug, GatePlan]]:
    return {stage.gate.id: (stage.name, stage.gate) for stage in plan.stages if stage.gate}


def _summary(plan: Plan, gate: GatePlan) -> str:
    asked = [f"{count} of {role}" for role, count in gate.approvals.items()]
    before = [environment for environment, names in plan.environment_gates.items() if gate.id in names]
    parts = (("asks", asked), ("checks", gate.checks), ("stands before", before))
    return "; ".join(f"{verb} {', '.join(words)}" for verb, words in parts if words)


def _asks(topic: Topic, before: GatePlan, after: GatePlan) -> Changes:
    for role in sorted(before.approvals.keys() | after.approvals.keys()):
        old, new = before.approvals.get(role, 0), after.approvals.get(role, 0)
        below = ("approvals", role)
        if not old:
            yield topic.says(Direction.TIGHTER, f"asks {new} of {role} as well", *below)
        elif not new:
            yield topic.says(Direction.LOOSER, f"asks nobody of {role} any more", *below)
        elif old != new:
            way = Direction.TIGHTER if new > old else Direction.LOOSER
            yield topic.says(way, f"asks {new} of {role} instead of {old}", *below)


def _waits(topic: Topic, before: GatePlan, after: GatePlan) -> Changes:
    if before.asks_people and after.asks_people:
        yield from topic.replaced("asks", before.question, after.question, "question")
        yield from topic.span(before.sla, after.sla, "gives people {}", "sla")
        if before.on_timeout != after.on_timeout:
            way = Direction.TIGHTER if after.on_timeout == "reject" else Direction.LOOSER
            does = {"reject": "rejects when nobody decides in time", "hold": "waits on when nobody decides in time"}
            yield topic.says(way, f"{does[after.on_timeout]}; before, it {does[before.on_timeout]}", "on_timeout")
        if before.authentication != after.authentication:
            way = Direction.TIGHTER if after.authentication == "signature" else Direction.LOOSER
            takes = {"signature": "each person's own signature", "gateway": "a gateway's word"}
            text = f"takes {takes[after.authentication]} for who decides instead of {takes[before.authentication]}"
            yield topic.says(way, text, "authentication")
        yield from _lapses(topic, before.approvals_lapse, after.approvals_lapse)
    yield from _told(topic, "reminds", before.remind, after.remind, "remind")
    old, new = _told_by_role(before), _told_by_role(after)
    for role in sorted(old.keys() | new.keys()):
        yield from _told(topic, f"escalates to {role}", old.get(role, ()), new.get(role, ()), "escalate")


def _lapses(topic: Topic, before: Wait, after: Wait) -> Changes:
    below = "approvals_lapse"
    if before and after:
        yield from topic.span(before, after, "lets approvals lapse after {}", below)
    elif after:
        yield topic.says(Direction.TIGHTER, f"lets approvals lapse after {spell_duration(after)}", below)
    elif before:
        yield topic.says(Direction.LOOSER, "no longer lets approvals lapse", below)


def _told_by_role(gate: GatePlan) -> Mapping[Slug, tuple[Wait, ...]]:
    roles = sorted({one.to for one in gate.escalate})
    return {role: tuple(one.after for one in gate.escalate if one.to == role) for role in roles}


def _told(topic: Topic, verb: str, before: tuple[Wait, ...], after: tuple[Wait, ...], below: str) -> Changes:
    """Telling people earlier is tighter, and telling them more often; where it is neither, it is both."""
    text = f"{verb} after {_times(after)} instead of {_times(before)}" if before else f"{verb} after {_times(after)}"
    for way, one, other in ((Direction.LOOSER, after, before), (Direction.TIGHTER, before, after)):
        if not _as_urgent(one, other):
            yield topic.says(way, text if after else f"no longer {verb}", below)


def _as_urgent(one: tuple[Wait, ...], other: tuple[Wait, ...]) -> bool:
    """Whether for each time of the other there is one of its own by then."""
    return len(one) >= len(other) and all(map(never_later, one, other))


def _times(times: Iterable[Wait]) -> str:
    return " and ".join(map(spell_duration, times))


def calendar(before: Plan, after: Plan) -> Changes:
    """Which days count as business days: with more of them, people decide sooner."""
    topic, old, new = Topic("the calendar", ("calendar",)), before.calendar, after.calendar
    if old and new:
        yield from topic.replaced("is that of", old.zone, new.zone, "zone")
        texts = ("counts {} as a business day", "no longer counts {} as a business day")
        yield from topic.members(old.workdays, new.workdays, *texts, "workdays")
        texts = ("has a holiday on {}", "no longer has a holiday on {}")
        free, freed = ([day.isoformat() for day in one.holidays] for one in (old, new))
        yield from topic.members(free, freed, *texts, "holidays", more_is_tighter=False)
        yield from topic.replaced("has the hours", old.hours, new.hours, "hours")
    elif new or old:
        yield topic.neutral("is new" if new else "is gone")


# --- what gates stand before


def dominance(before: Plan, after: Plan) -> Changes:
    """Environments that come or go, and gates of both plans that no longer (or now) stand before one on every path."""
    both = _by_id(before).keys() & _by_id(after).keys()
    for environment in Environment:
        old, new = before.environment_gates.get(environment), after.environment_gates.get(environment)
        topic = Topic(str(environment), ("stages",))
        if old is None and new is not None:
            text = f"is promoted to, which it was not; gates before it: {', '.join(new) or 'none'}"
            yield topic.says(Direction.TIGHTER, text)
        elif new is None and old is not None:
            yield topic.says(Direction.LOOSER, "is not promoted to any more")
        elif old is not None and new is not None:
            names = [gate for gate in dict.fromkeys((*new, *old)) if gate in both]
            yield from _gained_and_lost(before, after, environment, names)


def _gained_and_lost(before: Plan, after: Plan, environment: Environment, names: list[Slug]) -> Changes:
    old, new = before.environment_gates[environment], after.environment_gates[environment]
    places = _by_id(after)
    for name in names:
        stage = places[name][0]
        topic = Topic(f"gate '{name}'", ("stages", stage))
        if name in new and name not in old:
            was = "after" if _stands_after(before, name, environment) else "not on every path"
            yield topic.says(Direction.TIGHTER, f"now stands before promotion to {environment} (was {was})")
        elif name in old and name not in new:
            where = "stands after" if _stands_after(after, name, environment) else "can be passed by on a path before"
            yield topic.says(Direction.LOOSER, f"now {where} promotion to {environment} (was before)")


def reinstatement(before: Plan, after: Plan) -> Changes:
    """Gates that both plans have, and that no longer (or now) stand on every way back from suspension."""
    both = _by_id(before).keys() & _by_id(after).keys()
    old, new = _before_return(before), _before_return(after)
    if old is None or new is None:
        return
    for name in sorted((old ^ new) & both):
        topic = Topic(f"gate '{name}'", ("stages", _by_id(after)[name][0]))
        if name in new:
            yield topic.says(Direction.TIGHTER, "now stands on every way back from suspension")
        else:
            yield topic.says(Direction.LOOSER, "can now be passed by on a way back from suspension")


def _before_return(plan: Plan) -> frozenset[str] | None:
    """The gates on every way from suspension to the steady stage; None if there is no such way."""
    if plan.steady is None or plan.enters.suspension is None:
        return None
    return holds_before(plan.by_name, plan.enters.suspension, gate_of, KEEPS_VERSION).get(plan.steady.name)


def _stands_after(plan: Plan, gate: Slug, environment: Environment) -> bool:
    """Whether a version was promoted to the environment on every path before the gate opens."""
    stage = plan.stage(_by_id(plan)[gate][0])
    before = holds_before(plan.by_name, plan.enters.new_version, _environment, KEEPS_VERSION)
    return environment in before.get(stage.name, frozenset[str]()) | _environment(stage)


def _environment(stage: StagePlan) -> frozenset[str]:
    return frozenset({str(stage.environment)}) if stage.environment and promotes(stage) else frozenset()
