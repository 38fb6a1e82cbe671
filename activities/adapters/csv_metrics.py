"""Metrics from CSV files that somebody writes or pushes: `FOLDER/METRIC/MODEL.csv`."""

from datetime import datetime
from pathlib import Path

from activities.adapters.csv_table import read_table
from models.canonical import Slug
from models.errors import InvalidInputError
from models.inventory import Column
from models.metrics import Measurement, Metric, Period, summed_up
from models.uplift import COLUMNS, compared

_AT, _VALUE, _COUNT = "at", "value", "count"


class CsvMetrics:
    """Fits `MetricsSource`. A later row of the same moment replaces an earlier one: so late values are corrected."""

    def __init__(self, source: Slug, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The sum, mean or last of the period's values, or the two groups of its last row; InvalidInputError."""
        path = self._folder / name / f"{model}.csv"
        if not path.is_file():
            raise InvalidInputError(f"metric '{name}' of source '{self._source}' is nowhere: there is no {path}")
        wanted = COLUMNS[metric.holdout] if metric.holdout else (_VALUE, _COUNT)
        table = read_table(path, [_AT, *wanted])
        columns = [table.numbers(Column(name=column)).tolist() for column in wanted]
        moments = [_moment(text, path) for text in table.cells[_AT]]
        rows = dict(zip(moments, zip(*columns, strict=True), strict=True))
        if not metric.holdout:
            return summed_up(name, metric, period, rows)
        last = max((moment for moment in rows if period.since <= moment < period.until), default=None)
        row = rows[last] if last else (None,) * len(wanted)
        return compared(name, metric, period, dict(zip(wanted, row, strict=True)))


def _moment(text: str, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError(f"'{text}' in {path} is no moment", "write it like 2026-11-20T08:00:00+00:00") from None
    if moment.tzinfo is None:
        raise InvalidInputError(f"'{text}' in {path} says no time zone", "write it like 2026-11-20T08:00:00+00:00")
    return moment
