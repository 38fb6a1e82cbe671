"""A model in production, and what its monitors found: written as quickly as a storm is long."""

from datetime import datetime, timedelta

from sqlalchemy import create_engine, insert, select

from models.records import LifecycleRecord, MeasurementRecord
from models.verdict import Verdict

MONITOR = "drift"


def measured(
    url: str,
    model: str,
    verdicts: list[Verdict],
    since: datetime,
    monitor: str = MONITOR,
    looks: int = 1,
    unmeasured: bool = False,
) -> None:
    """A measurement a minute of the champion's present reign, after so many `looks` each; no entry of the trail."""
    engine = create_engine(url)
    with engine.begin() as connection:
        reign = connection.execute(select(LifecycleRecord.crowned).where(LifecycleRecord.model == model)).scalar_one()  # type: ignore[call-overload]
        rows = [
            {
                "model": model,
                "monitor": monitor,
                "window": f"{since:%d}-{number}",
                "reign": reign,
                "verdict": verdict,
                "reasons": [f"psi 0.{number} > 0.2"],
                "at": since + timedelta(minutes=number),
                "unmeasured": unmeasured,
                "moment": since + timedelta(minutes=number),
                "looks": looks,
            }
            for number, verdict in enumerate(verdicts)
        ]
        connection.execute(insert(MeasurementRecord), rows)
    engine.dispose()
