"""What became of cases, as CSV files that arrive in one folder per model."""

import math
from collections.abc import Sequence
from pathlib import Path

from activities.adapters.csv_table import Table, read_table
from models.errors import InvalidInputError
from models.inventory import Column, DataContract
from models.tally import Outcome

UNIT, VALUE = "unit", "value"


def read_outcomes(folder: Path, contract: DataContract) -> dict[str, Outcome]:
    """The outcomes in all of a folder's `*.csv` by their unit; MissingColumnError, InvalidInputError.

    Columns: `unit`; the contract's label, 1 or 0, empty if it is not known yet; `value` and the protected ones, if they
    are there. Files are read in the order of their names; a later row of a unit replaces an earlier one.
    """
    outcomes: dict[str, Outcome] = {}
    protected = [one.column for one in contract.protected]
    for path in sorted(folder.glob("*.csv")):
        if not path.name.startswith("."):
            table = read_table(path, [UNIT, contract.label], welcome=[VALUE, *protected])
            outcomes |= _outcomes(table, contract, [name for name in protected if name in table.cells])
    return outcomes


def _outcomes(table: Table, contract: DataContract, protected: Sequence[str]) -> dict[str, Outcome]:
    labels = table.numbers(Column(name=contract.label)).tolist()
    if odd := [label for label in labels if not math.isnan(label) and label not in (0, 1)]:
        raise InvalidInputError(f"label '{contract.label}' of {table.path} must be 0 or 1; found {odd[0]:g}")
    values = table.numbers(Column(name=VALUE)).tolist() if VALUE in table.cells else [math.nan] * table.rows
    return {
        unit: Outcome(_known(label), _known(value), {name: table.cells[name][row] for name in protected})
        for row, (unit, label, value) in enumerate(zip(table.cells[UNIT], labels, values, strict=True))
    }


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number
