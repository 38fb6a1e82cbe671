"""What differs in who decides and what is demanded: tiers, roles, separation of duties, packs, controls."""

from collections.abc import Collection, Mapping
from datetime import date

from models.canonical import Slug
from models.changes.change import Changes, Direction, Topic
from models.plan import ControlPlan, Plan

_WEIGHTS = ("advisory", "soft", "hard")


def tiers(before: Plan, after: Plan) -> Changes:
    """Risk tiers that the lifecycle may govern: fewer is tighter."""
    topic = Topic("the lifecycle", ("tiers",))
    texts = ("governs models of tier '{}' as well", "no longer governs models of tier '{}'")
    yield from topic.members(before.tiers, after.tiers, *texts, more_is_tighter=False)


def duties(before: Plan, after: Plan) -> Changes:
    """Duties that bar people from approving."""
    topic = Topic("separation of duties", ("separation_of_duties",))
    texts = ("bars the {} of a version from approving it", "no longer bars the {} of a version from approving it")
    yield from topic.members(before.separation, after.separation, *texts)
    topic = Topic("the template", ("editors",))
    yield from topic.members(
        before.editors, after.editors, "names '{}' as an editor", "no longer names '{}' as an editor"
    )


def roles(before: Plan, after: Plan) -> Changes:
    """Roles bound to other groups, or to one. What is asked of a role that comes or goes is told with the gates."""
    known = before.roles.keys() & after.roles.keys()
    for role in sorted(before.roles.keys() | after.roles.keys()):
        old, new = before.roles.get(role), after.roles.get(role)
        topic = Topic(f"role '{role}'", ("roles", role))
        if old is None:
            yield topic.neutral(f"is new, held by the group '{new}'")
        elif new is None:
            yield topic.neutral("is gone")
        elif old != new:
            yield from topic.replaced("is held by the group", old, new)
            texts = ("is held by the same people as role '{}'", "is no longer held by the same people as role '{}'")
            beside = (_beside(role, before.roles, known), _beside(role, after.roles, known))
            yield from topic.members(*beside, *texts, more_is_tighter=False)


def _beside(role: Slug, roles: Mapping[Slug, Slug], known: Collection[Slug]) -> list[Slug]:
    """The other roles that the same group holds."""
    return [one for one in sorted(known) if one != role and roles[one] == roles[role]]


def packs(before: Plan, after: Plan) -> Changes:
    """Policy packs that hold for the lifecycle, and what satisfies the controls of those that do in both plans."""
    old, new = ({pack.pack: pack for pack in plan.packs} for plan in (before, after))
    for name in dict.fromkeys((*new, *old)):
        topic = Topic(f"policy pack '{name}'", ("policies",))
        if name not in old:
            yield topic.says(Direction.TIGHTER, f"{new[name].version} now holds: {new[name].reason}")
            waived = [one for one in after.controls if one.pack == name and one.waived_until]
            yield from (_topic(one, after).neutral(_stands(one)) for one in waived)
        elif name not in new:
            yield topic.says(Direction.LOOSER, "no longer holds")
        elif old[name].digest != new[name].digest:
            yield topic.neutral(f"holds as {new[name].version} instead of {old[name].version}")
    yield from _controls(before, after, old.keys() & new.keys())


def _controls(before: Plan, after: Plan, shared: set[Slug]) -> Changes:
    old, new = (
        {(one.pack, one.control): one for one in plan.controls if one.pack in shared} for plan in (before, after)
    )
    for key in dict.fromkeys((*new, *old)):
        was, now = old.get(key), new.get(key)
        topic = _topic(now or old[key], after)
        if was is None:
            yield topic.says(Direction.TIGHTER, "is now demanded")
        elif now is None:
            yield topic.says(Direction.LOOSER, "is no longer demanded")
        else:
            yield from _control(topic, was, now)


def _topic(control: ControlPlan, plan: Plan) -> Topic:
    stage = next((one.name for one in plan.stages if one.gate and one.gate.id == control.gate), None)
    return Topic(f"control '{control.control}' ({control.reference})", ("stages", stage) if stage else ("stages",))


def _control(topic: Topic, before: ControlPlan, after: ControlPlan) -> Changes:
    if before.severity != after.severity:
        way = Direction.TIGHTER if _weight(after) > _weight(before) else Direction.LOOSER
        yield topic.says(way, f"is {after.severity} instead of {before.severity}")
    if _standing(before) != _standing(after):
        way = Direction.TIGHTER if _standing(after) > _standing(before) else Direction.LOOSER
        yield topic.says(way, f"{_stands(after)}; before, it {_stands(before)}")
    elif before.gate != after.gate:
        yield from topic.replaced("is satisfied by gate", before.gate, after.gate)
    if before.waiver != after.waiver and after.waiver:
        owner, renewals = after.waiver.owner, after.waiver.renewals
        yield topic.neutral(f"is waived by {owner}, renewed {_times(renewals)}: {after.waiver.reason}")


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _weight(control: ControlPlan) -> int:
    return _WEIGHTS.index(control.severity)


def _standing(control: ControlPlan) -> tuple[int, int]:
    """Satisfied is better than waived, a short waiver better than a long one, and any better than nothing."""
    if control.satisfied:
        return 2, 0
    return (1, -(control.waived_until or date.max).toordinal()) if control.waived_until else (0, 0)


def _stands(control: ControlPlan) -> str:
    if control.satisfied:
        return f"is satisfied by gate '{control.gate}'" if control.gate else "is satisfied"
    return f"is waived until {control.waived_until}" if control.waived_until else "is satisfied by nothing"
