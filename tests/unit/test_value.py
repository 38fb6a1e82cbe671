"""The value ledger: what counts, who is credited with what, what is asked again, and when a model brings nothing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inventory import Booked, Worth
from models.metrics import Metric, Period, measured, period_before
from models.value import (
    AT_MOST,
    Entry,
    Stint,
    asked_again,
    barren_periods,
    book,
    news,
    serving_since,
    shares_of,
    standing,
    sums,
)

DAY = 86_400
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 20, tzinfo=UTC)
ANSWER = "sha256:" + "0" * 64


def days_ago(number: float) -> datetime:
    """So many days before the midnight before."""
    return MIDNIGHT - timedelta(days=number)


def seconds_in(number: int) -> datetime:
    """So many seconds after the midnight of three days before."""
    return days_ago(3) + timedelta(seconds=number)


def entry(
    amount: float, day: int = 1, worth: Worth = Worth.VALUE, revision: int = 0, version: int = 1, unit: str = "EUR"
) -> Entry:
    """What a version has brought in the day that began so many days ago."""
    return Entry(
        metric="margin" if worth is Worth.VALUE else "compute",
        worth=worth,
        version=version,
        unit=unit,
        since=days_ago(day),
        until=days_ago(day - 1),
        amount=amount,
        count=3,
        answer=ANSWER,
        revision=revision,
        at=NOON,
    )


def test_what_is_corrected_does_not_count() -> None:
    """Of the same metric, version and period the last revision stands, in whatever order they are told."""
    entries = [entry(10), entry(12, revision=1), entry(11, revision=2), entry(5, day=2), entry(7, version=2)]
    for told in (entries, entries[::-1]):
        assert [one.amount for one in standing(told)] == [5, 11, 7]


def test_costs_are_taken_off_and_currencies_are_kept_apart() -> None:
    """What is left is said by currency."""
    found = sums([entry(10), entry(4, worth=Worth.COST), entry(100, unit="USD", day=2)])
    assert [(one.unit, one.value, one.cost, one.net) for one in found] == [("EUR", 10, 4, 6), ("USD", 100, 0, 100)]


amounts = st.floats(-1e9, 1e9)


@given(
    st.lists(
        st.tuples(amounts, st.integers(1, 5), st.sampled_from(Worth), st.integers(0, 3)), unique_by=lambda t: t[1:]
    )
)
def test_the_sum_is_that_of_what_stands(told: list[tuple[float, int, Worth, int]]) -> None:
    """However often it was corrected: the total is the standing entries' net."""
    entries = [entry(amount, day, worth, revision) for amount, day, worth, revision in told]
    total = sum(one.net for one in standing(entries))
    assert sum(one.net for one in sums(entries)) == pytest.approx(total, abs=1e-3)


@given(st.integers(0, 40 * DAY), st.sampled_from([3_600, DAY, 7 * DAY]))
def test_what_a_source_may_still_learn_of_is_asked_again(late: int, every: int) -> None:
    """The periods before the last one that ended no longer ago than that, without a gap, and no more than a month."""
    found = list(asked_again(every, late, NOON))
    assert len(found) <= AT_MOST
    before = period_before(every, NOON)
    for one in found:
        assert one.until == before.since
        assert (NOON - one.until).total_seconds() <= late
        before = one
    if len(found) < AT_MOST:
        assert (NOON - before.since).total_seconds() > late


@st.composite
def services(draw: st.DrawFn) -> list[Stint]:
    """Versions that served one after the other, with breaks or without."""
    moments = sorted(draw(st.lists(st.integers(0, 5 * DAY), min_size=1, max_size=8)))
    ends = [*moments[1:], None] if draw(st.booleans()) else [*moments[1:], moments[-1] + 50]
    stints = []
    for number, (start, end) in enumerate(zip(moments, ends, strict=True), 1):
        until = None if end is None else max(start, end - draw(st.sampled_from([0, 60])))
        stints.append(Stint(number, seconds_in(start), None if until is None else seconds_in(until)))
    return stints


@given(services())
def test_nothing_is_credited_to_two_versions(stints: list[Stint]) -> None:
    """A question that names no version is asked of times that do not overlap, each when that version served."""
    period = Period(days_ago(1), days_ago(0))
    parts = list(shares_of(period, stints, names_version=False))
    for version, part in parts:
        assert period.since <= part.since < part.until <= period.until
        assert any(
            one.version == version and one.since <= part.since and (one.until is None or part.until <= one.until)
            for one in stints
        )
    for (_, one), (_, other) in pairwise(parts):
        assert one.until <= other.since
    whole = list(shares_of(period, stints, names_version=True))
    assert [version for version, _ in whole] == list(dict.fromkeys(version for version, _ in parts))
    assert {part for _, part in whole} <= {period}


def test_only_what_is_news_is_booked() -> None:
    """The same answer again is none, whenever it was asked for; another amount, count, unit or worth is."""
    metric = Metric(source="w", query="q", unit="EUR", worth=Worth.VALUE)
    found = book(Worth.VALUE, 1, measured("margin", metric, Period(days_ago(1), days_ago(0)), 10, 3))
    known = {one.about: one for one in standing([entry(10)])}
    late, now = 86_400, found.until + timedelta(days=1)
    assert news({}, found, late, now)
    assert not news(known, found.model_copy(update={"answer": "sha256:" + "1" * 64}), late, now)
    changes: list[dict[str, object]] = [{"amount": 11}, {"count": 4}, {"unit": "USD"}, {"worth": Worth.COST}]
    for change in changes:
        assert news(known, found.model_copy(update=change), late, now)
        assert not news(known, found.model_copy(update=change), late - 1, now)
    assert isinstance(found, Booked)


@pytest.mark.parametrize(
    ("entries", "barren"),
    [
        ([], 5),
        ([entry(10)], 0),
        ([entry(10, day=3)], 2),
        ([entry(0), entry(10, day=2)], 1),
        ([entry(-10), entry(10, day=4)], 3),
        ([entry(10), entry(10, worth=Worth.COST), entry(1, day=2)], 1),
        ([entry(10), entry(9, worth=Worth.COST)], 0),
        ([entry(10), entry(-1, unit="USD")], 5),
        ([entry(10, day=9)], 5),
    ],
)
def test_how_long_a_model_has_brought_nothing(entries: list[Entry], barren: int) -> None:
    """Whole periods in a row, up to the last one: with more cost than value, with nothing, or with nothing booked."""
    assert barren_periods(entries, DAY, days_ago(5), NOON) == barren


def test_a_part_of_a_period_counts_for_it() -> None:
    """What a version brought until it was replaced at noon is of that day, and not of the day before."""
    half = entry(10).model_copy(update={"until": days_ago(0.5)})
    assert barren_periods([half], DAY, days_ago(5), NOON) == 0


def test_a_model_that_has_just_begun_owes_nothing() -> None:
    """Periods from before it served are nobody's."""
    assert barren_periods([], DAY, days_ago(0.5), NOON) == 0
    assert barren_periods([], DAY, days_ago(1.5), NOON) == 1


def test_a_new_version_does_not_begin_anew() -> None:
    """What counts is since when the model has served without a break, whichever version did."""
    first, second = Stint(1, days_ago(9), days_ago(4)), Stint(2, days_ago(4), None)
    assert serving_since([first, second]) == days_ago(9)
    assert serving_since([first, second._replace(since=days_ago(3))]) == days_ago(3)
    assert serving_since([first]) is None
    assert serving_since([]) is None
