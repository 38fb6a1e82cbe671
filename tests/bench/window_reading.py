"""Reads one window of a kind and prints what it took: a process of its own, so that its peak memory is its own.

`python -m tests.bench.window_reading parquet|csv|query REFERENCE WINDOW COLUMNS`
"""

import json
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from activities.adapters.column_counters import count_columns, count_reference
from activities.adapters.window_parts import Part, parts_of, query_parts
from models.inventory import Column, DataContract
from models.window import WindowTally, report_window


def parts(kind: str, window: str, names: list[str]) -> Iterable[Part]:
    """The window, part by part."""
    if kind != "query":
        return parts_of(Path(window), names)
    return query_parts(sa.create_engine(window), "select * from cases", {}, names)


def main() -> None:
    """One pass over the window; the reference is a file of Parquet."""
    kind, reference, window, width = sys.argv[1:5]
    columns = tuple(Column(name=f"c{number}") for number in range(int(width)))
    names = [column.name for column in columns]
    contract = DataContract(inputs=columns, outputs=(Column(name="p"),), label="label")
    before = count_reference(lambda: parts_of(Path(reference), names), columns)
    started, now = time.perf_counter(), WindowTally()
    for part in parts(kind, window, names):
        now += WindowTally(rows=part.rows, inputs=count_columns(part, columns, before.edges))
    took = time.perf_counter() - started
    report = report_window("bench", contract, before.columns, now, before.deciles)
    figures = {name: one.value for name, one in report.features[0].figures.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": report.rows, "seconds": took, "peak": peak, "figures": figures}))


if __name__ == "__main__":
    main()
