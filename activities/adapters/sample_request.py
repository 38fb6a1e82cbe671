"""The sample request of a bundle: real rows that the version must be able to answer, wherever it is deployed."""

import math
from pathlib import Path

from activities.adapters.csv_table import Table, read_table
from models.canonical import Frozen
from models.inventory import Column, DataContract

SAMPLE_ROWS = 5
"""Enough to prove that the model answers."""


class SampleTensor(Frozen):
    """Values of the Open Inference Protocol v2, row by row; a missing number is null."""

    name: str = "input"
    shape: tuple[int, ...]
    datatype: str = "FP64"
    data: tuple[float | str | None, ...]


class SampleRequest(Frozen):
    """An inference request of the Open Inference Protocol v2: one tensor, or one for each column if one is of texts."""

    inputs: tuple[SampleTensor, ...]


def sample_of(holdout: Path, contract: DataContract) -> SampleRequest:
    """The first rows of the hold-out data, inputs alone: no label and no protected column leaves it."""
    table = read_table(holdout, [column.name for column in contract.inputs], at_most=SAMPLE_ROWS)
    if any(column.type == "string" for column in contract.inputs):
        return SampleRequest(inputs=tuple(_tensor(table, column) for column in contract.inputs))
    rows = table.inputs(contract)
    flat = tuple(_known(value) for value in rows.ravel().tolist())
    return SampleRequest(inputs=(SampleTensor(shape=rows.shape, data=flat),))


def _tensor(table: Table, column: Column) -> SampleTensor:
    shape = (table.rows,)
    if column.type == "string":
        return SampleTensor(name=column.name, shape=shape, datatype="BYTES", data=tuple(table.cells[column.name]))
    numbers = tuple(_known(value) for value in table.numbers(column).tolist())
    return SampleTensor(name=column.name, shape=shape, data=numbers)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
