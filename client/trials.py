"""What the record tells of the challengers of a model, and what the lifecycle adds while one is tried."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import AwareDatetime

from models.audit import AuditEntry, AuditKind, EffectRecord
from models.canonical import Frozen, Slug
from models.evidence import Evidence, StepKind
from models.inventory import Divided, Environment
from models.journal import JournalEntry
from models.plan import Plan, TrialPlan
from models.status import Status
from models.trial import Coming, Look, Progress, coming
from models.verdict import Verdict


class Given(Frozen):
    """What a challenger answers, and since when; with a share of 0, copies."""

    share: int
    since: AwareDatetime


class Ended(Frozen):
    """How a trial ended, and when, by the record."""

    verdict: Verdict
    summary: str
    at: AwareDatetime
    evidence: tuple[Evidence, ...]


class Tried(Frozen):
    """One trial: which version, where, in which visit of which stage, the shares that it was given, how it ended."""

    version: int
    environment: Environment
    stage: Slug
    visit: int
    given: tuple[Given, ...] = ()
    ended: Ended | None = None


class Shown(Frozen):
    """What there is to say of a model's last trial. `running`: it goes on; then `coming` is what comes next.

    `look` is the last look: without one, nobody has looked yet. A trial that neither runs nor has ended was given up.
    """

    model: Slug
    champion: int | None
    running: bool
    trial: Tried
    look: Look | None
    coming: Coming | None


def last_trial(history: Sequence[AuditEntry]) -> Tried | None:
    """The last trial on record."""
    divided = list(_divisions(history))
    if not divided:
        return None
    visit, change = divided[-1][1].key.visit, divided[-1][2]
    those = [one for one in divided if one[1].key.visit == visit]
    return Tried(
        version=change.version,
        environment=change.environment,
        stage=_stages(history)[visit],
        visit=visit,
        given=tuple(Given(share=one.share, since=entry.at) for entry, effect, one in those if not _ends(effect)),
        ended=next((_ended(entry, effect) for entry, effect, _ in those if _ends(effect)), None),
    )


def under_way(plan: Plan, status: Status, known: Tried | None) -> Tried | None:
    """The trial that goes on now, with what is on record of it; None if none does."""
    stage = plan.by_name.get(status.stage)
    kinds = {step.id: step.kind for step in stage.steps} if stage else {}
    if stage is None or stage.environment is None or status.version is None:
        return None
    if status.step is None or kinds.get(status.step) is not StepKind.TRIAL:
        return None
    if known and known.visit == status.visit:
        return known
    version = status.version.number
    return Tried(version=version, environment=stage.environment, stage=stage.name, visit=status.visit)


def what_comes(trial: TrialPlan, tried: Tried, look: Look | None) -> Coming | None:
    """What comes next; None if the challenger was not given anything yet."""
    if not tried.given:
        return None
    last = tried.given[-1].since
    progress = Progress(begun=tried.given[0].since, rung=len(tried.given) - 1, since=last)
    return coming(trial, progress, max(last, look.observations.until) if look else last)


def in_words(given: Given) -> str:
    """As in `answers 25 %`."""
    return "answers copies" if given.share == 0 else f"answers {given.share} %"


def _divisions(history: Iterable[AuditEntry]) -> Iterator[tuple[AuditEntry, EffectRecord, Divided]]:
    for entry in history:
        if entry.kind == AuditKind.EFFECT:
            effect = EffectRecord.model_validate_json(entry.body)
            yield from ((entry, effect, change) for change in effect.changes if isinstance(change, Divided))


def _ends(effect: EffectRecord) -> bool:
    """Whether it is the result of the step, and not one of its shares."""
    return "/" not in effect.key.step


def _ended(entry: AuditEntry, effect: EffectRecord) -> Ended:
    found = effect.result
    return Ended(verdict=found.verdict, summary=found.summary, at=entry.at, evidence=found.evidence)


def _stages(history: Iterable[AuditEntry]) -> dict[int, Slug]:
    """The stage of each visit."""
    events = (JournalEntry.model_validate_json(one.body) for one in history if one.kind == AuditKind.EVENT)
    return {event.snapshot.visit: event.snapshot.stage for event in events}
