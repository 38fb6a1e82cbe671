"""What a version must show in an environment before it serves there: rules over answers that were really given."""

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import Annotated, NamedTuple

from pydantic import Field

from models.answers import Answer, Asked, distance, misfits, read_answer
from models.canonical import Frozen
from models.inventory import DataContract, Environment
from models.observations import percentile
from models.verdict import Reading

Share = Annotated[float, Field(ge=0, le=1)]


class Validation(Frozen):
    """What an environment asks of a version.

    `latency_ms` bounds the 95th percentile of `requests` sample requests, one after the other, in milliseconds as the
    actuator sees them. `golden`: a bundle without golden predictions is turned away, too. `agreement` is the least
    share of rows to which champion and version give the same label, `difference` the largest distance of their scores;
    without them both are measured and nothing follows.
    """

    latency_ms: Annotated[float, Field(gt=0, le=3_600_000)] = 1_000
    requests: int = Field(default=20, ge=1, le=1_000)
    golden: bool = False
    agreement: Share | None = None
    difference: Share | None = None


class Golden(Frozen):
    """A request, the scores that the model gave where it was trained, and how far an answer may be from one."""

    request: str
    scores: tuple[float, ...] = Field(min_length=1)
    tolerance: float = Field(gt=0, le=1)


class Sample(Frozen):
    """What a bundle brings along to be asked: a request of some rows, and golden predictions if it has them."""

    request: str
    rows: int = Field(ge=1)
    golden: Golden | None = None


class Shown(NamedTuple):
    """What a version answered: the sample, each time that it was asked; the golden request; what the champion did.

    `champion` are its answers to the sample and to the golden request, if there is one; empty if it does not answer
    them; None if there is none to compare with.
    """

    sample: Sequence[Asked]
    golden: Asked | None = None
    champion: Sequence[Asked] | None = None


class ValidationReport(Frozen):
    """How a version answered where it was promoted to; `failures` are why it was turned away.

    Readings: `latency_p95` (milliseconds), `golden_difference` (largest distance from a golden prediction),
    `agreement` (share of rows with the champion's label), `score_difference` (largest distance from its score).
    """

    environment: Environment
    version: int
    champion: int | None = None
    readings: tuple[Reading, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line."""
        if self.failures:
            return f"validation in {self.environment}: {'; '.join(self.failures)}"
        told = ", ".join(f"{one.name.replace('_', ' ')} {one.value:.4g}" for one in self.readings)
        beside = f", beside version {self.champion}" if self.champion else ""
        return f"validated in {self.environment}: {told}{beside}"


def validate(asks: Validation, contract: DataContract, sample: Sample, shown: Shown) -> tuple[list[Reading], list[str]]:
    """The readings, and everything in which a version falls short of what an environment asks."""
    first, readings = read_answer(shown.sample[0].body), list[Reading]()
    failures = list(misfits(contract, first, sample.rows))
    readings.append(_latency(shown.sample))
    if readings[0].value > asks.latency_ms:
        failures.append(
            f"95 of 100 requests were answered within {readings[0].value:.4g} ms, the budget is {asks.latency_ms:g} ms"
        )
    if sample.golden and shown.golden:
        reading = _from_golden(sample.golden, read_answer(shown.golden.body))
        readings += [reading] if reading else []
        failures += _ungolden(sample.golden, reading)
    elif asks.golden:
        failures.append("the bundle has no golden predictions to compare with")
    answers = [shown.sample[0], *([shown.golden] if shown.golden else [])]
    compared = _beside(contract, answers, shown.champion or ())
    readings += compared
    failures += _apart(asks, compared, shown.champion is not None)
    return readings, failures


def _latency(asked: Sequence[Asked]) -> Reading:
    timed = asked[1:] or asked
    value = percentile([one.seconds for one in timed], 95) * 1_000
    return Reading(name="latency_p95", value=value, count=len(timed))


def _from_golden(golden: Golden, answer: Answer | None) -> Reading | None:
    apart = distance(golden.scores, answer.scores) if answer else inf
    return Reading(name="golden_difference", value=apart, count=len(golden.scores)) if isfinite(apart) else None


def _ungolden(golden: Golden, reading: Reading | None) -> Iterator[str]:
    if reading is None:
        yield "the golden request is not answered with a score for each row"
    elif not reading.value <= golden.tolerance:
        yield f"an answer is {reading.value:.3g} from its golden prediction, {golden.tolerance:g} is allowed"


def _beside(contract: DataContract, version: Sequence[Asked], champion: Sequence[Asked]) -> list[Reading]:
    """Agreement and distance over the rows of all requests; nothing unless both have answered all of them."""
    same, apart, rows = 0, 0.0, 0
    if len(version) != len(champion):
        return []
    for one, other in zip(version, champion, strict=True):
        ours, theirs = read_answer(one.body), read_answer(other.body)
        if ours is None or theirs is None or not isfinite(between := distance(ours.scores, theirs.scores)):
            return []
        same += sum(map(bool.__eq__, ours.labels(contract), theirs.labels(contract)))
        apart, rows = max(apart, between), rows + len(ours.scores)
    if not rows:
        return []
    return [
        Reading(name="agreement", value=same / rows, count=rows),
        Reading(name="score_difference", value=apart, count=rows),
    ]


def _apart(asks: Validation, compared: Sequence[Reading], has_champion: bool) -> Iterator[str]:
    if has_champion and not compared and (asks.agreement is not None or asks.difference is not None):
        yield "the champion does not answer the same requests, so that they cannot be compared"
    values = {one.name: one.value for one in compared}
    if asks.agreement is not None and values.get("agreement", 1) < asks.agreement:
        yield f"{values['agreement']:.1%} of rows have the champion's label, at least {asks.agreement:.1%} are asked"
    if asks.difference is not None and values.get("score_difference", 0) > asks.difference:
        yield f"a score is {values['score_difference']:.3g} from the champion's, {asks.difference:g} is allowed"
