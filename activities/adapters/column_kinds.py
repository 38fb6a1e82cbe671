"""What the columns of a window hold, whether or not it can be measured otherwise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from activities.adapters.csv_table import Values, read_tables
from activities.adapters.window_parts import Part, parts_of
from models.errors import InvalidInputError, UnmeasuredError
from models.inventory import Column, DataContract
from models.schema import Columns
from models.statistics.figures import Unmeasured

_PARQUET = (".parquet", ".pq")


def header_of(path: Path) -> Sequence[str]:
    """The names of all columns; InvalidInputError."""
    if path.suffix.lower() in _PARQUET:
        return _schema_of(path).names  # type: ignore[no-any-return]
    return next(read_tables(path, (), (), 1)).header


def columns_of(path: Path, contract: DataContract) -> Columns:
    """The columns of a file, and what is strange about its inputs, read part by part; InvalidInputError."""
    header = header_of(path)
    inputs = [column for column in contract.inputs if column.name in header]
    numbers = [column for column in inputs if column.type != "string"]
    strange = _strange_texts(path, [column for column in inputs if column.type == "string"])
    for part in parts_of(path, [column.name for column in numbers]) if numbers else ():
        for column in numbers:
            if column.name not in strange and (found := _found(part, column)):
                strange[column.name] = found
    return Columns(header, strange)


def _schema_of(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except pa.ArrowException as error:
        raise UnmeasuredError(Unmeasured.UNREADABLE, f"{path} is not a Parquet file: {error}") from error


def _strange_texts(path: Path, texts: Sequence[Column]) -> dict[str, str]:
    """Texts that are no texts: a CSV file does not tell."""
    if path.suffix.lower() not in _PARQUET:
        return {}
    schema = _schema_of(path)
    kinds = {column.name: schema.field(column.name).type for column in texts}
    return {name: f"column '{name}' is of type {kind}" for name, kind in kinds.items() if not _textual(kind)}


def _textual(kind: pa.DataType) -> bool:
    types = pa.types
    inner = kind.value_type if types.is_dictionary(kind) else kind
    return any(fits(inner) for fits in (types.is_string, types.is_large_string, types.is_string_view, types.is_null))


def _found(part: Part, column: Column) -> str | None:
    """What a column of numbers holds beside them; NaN and infinite values are another fault than another type."""
    try:
        values = part.numbers(column)
    except UnmeasuredError as error:
        return str(error) if error.state is Unmeasured.OTHER_TYPE else None
    except InvalidInputError as error:
        return str(error)
    return _beside_the_point(values[~np.isnan(values)], column)


def _beside_the_point(values: Values, column: Column) -> str | None:
    if column.type == "integer":
        wrong = values[values != np.floor(values)]
    else:
        wrong = np.setdiff1d(values, [0, 1]) if column.type == "boolean" else values[:0]
    return f"column '{column.name}' holds {wrong[0]:g}, which is no {column.type}" if wrong.size else None
