"""A challenger beside the champion: which share it has by now, what is known of it, and how the trial ends.

Each share is judged by what was seen at that share alone: while shares grow, customers and seasons change as well, and
cases pooled over all of them could favour the worse one (Simpson 1951, JRSS B 13(2)).
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from models.canonical import Digest, Frozen, Slug
from models.observations import Observations, difference
from models.plan import MeasurePlan, TrialPlan
from models.sequential import Interval, interval_of
from models.traffic import Split
from models.verdict import CheckResult, Kpi, Verdict, judge

Conclusion = Literal["go_on", "elect", "turn_away", "abort", "ask"]
"""What a look leads to: nothing yet; it takes over; it is worse than allowed; a check failed; people are asked."""


class Progress(Frozen):
    """How far a trial is: since when it runs, at which of its shares, since when at that one."""

    begun: AwareDatetime
    rung: int = Field(default=0, ge=0)
    since: AwareDatetime


class Found(Frozen):
    """By one measure: how much better the challenger is (negative: worse), between which bounds, of how many cases.

    Without bounds there are too few cases to say anything.

    `verdict`: the bounds are where the margin wants them, are nowhere near, or leave it open.
    """

    measure: Slug
    better_by: float
    low: float | None = None
    high: float | None = None
    count: int
    verdict: Verdict


class Look(Frozen):
    """What one look at a trial has found, and what it leads to."""

    progress: Progress
    split: Split
    conclusion: Conclusion
    reasons: tuple[str, ...]
    found: tuple[Found, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    observations: Observations


class Coming(Frozen):
    """What comes next: when there is the next look, from when on the next share (None: it has the last), what then.

    `until`: a trial without a result by then ends, and people are asked.
    """

    look: AwareDatetime
    share: int | None
    since: AwareDatetime | None
    until: AwareDatetime


def rungs(trial: TrialPlan) -> tuple[int, ...]:
    """The shares in their order; a first one of 0: the challenger only answers copies."""
    return (0, *trial.shares) if trial.shadow else trial.shares


def split_at(trial: TrialPlan, rung: int, version: int, bundle: Digest) -> Split:
    """What the challenger answers at one of the trial's rungs."""
    share = rungs(trial)[rung]
    return Split(version=version, bundle=bundle, share=share, mirrored=share == 0)


def begin(at: datetime) -> Progress:
    """A trial that begins."""
    return Progress(begun=at, since=at)


def climb(trial: TrialPlan, progress: Progress, at: datetime) -> Progress:
    """On the next rung, if this one was held long enough and is not the last."""
    last = progress.rung == len(rungs(trial)) - 1
    if last or at - progress.since < timedelta(seconds=_held(trial, progress.rung)):
        return progress
    return progress.model_copy(update={"rung": progress.rung + 1, "since": at})


def coming(trial: TrialPlan, progress: Progress, looked: datetime) -> Coming:
    """What comes after a look."""
    last = progress.rung == len(rungs(trial)) - 1
    return Coming(
        look=looked + timedelta(seconds=trial.every),
        share=None if last else rungs(trial)[progress.rung + 1],
        since=None if last else progress.since + timedelta(seconds=_held(trial, progress.rung)),
        until=progress.begun + timedelta(seconds=trial.longest),
    )


def _held(trial: TrialPlan, rung: int) -> int:
    """For how many seconds a rung is held."""
    return trial.shadow if rungs(trial)[rung] == 0 else trial.hold


def look(
    trial: TrialPlan, kpis: tuple[Kpi, ...], progress: Progress, split: Split, seen: Observations, at: datetime
) -> Look:
    """What is known by now, and what it leads to. `kpis` are those of the trial's checks."""
    checks = tuple(judge(kpi, seen.readings) for kpi in kpis)
    found = tuple(_find(trial, measure, seen) for measure in trial.measures)
    conclusion, reasons = _conclude(trial, progress, found, checks, at)
    return Look(
        progress=progress,
        split=split,
        conclusion=conclusion,
        reasons=reasons,
        found=found,
        checks=checks,
        observations=seen,
    )


def _conclude(
    trial: TrialPlan, progress: Progress, found: tuple[Found, ...], checks: tuple[CheckResult, ...], at: datetime
) -> tuple[Conclusion, tuple[str, ...]]:
    failed = tuple(f"{check.kpi}: {check.reason}" for check in checks if check.verdict is Verdict.FAIL)
    if failed:
        return "abort", failed
    worse = tuple(_sentence(one) for one in found if one.verdict is Verdict.FAIL)
    if worse:
        return "turn_away", worse
    open_still = tuple(_sentence(one) for one in found if one.verdict is Verdict.INCONCLUSIVE)
    unknown = tuple(f"{check.kpi}: {check.reason}" for check in checks if check.verdict is Verdict.INCONCLUSIVE)
    last = progress.rung == len(rungs(trial)) - 1
    if last and not open_still and not unknown and at - progress.since >= timedelta(seconds=trial.hold):
        return "elect", tuple(map(_sentence, found))
    left = (*open_still, *unknown) or ("its last share was not held long enough",)
    return ("ask" if at - progress.begun >= timedelta(seconds=trial.longest) else "go_on"), left


def _find(trial: TrialPlan, measure: MeasurePlan, seen: Observations) -> Found:
    arms = seen.measures.get(measure.name)
    better = difference(measure.name, arms) if arms else None
    if better is None or better.count < trial.at_least:
        count = better.count if better else 0
        return Found(measure=measure.name, better_by=0, count=count, verdict=Verdict.INCONCLUSIVE)
    elected = interval_of(better, trial.error_rate, measure.margin)
    turned_away = interval_of(better, trial.error_rate / _chances(trial), measure.margin)
    return Found(
        measure=measure.name,
        better_by=better.value,
        low=elected.low,
        high=turned_away.high,
        count=better.count,
        verdict=_verdict(measure, elected, turned_away),
    )


def _chances(trial: TrialPlan) -> int:
    """How many tests could each turn a good challenger away; to be elected it has to pass all of them."""
    return len(trial.measures) * len(rungs(trial))


def _verdict(measure: MeasurePlan, elected: Interval, turned_away: Interval) -> Verdict:
    wanted = measure.margin if measure.goal == "better" else -measure.margin
    if turned_away.high < wanted:
        return Verdict.FAIL
    return Verdict.PASS if elected.low > wanted else Verdict.INCONCLUSIVE


def _sentence(found: Found) -> str:
    if found.low is None or found.high is None:
        return f"{found.measure}: {found.count} outcomes on the smaller side are too few"
    word = "better" if found.better_by >= 0 else "worse"
    between = f"between {found.low:+.3g} and {found.high:+.3g}"
    return (
        f"{found.measure}: {word} by {abs(found.better_by):.3g} ({between}, {found.count} outcomes on the smaller side)"
    )
