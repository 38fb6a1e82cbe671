"""From what monitors found to rows of it: one rule for whoever writes them and whoever tells them once more."""

from collections.abc import Iterable
from datetime import datetime

from models.evidence import EffectKey, StepResult
from models.inventory import Change, Measured
from models.records import MeasurementRecord, ReadingRecord
from models.verdict import Verdict


def readings_of(
    key: EffectKey, result: StepResult, changes: Iterable[Change], version: int | None, at: datetime
) -> tuple[ReadingRecord, ...]:
    """What an effect read, the last value of each name; `version` is the one that it is about, `at` when it was."""
    seen = next((one for one in changes if isinstance(one, Measured)), None)
    return tuple(
        ReadingRecord(
            model=key.model,
            version=version,
            visit=key.visit,
            step=key.step,
            monitor=seen.monitor if seen else None,
            window=seen.window if seen else None,
            name=reading.name,
            value=reading.value,
            count=reading.count,
            at=at,
            low=reading.between[0] if reading.between else None,
            high=reading.between[1] if reading.between else None,
            moment=(seen.moment or at) if seen else at,
        )
        for reading in {one.name: one for one in result.readings}.values()
    )


def measurement_of(model: str, reign: int, change: Measured, at: datetime) -> MeasurementRecord:
    """The row of a first look at a window."""
    return MeasurementRecord(
        model=model,
        monitor=change.monitor,
        window=change.window,
        reign=reign,
        verdict=Verdict(change.verdict),
        reasons=list(change.reasons),
        at=at,
        moment=change.moment or at,
        outcomes=change.outcomes,
        looked=at,
        unmeasured=change.unmeasured,
    )


def look_again(known: MeasurementRecord, change: Measured, at: datetime) -> bool:
    """Have the row of a window say what another look found; False if it differs though nothing became known since."""
    if change.outcomes == known.outcomes:
        return (known.verdict, tuple(known.reasons)) == (change.verdict, change.reasons)
    known.verdict, known.reasons, known.unmeasured = Verdict(change.verdict), list(change.reasons), change.unmeasured
    known.outcomes, known.looks, known.looked = change.outcomes, known.looks + 1, at
    return True
