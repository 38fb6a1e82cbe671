"""What became of cases, as CSV files that arrive in one folder per model."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from activities.adapters.csv_table import Table, read_tables
from models.errors import InvalidInputError
from models.inventory import Column, DataContract
from models.tally import Outcome

UNIT, VALUE = "unit", "value"
_AT_ONCE = 20_000
"""So many rows are in the memory."""


def outcome_files(folder: Path) -> Sequence[Path]:
    """The files of a folder, in the order of their names: a later row of a unit replaces an earlier one."""
    return [path for path in sorted(folder.glob("*.csv")) if not path.name.startswith(".")]


def read_outcomes(path: Path, contract: DataContract) -> Iterator[dict[str, Outcome]]:
    """The outcomes in a file by their unit, in parts; MissingColumnError, InvalidInputError.

    Columns: `unit` (a row without one is about nothing); the contract's label, 1 or 0, empty if it is not known yet;
    `value` and the protected ones, if they are there.
    """
    protected = [one.column for one in contract.protected]
    for table in read_tables(path, [UNIT, contract.label], [VALUE, *protected], _AT_ONCE):
        yield _outcomes(table, contract, [name for name in protected if name in table.cells])


def _outcomes(table: Table, contract: DataContract, protected: Sequence[str]) -> dict[str, Outcome]:
    labels = table.numbers(Column(name=contract.label)).tolist()
    if odd := [label for label in labels if not math.isnan(label) and label not in (0, 1)]:
        raise InvalidInputError(f"label '{contract.label}' of {table.path} must be 0 or 1; found {odd[0]:g}")
    values = table.numbers(Column(name=VALUE)).tolist() if VALUE in table.cells else [math.nan] * table.rows
    return {
        unit: Outcome(_known(label), _known(value), {name: table.cells[name][row] for name in protected})
        for row, (unit, label, value) in enumerate(zip(table.cells[UNIT], labels, values, strict=True))
        if unit
    }


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number
