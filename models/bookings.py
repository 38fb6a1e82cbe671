"""From entries of the value ledger to rows of it: one rule for whoever writes them and whoever tells them once more."""

from datetime import datetime

from models.inventory import Booked
from models.records import ValueRecord


def value_record(model: str, booked: Booked, revision: int, at: datetime) -> ValueRecord:
    """The row of an entry of the value ledger; `at` is when it was made."""
    return ValueRecord(model=model, **booked.model_dump(exclude={"change"}), revision=revision, at=at)


def says_otherwise(row: ValueRecord, booked: Booked) -> bool:
    """Whether an entry is corrected by what has been answered now."""
    return (row.worth, row.unit, row.amount, row.count) != booked.said
