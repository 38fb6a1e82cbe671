"""Has a decision table answer rows: within the inference server and the evaluator alike, for it runs nothing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.decision_table import Cell, DecisionTable, decide
from models.errors import InvalidInputError

Column = NDArray[np.float64] | NDArray[np.object_]
"""Numbers, missing ones NaN, or texts, missing ones empty."""


def load_table(path: Path) -> DecisionTable:
    """The table in a file; InvalidInputError if it is none."""
    try:
        return DecisionTable.model_validate_json(path.read_bytes(), strict=True)
    except ValidationError as error:
        raise InvalidInputError(f"{path} is no decision table: {error.errors()[0]['msg']}") from None


def score_rows(table: DecisionTable, columns: Mapping[str, Column]) -> NDArray[np.float64]:
    """One score per row."""
    cells = {name: list(_cells(columns[name])) for name in table.columns}
    rows = range(len(next(iter(columns.values()))))
    return np.array([decide(table, {name: column[row] for name, column in cells.items()}) for row in rows])


def _cells(column: Sequence[float | str] | Column) -> Iterator[Cell]:
    for value in column:
        if isinstance(value, str):
            yield value or None
        else:
            yield None if np.isnan(value) else float(value)
