"""Measures one window from end to end and prints what it took: a process of its own, so that its peak memory is, too.

`python -m tests.bench.window_measuring FOLDER REFERENCE COLUMNS file PATH`, `... sql URL`, or `... pandas PATH`, which
reads all of it and no more.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import pandas as pd

from models.inventory import Column, DataContract
from models.verdict import Kpi
from tests.watched_model import DAY, WatchedModel

KPIS = (Kpi(name="drift", passes="< 0.2", fails=">= 0.2"),)
QUERY = "SELECT * FROM cases WHERE :since < :until"


def main() -> None:
    """One look of a monitor, with everything that it keeps."""
    folder, reference, width, kind, place = sys.argv[1:6]
    started = time.perf_counter()
    rows = _read(Path(place)) if kind == "pandas" else _measure(Path(folder), Path(reference), int(width), kind, place)
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": rows, "seconds": took, "peak": peak}))


def _read(path: Path) -> int:
    return len(pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path))


def _measure(folder: Path, reference: Path, width: int, kind: str, place: str) -> int:
    os.environ["WAREHOUSE"] = place
    question = {"kind": "sql", "url": {"env": "WAREHOUSE"}, "query": QUERY, "within": 1_200}
    inputs = tuple(Column(name=f"c{number}") for number in range(width))
    contract = DataContract(inputs=inputs, outputs=(Column(name="score"),), label="label")
    said = question if kind == "sql" else None
    training = folder / "training.parquet"
    os.link(reference, training)
    model = WatchedModel(folder, said=said, kpis=KPIS, training=training, contract=contract)
    if kind == "file":
        os.link(place, model.folder / Path(place).name)
        os.utime(place)
    outcome = model.look(after=DAY)
    if not outcome.result.evidence:
        sys.exit(outcome.result.summary)
    report = model.report(outcome)
    model.close()
    return report.rows


if __name__ == "__main__":
    main()
