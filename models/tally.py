"""What a champion and a challenger answered, joined with what became of the cases: the measures of both.

A unit counts once for each version, by the last answer. What the challenger says to a copy counts as if it had decided;
only the value of a case counts for nobody but who really decided it. What the champion answered because the
challenger had failed counts for neither.

Answers and cases are counted one by one, and nothing grows with their number but `Tally.cases`, which whoever counts
millions keeps elsewhere: tallies of parts are merged, and sums are over whatever is iterated.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import NamedTuple

from models.inventory import DataContract
from models.observations import Arms, Estimate, Moments, Observations, log_ratio_of, share_of
from models.traffic import Answer
from models.verdict import Reading

LATE = 95
"""The percentile of the latency."""
_DIGITS = 3


class Outcome(NamedTuple):
    """What became of a case: 1 favourable, 0 not, None not known yet; what it was worth; its group in each column."""

    label: float | None = None
    value: float | None = None
    groups: Mapping[str, str] = {}


class Case(NamedTuple):
    """What a version said last to a unit."""

    score: float | None
    selected: bool
    mirrored: bool


class _Group(NamedTuple):
    selected: int
    of: int


@dataclass
class Counts:
    """How much a version answered, and how fast: how often so many microseconds, to three digits."""

    requests: int = 0
    failed: int = 0
    times: Counter[int] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.requests += 1
        if answer.error:
            self.failed += 1
        else:
            self.times[_rounded(answer.microseconds)] += 1

    @property
    def late(self) -> int | None:
        """The smallest time that at least so many percent of all do not exceed (nearest rank), in microseconds.

        None if nothing was answered.
        """
        rank, passed = ceil(self.times.total() * LATE / 100), 0
        for microseconds in sorted(self.times):
            passed += self.times[microseconds]
            if passed >= rank:
                return microseconds
        return None

    def merge(self, other: "Counts") -> None:
        """Add what was counted elsewhere."""
        self.requests += other.requests
        self.failed += other.failed
        self.times.update(other.times)


@dataclass
class Tally:
    """What one version answered: counts, and the cases by what they are known as among the outcomes."""

    counts: Counts = field(default_factory=Counts)
    cases: dict[str, Case] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        """Count one answer; they come in their order."""
        if answer.instead:
            return
        self.counts.add(answer)
        if answer.error:
            return
        for row, (score, label) in enumerate(zip(answer.scores, answer.labels, strict=False)):
            self.cases[case_of(answer, row)] = Case(score, label == 1, answer.mirrored)

    def merge(self, later: "Tally") -> None:
        """Add what was answered after all that is counted here."""
        self.counts.merge(later.counts)
        self.cases |= later.cases


def _rounded(microseconds: int) -> int:
    """To so many digits: there are as few different ones as a sum over millions has room for."""
    return round(microseconds, _DIGITS - len(str(microseconds)))


def case_of(answer: Answer, row: int) -> str:
    """What a row is known as among the outcomes: the request's unit, or `unit/0`, `unit/1` ... if it has several."""
    return answer.unit if answer.rows == 1 else f"{answer.unit}/{row}"


@dataclass
class Sums:
    """All that the measures need of the cases whose outcomes are known, however many they are."""

    right: int = 0
    judged: int = 0
    brier: Moments = field(default_factory=Moments)
    value: Moments = field(default_factory=Moments)
    groups: dict[tuple[str, str], _Group] = field(default_factory=dict)

    def add(self, case: Case, outcome: Outcome) -> None:
        """One more case. Who has no recorded group is in none."""
        if outcome.label is not None:
            self.judged += 1
            self.right += case.selected == (outcome.label == 1)
            if case.score is not None:
                self.brier.add((case.score - outcome.label) ** 2)
        if outcome.value is not None and not case.mirrored:
            self.value.add(outcome.value)
        for one in outcome.groups.items():
            if one[1]:
                selected, of = self.groups.get(one, _Group(0, 0))
                self.groups[one] = _Group(selected + case.selected, of + 1)


class Side(NamedTuple):
    """What is known of one version."""

    counts: Counts
    sums: Sums


def sums_of(known: Iterable[tuple[Case, Outcome]]) -> Sums:
    """The sums over cases with their outcomes."""
    sums = Sums()
    for case, outcome in known:
        sums.add(case, outcome)
    return sums


def observe(champion: Side, challenger: Side, contract: DataContract, since: datetime, until: datetime) -> Observations:
    """Both side by side. A measure that cannot be told of both is not there."""
    ours, theirs = _estimates(champion, contract), _estimates(challenger, contract)
    pairs = ((name, ours[name], theirs[name]) for name in ours)
    return Observations(
        since=since,
        until=until,
        champion_requests=champion.counts.requests - champion.counts.failed,
        challenger_requests=challenger.counts.requests - challenger.counts.failed,
        measures={name: Arms(champion=one, challenger=other) for name, one, other in pairs if one and other},
        readings=tuple(_readings(challenger, contract)),
    )


def _estimates(side: Side, contract: DataContract) -> Mapping[str, Estimate | None]:
    counts, sums, latency = side.counts, side.sums, Moments()
    for microseconds, count in counts.times.items():
        latency.add(microseconds / 1000, count)
    impacts = [log_ratio_of(*group, *first) for group, first in _compared(sums, contract)]
    return {
        "accuracy": share_of(sums.right, sums.judged),
        "brier": sums.brier.estimate(),
        "value": sums.value.estimate(),
        "adverse_impact": min(filter(None, impacts), key=lambda impact: impact.value, default=None),
        "errors": share_of(counts.failed, counts.requests),
        "latency_ms": latency.estimate(),
    }


def _readings(side: Side, contract: DataContract) -> Iterator[Reading]:
    counts = side.counts
    if counts.requests:
        yield Reading(name="trial_errors", value=counts.failed / counts.requests, count=counts.requests)
    if (late := counts.late) is not None:
        yield Reading(name="trial_latency", value=late / 1000, count=counts.times.total())
    compared = _compared(side.sums, contract)
    if compared and all(first.selected for _, first in compared):
        ratios = [group.selected / group.of / (first.selected / first.of) for group, first in compared]
        count = min(min(group.of, first.of) for group, first in compared)
        yield Reading(name="trial_adverse_impact", value=min(ratios), count=count)


def _compared(sums: Sums, contract: DataContract) -> Sequence[tuple[_Group, _Group]]:
    """Every group with the reference group of its column; nothing unless every protected column can be compared."""
    compared = []
    for protected in contract.protected:
        groups = {group: seen for (column, group), seen in sums.groups.items() if column == protected.column}
        first = groups.pop(protected.reference, None)
        if first is None or not groups:
            return ()
        compared += [(group, first) for group in groups.values()]
    return compared
