"""What was seen of a champion and a challenger side by side, as estimates with their variances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, log
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field

from models.canonical import Frozen, Slug
from models.verdict import Reading

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Estimate(Frozen):
    """A measured value, the variance of that value (not of one case), and the cases that it rests on."""

    value: Finite
    variance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    count: int = Field(ge=0)


class Arms(Frozen):
    """The same measure of both."""

    champion: Estimate
    challenger: Estimate


class Observations(Frozen):
    """Everything since a challenger began to answer, or to be mirrored: `measures` by their names.

    `readings` are of the challenger alone. `champion_requests` and `challenger_requests` are what each has answered,
    whether or not its outcome is known yet.
    """

    since: AwareDatetime
    until: AwareDatetime
    champion_requests: int = Field(ge=0)
    challenger_requests: int = Field(ge=0)
    measures: dict[Slug, Arms] = Field(default_factory=dict)
    readings: tuple[Reading, ...] = ()


class Measure(NamedTuple):
    """Something by which a challenger is compared: whether more of it is better, and what it is."""

    more_is_better: bool
    meaning: str


MEASURES = {
    "accuracy": Measure(True, "share of cases whose outcome was as decided"),
    "brier": Measure(False, "mean squared distance of the score from the outcome, 0 or 1"),
    "value": Measure(True, "mean value of a case, in the currency of the outcomes' column `value`"),
    "adverse_impact": Measure(
        True, "smallest ratio of a group's selection rate to the reference group's, logarithm of it"
    ),
    "errors": Measure(False, "share of requests that were not answered"),
    "latency_ms": Measure(False, "mean time to an answer, in milliseconds"),
}
"""Every measure by its name. (`brier`: Brier 1950, Monthly Weather Review 78(1). `adverse_impact`: 29 CFR 1607.4 D.)"""


@dataclass
class Moments:
    """Count, mean and the sum of squared distances from it, of values that are added one by one.

    The mean is kept as what the first value is off it, so that large amounts that differ little are told apart.

    Source: Welford 1962, Technometrics 4(3); for several at once: Chan, Golub and LeVeque 1983, The American
    Statistician 37(3).
    """

    count: int = 0
    first: float = 0.0
    off: float = 0.0
    squares: float = 0.0

    def add(self, value: float, times: int = 1) -> None:
        """One more value, or as often as it came."""
        if not self.count:
            self.first = value
        self.count += times
        away = value - self.first
        distance = away - self.off
        self.off += distance * times / self.count
        self.squares += times * distance * (away - self.off)

    def estimate(self) -> Estimate | None:
        """The estimate of the mean; None of under two values, or if all are alike: how far others may lie is not known.

        Nor is anything known of values that are not finite.
        """
        mean = self.first + self.off
        if self.count < 2 or not (0 < self.squares < inf) or not isfinite(mean):
            return None
        return Estimate(value=mean, variance=self.squares / (self.count - 1) / self.count, count=self.count)


def mean_of(values: Iterable[float]) -> Estimate | None:
    """The estimate of the mean of some values, or None (`Moments.estimate`)."""
    moments = Moments()
    for value in values:
        moments.add(value)
    return moments.estimate()


def share_of(those: int, count: int) -> Estimate | None:
    """The estimate of a share; its variance is never 0, as few cases that are all alike do not make it sure.

    Source of the shrunken share: Agresti and Coull 1998, The American Statistician 52(2).
    """
    if not 0 <= those <= count or count == 0:
        return None
    shrunk = (those + 2) / (count + 4)
    return Estimate(value=those / count, variance=shrunk * (1 - shrunk) / count, count=count)


def log_ratio_of(selected: int, of: int, reference_selected: int, reference_of: int) -> Estimate | None:
    """The logarithm of the ratio of two selection rates, with the variance by the delta method; None of nobody.

    Half a case is added to the selected and to the others of each: the ratio of a group of whom nobody is selected
    is the worst there is, not one that cannot be told, and its variance is never 0.
    Sources: Katz, Baptista, Azen and Pike 1978, Biometrics 34(3); Anscombe 1956, Biometrika 43.
    """
    if not (0 <= selected <= of and 0 <= reference_selected <= reference_of and of and reference_of):
        return None
    chosen, all_, reference, all_reference = selected + 0.5, of + 1, reference_selected + 0.5, reference_of + 1
    ratio = log(chosen / all_) - log(reference / all_reference)
    spread = 1 / chosen - 1 / all_ + 1 / reference - 1 / all_reference
    return Estimate(value=ratio, variance=spread, count=min(of, reference_of))


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many percent of all do not exceed (nearest rank); ValueError of nothing."""
    if not values:
        raise ValueError("nothing has no percentile")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def difference(measure: Slug, arms: Arms) -> Estimate:
    """How much better the challenger is (negative: worse), whichever direction is better for the measure."""
    known = MEASURES.get(measure)
    sign = 1 if known is None or known.more_is_better else -1
    champion, challenger = arms.champion, arms.challenger
    return Estimate(
        value=sign * (challenger.value - champion.value),
        variance=champion.variance + challenger.variance,
        count=min(champion.count, challenger.count),
    )
