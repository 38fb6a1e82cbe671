"""A window as a trainer gets it: the rows whose label is known, each with it. One part is in memory at a time."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from activities.adapters.csv_outcomes import UNIT
from activities.adapters.outcome_parts import MaturedPart, with_outcomes
from activities.adapters.window_parts import ArrowPart, columns_of, is_parquet, parts_of
from activities.window_ports import Beat
from models.inventory import DataContract


def write_labelled(path: Path, known: Path, contract: DataContract, target: Path, beat: Beat) -> None:
    """Write it in the window's own format: its columns but for `unit`, the label, the protected; InvalidInputError.

    What outcomes tell counts, and otherwise what the window says itself; rows without any label are left out.
    """
    own = columns_of(path)
    named = (contract.label, *(one.column for one in contract.protected))
    columns = [name for name in dict.fromkeys((*own, *named)) if name != UNIT]
    parts = with_outcomes(parts_of(path, own), known, contract)
    matured = (part for part in parts if isinstance(part, MaturedPart))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside, rows = target.with_suffix(f".{os.getpid()}.part"), 0
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            write = _write_parquet if is_parquet(path) else _write_csv
            for written in write(file, matured, columns):
                rows += written
                beat(f"{rows} rows have their label")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _write_csv(file: BinaryIO, parts: Iterable[MaturedPart], columns: Sequence[str]) -> Iterator[int]:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for part in parts:
        place = columns.index(part.label)
        cells = [_labels(part) if name == part.label else part.texts(name) for name in columns]
        rows = [row for row in zip(*cells, strict=True) if row[place].strip()]
        writer.writerows(rows)
        yield len(rows)
    text.flush()
    text.detach()


def _labels(part: MaturedPart) -> Sequence[str]:
    told = part.outcomes[part.label].to_numpy()
    own = part.part.texts(part.label) if part.label in part.part.header else [""] * part.rows
    return [said if np.isnan(one) else str(int(one)) for one, said in zip(told, own, strict=True)]


def _write_parquet(file: BinaryIO, parts: Iterable[MaturedPart], columns: Sequence[str]) -> Iterator[int]:
    writer: pq.ParquetWriter | None = None
    for part in parts:
        whole = pa.table({name: _array(part, name) for name in columns})
        rows = whole.filter(pc.is_valid(whole[part.label]))
        writer = writer or pq.ParquetWriter(file, rows.schema)
        writer.write_table(rows)
        yield rows.num_rows
    if writer:
        writer.close()


def _array(part: MaturedPart, name: str) -> pa.Array:
    own = part.part.columns.get(name) if isinstance(part.part, ArrowPart) else None
    if name != part.label:
        return own if name not in part.outcomes.column_names else pa.array(part.texts(name), pa.string())
    told = pa.array(part.outcomes[name].to_numpy(), from_pandas=True)
    if own is None:
        return told.cast(pa.int64())
    if pa.types.is_floating(own.type):
        own = pc.if_else(pc.is_nan(own), pa.scalar(None, own.type), own)
    return pc.coalesce(told.cast(own.type), own)
