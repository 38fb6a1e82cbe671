"""Our figures of a window beside its reference, and what they took: a process of its own, for its own peak memory.

`python -m tests.bench.drift_reading drift|decisions REFERENCE WINDOW` prints JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from activities.adapters.column_counters import count_columns, count_reference, count_scores
from activities.adapters.window_parts import Part, parts_of
from models.inventory import Column, DataContract
from models.statistics import estimation, performance
from models.statistics.calibration import Calibration, calibrate
from models.statistics.figures import Figure, Result
from models.statistics.scores import Scores
from models.window import WindowTally, report_window
from tests.bench.scaled import CATEGORIES, NUMBERS, names

Figures = dict[str, dict[str, float]]


def drift(reference: Path, window: Path) -> tuple[Figures, float]:
    """Figures by column, and the seconds of the processor that the window took, its reference being known."""
    columns = tuple(Column(name=name, type="number") for name in names(NUMBERS))
    columns += tuple(Column(name=name, type="string") for name in names(CATEGORIES))
    needed = [column.name for column in columns]
    contract = DataContract(inputs=columns, outputs=(Column(name="p"),), label="label")
    before = count_reference(lambda: parts_of(reference, needed), columns)
    began, now = time.process_time(), WindowTally()
    for part in parts_of(window, needed):
        now += WindowTally(rows=part.rows, inputs=count_columns(part, columns, before.edges))
    report = report_window("bench", contract, before.columns, now, before.deciles)
    took = time.process_time() - began
    return {one.name: {name: drawn.value for name, drawn in one.figures.items()} for one in report.features}, took


def decisions(reference: Path, window: Path) -> tuple[Figures, float]:
    """The area under the curve: as estimated without outcomes, and as it really was."""
    before = _scores(parts_of(reference, ["score", "label"]))
    began, now = time.process_time(), _scores(parts_of(window, ["score", "label"]))
    calibration = calibrate(before)
    if not isinstance(calibration, Calibration):
        raise AssertionError(calibration)
    cases = _cases(window)
    found = {"estimated": estimation.expected_area(cases, calibration), "real": performance.area_under_curve(now)}
    return {"auc": {name: _value(one) for name, one in found.items()}}, time.process_time() - began


def _cases(window: Path) -> dict[float, int]:
    counted: dict[float, int] = {}
    for batch in pq.ParquetFile(window).iter_batches(columns=["score"]):
        for one in batch.column("score").value_counts().to_pylist():
            counted[one["values"]] = counted.get(one["values"], 0) + one["counts"]
    return counted


def _scores(parts: Iterator[Part]) -> Scores:
    score, label, found = Column(name="score"), Column(name="label"), Scores()
    for part in parts:
        found += count_scores(part.numbers(score), part.numbers(label), 0.5)
    return found


def _value(found: Result) -> float:
    if not isinstance(found, Figure):
        raise AssertionError(found)
    return found.value


def main(arguments: Sequence[str]) -> None:
    """Whatever is asked."""
    kind, reference, window = arguments
    wall, cpu = time.perf_counter(), time.process_time()
    figures, window_took = {"drift": drift, "decisions": decisions}[kind](Path(reference), Path(window))
    took = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "window": window_took}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"figures": figures, "version": "", "peak": peak, **took}))


if __name__ == "__main__":
    main(sys.argv[1:])
