"""What was seen of a champion and a challenger side by side, as estimates with their variances."""

from math import isfinite, log
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
    "adverse_impact": Measure(True, "smallest ratio of the groups' selection rates, logarithm of it"),
    "errors": Measure(False, "share of requests that were not answered"),
    "latency_ms": Measure(False, "mean time to an answer, in milliseconds"),
}
"""Every measure by its name. (`brier`: Brier 1950, Monthly Weather Review 78(1). `adverse_impact`: 29 CFR 1607.4 D.)"""


def mean_of(count: int, total: float, squares: float) -> Estimate | None:
    """The estimate of a mean from the cases' number, the sum of their values and of the squares; None of under two."""
    if count < 2 or not (isfinite(total) and isfinite(squares)):
        return None
    mean = total / count
    spread = max(0.0, (squares - count * mean * mean) / (count - 1))
    return Estimate(value=mean, variance=spread / count, count=count)


def share_of(those: int, count: int) -> Estimate | None:
    """The estimate of a share; its variance is never 0, as few cases that are all alike do not make it sure.

    Source of the variance: Agresti and Coull 1998, The American Statistician 52(2).
    """
    if not 0 <= those <= count or count == 0:
        return None
    shrunk = (those + 2) / (count + 4)
    return Estimate(value=those / count, variance=shrunk * (1 - shrunk) / count, count=count)


def log_ratio_of(selected: int, of: int, reference_selected: int, reference_of: int) -> Estimate | None:
    """The logarithm of the ratio of two selection rates, with the variance by the delta method; None if one is 0.

    Source: Katz, Baptista, Azen and Pike 1978, Biometrics 34(3), method C.
    """
    if not (0 < selected <= of and 0 < reference_selected <= reference_of):
        return None
    ratio = log(selected / of) - log(reference_selected / reference_of)
    variance = 1 / selected - 1 / of + 1 / reference_selected - 1 / reference_of
    return Estimate(value=ratio, variance=variance, count=min(of, reference_of))


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
