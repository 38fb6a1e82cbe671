"""Three verdicts, never two: readings are judged PASS, FAIL or INCONCLUSIVE."""

from enum import StrEnum
from math import inf
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.canonical import Frozen, Slug


class Verdict(StrEnum):
    """What a check or a gate concluded."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


Finite = Annotated[float, Field(allow_inf_nan=False)]


class Reading(Frozen):
    """One measured value and the number of observations it rests on.

    `between` is the interval of 95 % confidence of one that has been estimated, None of one that has been counted.
    """

    name: Slug
    value: Finite
    count: int
    between: tuple[Finite, Finite] | None = Field(default=None, exclude_if=lambda between: between is None)

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest that the value may be."""
        return self.between or (self.value, self.value)

    def __str__(self) -> str:
        low, high = self.span
        return f"{self.value:.4g} ({low:.4g} to {high:.4g})" if self.between else f"{self.value:.4g}"


class Comparison(Frozen):
    """`>= 0.8`: an operator and a bound."""

    operator: Literal[">=", "<=", ">", "<", "=="]
    bound: Finite

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, text: object) -> object:
        if not isinstance(text, str):
            return text
        parts = text.split()
        if len(parts) != 2 or parts[0] not in (">=", "<=", ">", "<", "=="):
            raise ValueError(f"'{text}' is not a comparison: write an operator and a number, as in '>= 0.8'")
        try:
            return {"operator": parts[0], "bound": float(parts[1])}
        except ValueError:
            raise ValueError(f"'{parts[1]}' in '{text}' is not a number") from None

    def holds(self, value: float) -> bool:
        """Whether the value satisfies the comparison; a NaN satisfies none."""
        match self.operator:
            case ">=":
                return value >= self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
            case "<":
                return value < self.bound
            case "==":
                return value == self.bound

    def holds_for(self, reading: Reading) -> bool:
        """Whether everything that the reading may be satisfies the comparison."""
        return all(map(self.holds, reading.span))

    @property
    def low(self) -> tuple[float, int]:
        """The lower end of what satisfies it; an open end is a hair above its bound."""
        match self.operator:
            case ">":
                return self.bound, 1
            case ">=" | "==":
                return self.bound, 0
            case _:
                return -inf, 0

    @property
    def high(self) -> tuple[float, int]:
        """The upper end of what satisfies it; an open end is a hair below its bound."""
        match self.operator:
            case "<":
                return self.bound, -1
            case "<=" | "==":
                return self.bound, 0
            case _:
                return inf, 0

    def within(self, other: "Comparison") -> bool:
        """Whether every value that satisfies it satisfies the other too."""
        return other.low <= self.low and self.high <= other.high

    def __str__(self) -> str:
        return f"{self.operator} {self.bound:g}"


class Kpi(Frozen):
    """When a reading passes and when it fails; the gap between, or too few observations, is INCONCLUSIVE.

    `metric` is what a monitor reads it from, None for what steps measure.
    """

    name: Slug
    passes: Comparison
    fails: Comparison
    at_least: int = 1
    metric: Slug | None = Field(default=None, exclude_if=lambda metric: metric is None)

    def attained(self, value: float) -> float | None:
        """How much of its target a business KPI has reached, 1 for all of it: what passes is its target.

        None if it has none that can be reached in part.
        """
        target = self.passes.bound
        return value / target if self.metric and self.passes.operator != "==" and target > 0 else None


class CheckResult(Frozen):
    """One KPI judged, with the reason in words."""

    kpi: Slug
    verdict: Verdict
    reason: str


def judge(kpi: Kpi, readings: tuple[Reading, ...], why: str = "no reading") -> CheckResult:
    """Judge one KPI against the last reading of its name; `why` says why there might be none.

    Of an interval all has to pass, or all to fail: an effect whose interval holds a bound is not decided.
    """
    found = [reading for reading in readings if reading.name == kpi.name]
    if not found:
        return CheckResult(kpi=kpi.name, verdict=Verdict.INCONCLUSIVE, reason=why)
    reading = found[-1]
    if reading.count < kpi.at_least:
        reason = f"rests on {reading.count} observations, {kpi.at_least} are needed"
        return CheckResult(kpi=kpi.name, verdict=Verdict.INCONCLUSIVE, reason=reason)
    if kpi.fails.holds_for(reading):
        return CheckResult(kpi=kpi.name, verdict=Verdict.FAIL, reason=f"{reading} {kpi.fails}")
    if kpi.passes.holds_for(reading):
        return CheckResult(kpi=kpi.name, verdict=Verdict.PASS, reason=f"{reading} {kpi.passes}")
    reason = f"{reading} is neither {'all ' if reading.between else ''}{kpi.passes} nor {kpi.fails}"
    return CheckResult(kpi=kpi.name, verdict=Verdict.INCONCLUSIVE, reason=reason)


def combine(verdicts: tuple[Verdict, ...]) -> Verdict:
    """FAIL if any fails, else INCONCLUSIVE if any is, else PASS (also of nothing)."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASS
