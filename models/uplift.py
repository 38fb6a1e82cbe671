"""What a model brings beyond what would have come without it: its cases beside a hold-out that it was kept from.

The hold-out has to be drawn by chance, or the difference is not the model's (Kohavi, Tang and Xu 2020, Trustworthy
Online Controlled Experiments, chapter 1). What is judged is the size of the difference by its interval, never whether
chance alone would be unlikely to make one.
"""

from collections.abc import Mapping
from math import isfinite

from models.canonical import Slug
from models.errors import InvalidInputError, UnmeasuredError
from models.metrics import Arm, Compared, Measurement, Metric, Period, answer, cases, measured, number
from models.statistics.figures import Unmeasured
from models.statistics.intervals import of_difference
from models.statistics.means import Sample, of_means

COLUMNS = {
    "share": ("value", "count", "holdout_value", "holdout_count"),
    "mean": ("value", "count", "deviation", "holdout_value", "holdout_count", "holdout_deviation"),
}
"""The columns of an answer, by what is compared: shares from 0 to 1, or means with standard deviations (ddof 1)."""

_ROUNDING = 1e-6
"""How far a share may be from a whole number of cases."""
_LARGEST = 1e100


def compared(name: Slug, metric: Metric, period: Period, row: Mapping[str, object]) -> Measurement:
    """The difference of the two groups of a row that has the columns; InvalidInputError says why there is none."""
    if any(row[column] is None for column in COLUMNS[metric.holdout or "share"] if not column.endswith("count")):
        return measured(name, metric, period, None, 0)
    where = f"metric '{name}' of source '{metric.source}'"
    treated, holdout = _arm(where, row, ""), _arm(where, row, "holdout_")
    shares = metric.holdout == "share"
    low, high = _of_shares(where, treated, holdout) if shares else _of_means(where, treated, holdout)
    if not (isfinite(low) and isfinite(high)):
        raise UnmeasuredError(Unmeasured.TOO_FEW, f"{where} compares groups of which one has no two cases")
    between = Compared(treated=treated, holdout=holdout, between=(low, high))
    smaller = min(treated.count, holdout.count)
    return answer(name, metric, period, treated.value - holdout.value, smaller, between)


def _arm(where: str, row: Mapping[str, object], group: str) -> Arm:
    deviation = row.get(f"{group}deviation")
    return Arm(
        value=_measurable(where, f"{group}value", row[f"{group}value"]),
        count=cases(where, f"{group}count", row[f"{group}count"]),
        deviation=None if deviation is None else _measurable(where, f"{group}deviation", deviation),
    )


def _measurable(where: str, what: str, given: object) -> float:
    found = number(where, what, given)
    if abs(found) > _LARGEST:
        raise InvalidInputError(f"{where} answers with a {what} that is too large: {found:g}")
    return found


def _of_shares(where: str, treated: Arm, holdout: Arm) -> tuple[float, float]:
    if not (treated.count and holdout.count):
        raise UnmeasuredError(Unmeasured.TOO_FEW, f"{where} compares groups of which one is empty")
    return of_difference(_part(where, "value", treated), _part(where, "holdout_value", holdout))


def _part(where: str, what: str, arm: Arm) -> tuple[int, int]:
    part = arm.value * arm.count
    if not 0 <= arm.value <= 1 or abs(part - round(part)) > _ROUNDING * max(1.0, part):
        raise InvalidInputError(
            f"{where} answers with a {what} that is no share of {arm.count} cases: {arm.value:g}",
            "answer with the share of cases, from 0 to 1; of amounts say `holdout: mean`",
        )
    return round(part), arm.count


def _of_means(where: str, treated: Arm, holdout: Arm) -> tuple[float, float]:
    deviations = treated.deviation or 0.0, holdout.deviation or 0.0
    if min(deviations) < 0 or not any(deviations):
        raise UnmeasuredError(
            Unmeasured.NO_SPREAD,
            f"{where} says that no case differs from another in either group: no interval follows from that",
            "answer with stddev_samp(...) of each group",
        )
    one, other = (
        Sample(arm.value, deviation, arm.count) for arm, deviation in zip((treated, holdout), deviations, strict=True)
    )
    return of_means(one, other)
