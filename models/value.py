"""The value ledger: what each version of a model has brought and cost, period by period, as its metrics have answered.

A period is asked again while its source may still learn of it; what then answers otherwise is one entry more, which
corrects the one before. Nothing is ever taken out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import computed_field

from models.canonical import Digest, Frozen, Slug, digest
from models.inventory import Booked, Worth
from models.metrics import Measurement, Period, period_before, period_of

AT_MOST = 31
"""How many periods are asked again at most."""
WITHOUT_VALUE = "periods_without_value"
"""The reading that counts them: how many periods in a row have brought nothing."""
_INSTANT = timedelta(microseconds=1)


class Entry(Frozen):
    """An entry of the ledger; `revision` n corrects revision n - 1 of the same metric, version and period."""

    metric: Slug
    worth: Worth
    version: int
    unit: str
    since: datetime
    until: datetime
    amount: float
    count: int
    answer: Digest
    revision: int
    at: datetime

    @property
    def net(self) -> float:
        """What it adds to the worth of the model."""
        return self.amount if self.worth is Worth.VALUE else -self.amount

    @property
    def about(self) -> tuple[Slug, int, datetime, datetime]:
        """What it is about: entries of the same correct one another."""
        return self.metric, self.version, self.since, self.until


class Stint(NamedTuple):
    """A version served from a moment until another; `until` is None while it does (UTC)."""

    version: int
    since: datetime
    until: datetime | None


class Sums(Frozen):
    """What was brought and what it has cost, in one currency."""

    unit: str
    value: float
    cost: float

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def net(self) -> float:
        """What is left."""
        return self.value - self.cost


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Those that nothing corrects, in the order of their periods."""
    newest: dict[tuple[Slug, int, datetime, datetime], Entry] = {}
    for entry in entries:
        known = newest.get(entry.about)
        if known is None or known.revision < entry.revision:
            newest[entry.about] = entry
    return tuple(sorted(newest.values(), key=lambda one: (one.since, one.until, one.metric, one.version)))


def sums(entries: Iterable[Entry]) -> tuple[Sums, ...]:
    """By currency: amounts of several are never added up."""
    found: dict[str, tuple[float, float]] = {}
    for entry in standing(entries):
        value, cost = found.get(entry.unit, (0.0, 0.0))
        brought = entry.worth is Worth.VALUE
        found[entry.unit] = (value + entry.amount, cost) if brought else (value, cost + entry.amount)
    return tuple(Sums(unit=unit, value=value, cost=cost) for unit, (value, cost) in sorted(found.items()))


def asked_again(every: int, late: int, at: datetime) -> Iterator[Period]:
    """Whole periods of so many seconds before the last one, the newest first: as long as a source may learn of them."""
    found = period_before(every, at)
    for _ in range(AT_MOST):
        found = period_before(every, found.since)
        if (at - found.until).total_seconds() > late:
            return
        yield found


def shares_of(period: Period, stints: Sequence[Stint], names_version: bool) -> Iterator[tuple[int, Period]]:
    """Which versions a metric is asked about in a period, and over which part of it.

    A question that names the version is asked of each that served, over all of the period. One that does not is asked
    over just the times that each served, or two versions would be credited with the same.
    """
    served = [
        (one.version, max(period.since, one.since), period.until if one.until is None else min(period.until, one.until))
        for one in stints
    ]
    parts = sorted((since, until, version) for version, since, until in served if since < until)
    if names_version:
        yield from ((version, period) for version in dict.fromkeys(version for _, _, version in parts))
    else:
        yield from ((version, Period(since, until)) for since, until, version in parts)


def news(known: Mapping[tuple[Slug, int, datetime, datetime], Entry], booked: Booked, late: int, now: datetime) -> bool:
    """Whether there is no entry yet, or it says something else than the one that stands and may still be corrected.

    `late` are the seconds after its end for which a period's source may learn of it: afterwards, whoever looks at that
    period once more finds what the source has kept, and not what was earned.
    """
    entry = known.get((booked.metric, booked.version, booked.since, booked.until))
    if entry is None:
        return True
    learning = booked.until + timedelta(seconds=late) >= now
    return learning and (entry.worth, entry.unit, entry.amount, entry.count) != booked.said


def book(worth: Worth, version: int, found: Measurement) -> Booked:
    """The answer of a metric as an entry."""
    return Booked(
        metric=found.metric,
        worth=worth,
        version=version,
        unit=found.unit,
        since=found.since,
        until=found.until,
        amount=found.value,
        count=found.count,
        answer=digest(found),
    )


def serving_since(stints: Sequence[Stint]) -> datetime | None:
    """Since when some version has served without a break, given them oldest first; None if none does."""
    begun: datetime | None = None
    for one in reversed(stints):
        if one.until != begun:
            break
        begun = one.since
    return begun


def barren_periods(entries: Iterable[Entry | Booked], every: int, since: datetime, at: datetime) -> int:
    """How many whole periods in a row, up to the last one, have brought no more than they cost, or nothing at all.

    Given what stands. Periods from before the model served (`since`) do not count. A period with several currencies
    has brought something only if it has in each of them.
    """
    nets: dict[tuple[datetime, str], float] = {}
    for one in entries:
        net = one.amount if one.worth is Worth.VALUE else -one.amount
        place = period_of(every, one.until - _INSTANT).since, one.unit
        nets[place] = nets.get(place, 0.0) + net
    barren, period = 0, period_before(every, at)
    while period.since >= since:
        found = [net for (begun, _), net in nets.items() if begun == period.since]
        if found and min(found) > 0:
            break
        barren, period = barren + 1, period_before(every, period.since)
    return barren
