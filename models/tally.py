"""What a champion and a challenger answered, joined with what became of the cases: the measures of both.

A unit counts once for each version, by the last answer. What the challenger says to a copy counts as if it had decided;
only the value of a case counts for nobody but who really decided it. What the champion answered because the
challenger had failed counts for neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from models.inventory import DataContract, Protected
from models.observations import Arms, Estimate, Observations, log_ratio_of, mean_of, percentile, share_of
from models.traffic import Answer
from models.verdict import Reading

LATE = 95
"""The percentile of the latency."""


class Outcome(NamedTuple):
    """What became of a case: 1 favourable, 0 not, None not known yet; what it was worth; its group in each column."""

    label: float | None = None
    value: float | None = None
    groups: Mapping[str, str] = {}


class _Case(NamedTuple):
    score: float | None
    selected: bool
    mirrored: bool


class _Group(NamedTuple):
    selected: int
    of: int


@dataclass
class Tally:
    """What one version answered."""

    requests: int = 0
    failed: int = 0
    milliseconds: list[float] = field(default_factory=list)
    cases: dict[str, _Case] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        """Count one answer; they come in their order."""
        if answer.instead:
            return
        self.requests += 1
        if answer.error:
            self.failed += 1
            return
        self.milliseconds.append(answer.microseconds / 1000)
        for row, (score, label) in enumerate(zip(answer.scores, answer.labels, strict=False)):
            self.cases[case_of(answer, row)] = _Case(score, label == 1, answer.mirrored)


def case_of(answer: Answer, row: int) -> str:
    """What a row is known as among the outcomes: the request's unit, or `unit/0`, `unit/1` ... if it has several."""
    return answer.unit if answer.rows == 1 else f"{answer.unit}/{row}"


def observe(
    champion: Tally,
    challenger: Tally,
    outcomes: Mapping[str, Outcome],
    contract: DataContract,
    since: datetime,
    until: datetime,
) -> Observations:
    """Both side by side. A measure that cannot be told of both is not there."""
    ours, theirs = _estimates(champion, outcomes, contract), _estimates(challenger, outcomes, contract)
    pairs = ((name, ours[name], theirs[name]) for name in ours)
    return Observations(
        since=since,
        until=until,
        champion_requests=champion.requests - champion.failed,
        challenger_requests=challenger.requests - challenger.failed,
        measures={name: Arms(champion=one, challenger=other) for name, one, other in pairs if one and other},
        readings=tuple(_readings(challenger, outcomes, contract)),
    )


def _estimates(tally: Tally, outcomes: Mapping[str, Outcome], contract: DataContract) -> Mapping[str, Estimate | None]:
    known = [(case, outcomes[unit]) for unit, case in tally.cases.items() if unit in outcomes]
    judged = [(case, outcome.label) for case, outcome in known if outcome.label is not None]
    impacts = [log_ratio_of(*group, *first) for group, first in _compared(tally, outcomes, contract)]
    return {
        "accuracy": share_of(sum(case.selected == (label == 1) for case, label in judged), len(judged)),
        "brier": mean_of([(case.score - label) ** 2 for case, label in judged if case.score is not None]),
        "value": mean_of([o.value for case, o in known if o.value is not None and not case.mirrored]),
        "adverse_impact": min(filter(None, impacts), key=lambda impact: impact.value, default=None),
        "errors": share_of(tally.failed, tally.requests),
        "latency_ms": mean_of(tally.milliseconds),
    }


def _readings(tally: Tally, outcomes: Mapping[str, Outcome], contract: DataContract) -> Iterator[Reading]:
    if tally.requests:
        yield Reading(name="trial_errors", value=tally.failed / tally.requests, count=tally.requests)
    if times := tally.milliseconds:
        yield Reading(name="trial_latency", value=percentile(times, LATE), count=len(times))
    compared = _compared(tally, outcomes, contract)
    if compared and all(first.selected for _, first in compared):
        ratios = [group.selected / group.of / (first.selected / first.of) for group, first in compared]
        count = min(min(group.of, first.of) for group, first in compared)
        yield Reading(name="trial_adverse_impact", value=min(ratios), count=count)


def _compared(tally: Tally, outcomes: Mapping[str, Outcome], contract: DataContract) -> Sequence[tuple[_Group, _Group]]:
    """Every group with the reference group of its column; nothing unless every protected column can be compared."""
    compared = []
    for protected in contract.protected:
        groups = _groups(tally, outcomes, protected)
        first = groups.pop(protected.reference, None)
        if first is None or not groups:
            return ()
        compared += [(group, first) for group in groups.values()]
    return compared


def _groups(tally: Tally, outcomes: Mapping[str, Outcome], protected: Protected) -> dict[str, _Group]:
    """Who has no recorded group is in none."""
    groups: dict[str, _Group] = {}
    for unit, case in tally.cases.items():
        group = outcomes[unit].groups.get(protected.column) if unit in outcomes else None
        if group:
            selected, of = groups.get(group, _Group(0, 0))
            groups[group] = _Group(selected + case.selected, of + 1)
    return groups
