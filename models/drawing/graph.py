"""What a drawing shows of a plan: stages, gates, the routes between them, and where events lead."""

import re
from collections.abc import Iterator
from typing import NamedTuple, Self

from models.canonical import Frozen, Slug, spell_duration
from models.plan import Entries, GatePlan, MonitorPlan, Plan, Remedy, StagePlan, StepPlan, targets
from models.proof.graph import pass_chain
from models.verdict import Verdict

_ILLEGIBLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legible(text: str) -> str:
    """The text without the characters that XML has no way to write."""
    return _ILLEGIBLE.sub("", text)


class Graph(Frozen):
    """The part of a plan that a drawing holds in full; what is read back from one."""

    template: Slug
    version: str
    title: str
    stages: tuple[StagePlan, ...]
    enters: Entries

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The graph of a plan, its texts as they can be written in any format."""
        return cls(
            template=plan.template,
            version=plan.version,
            title=legible(plan.title),
            stages=tuple(_legible(stage) for stage in plan.stages),
            enters=plan.enters,
        )


def _legible(stage: StagePlan) -> StagePlan:
    if stage.gate is None:
        return stage
    gate = stage.gate.model_copy(update={"question": legible(stage.gate.question)})
    return stage.model_copy(update={"gate": gate})


class Link(NamedTuple):
    """An arrow between two stages: the verdicts that lead along it, or none for an event."""

    source: Slug
    target: Slug
    verdicts: tuple[Verdict, ...]
    words: str


class Rows(NamedTuple):
    """How stages stand: the way that PASS leads on the first row, suspension and retirement on the second."""

    main: tuple[StagePlan, ...]
    aside: tuple[StagePlan, ...]


def rows(plan: Plan) -> Rows:
    """Every stage on one of two rows; on each, stages that PASS joins stand side by side."""
    main = pass_chain(plan.by_name, plan.entry)
    placed = dict.fromkeys(main)
    for stage in plan.stages:
        if stage.name not in placed:
            placed |= dict.fromkeys(name for name in pass_chain(plan.by_name, stage.name) if name not in placed)
    aside = [name for name in placed if name not in main]
    return Rows(tuple(map(plan.stage, main)), tuple(map(plan.stage, aside)))


def routes(stage: StagePlan) -> Iterator[Link]:
    """The routes of a stage; verdicts that lead to the same stage share one."""
    leading: dict[Slug, tuple[Verdict, ...]] = {}
    for verdict, target in targets(stage):
        leading[target] = (*leading.get(target, ()), verdict)
    for target, verdicts in leading.items():
        yield Link(stage.name, target, verdicts, ", ".join(verdicts))


def events(plan: Plan, stage: StagePlan) -> Iterator[Link]:
    """What leads away from a stage that waits for events: production, or suspension."""
    if stage.terminal or stage.routes is not None:
        return
    entries = plan.enters
    retrained = [f"{one.id} retrains" for one in plan.monitors if stage.steady and one.then is Remedy.RETRAIN]
    yield Link(stage.name, entries.new_version, (), ", ".join(["new version", *retrained]))
    if back := [f"{one.id} rolls back" for one in plan.monitors if stage.steady and one.then is Remedy.ROLLBACK]:
        yield Link(stage.name, stage.name, (), ", ".join(back))
    if stage.steady and entries.suspension:
        suspended = [word for one in plan.monitors if (word := _suspends(one))]
        yield Link(stage.name, entries.suspension, (), ", ".join(["suspend", *suspended]))
    elif plan.steady and not stage.steady:
        yield Link(stage.name, plan.steady.name, (), "roll back")
    yield Link(stage.name, entries.retirement, (), "retire")


def _suspends(monitor: MonitorPlan) -> str | None:
    if monitor.then is Remedy.SUSPEND:
        return f"{monitor.id} suspends"
    braked = monitor.then is not Remedy.ESCALATE and monitor.brakes.otherwise is Remedy.SUSPEND
    return f"{monitor.id} beyond its brakes" if braked else None


def links(plan: Plan) -> tuple[Link, ...]:
    """Every arrow of a plan, in the order of its stages."""
    return tuple(link for stage in plan.stages for link in (*routes(stage), *events(plan, stage)))


def work(step: StepPlan) -> str:
    """A step in a word or two."""
    what = f"{step.kind} {step.external.pipeline}" if step.external else step.kind
    return what if step.id == step.kind else f"{step.id} ({what})"


def asked(gate: GatePlan) -> Iterator[str]:
    """Who is asked, and how many of them."""
    yield from (f"{count} of {role}" for role, count in sorted(gate.approvals.items()))


def patience(gate: GatePlan) -> str:
    """By when people decide, and what silence means."""
    if not gate.asks_people:
        return ""
    lapse = f", approvals lapse after {spell_duration(gate.approvals_lapse)}" if gate.approvals_lapse else ""
    return f"within {spell_duration(gate.sla)}, else {gate.on_timeout}{lapse}"
