"""Metrics from CSV files that somebody writes or pushes: `FOLDER/METRIC/MODEL.csv`."""

from datetime import datetime
from pathlib import Path

from activities.adapters.csv_table import read_table
from models.canonical import Slug
from models.errors import InvalidInputError
from models.inventory import Column
from models.metrics import Measurement, Metric, Period, measured

_AT, _VALUE, _COUNT = "at", "value", "count"
_WAYS = ("sum", "mean", "last")


class CsvMetrics:
    """Fits `MetricsSource`. A later row of the same moment replaces an earlier one: so late values are corrected."""

    def __init__(self, source: Slug, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def read(self, name: Slug, metric: Metric, model: Slug, version: int, period: Period) -> Measurement:
        """The sum, the mean or the last of the values in the period; InvalidInputError."""
        if metric.query not in _WAYS:
            raise InvalidInputError(f"metric '{name}' asks for '{metric.query}'", f"ask for {', '.join(_WAYS)}")
        path = self._folder / name / f"{model}.csv"
        if not path.is_file():
            raise InvalidInputError(f"metric '{name}' of source '{self._source}' is nowhere: there is no {path}")
        table = read_table(path, [_AT, _VALUE, _COUNT])
        values, counts = (table.numbers(Column(name=column)).tolist() for column in (_VALUE, _COUNT))
        moments = [_moment(text, path) for text in table.cells[_AT]]
        found = {
            moment: (value, count)
            for moment, value, count in zip(moments, values, counts, strict=True)
            if period.since <= moment < period.until
        }
        if not found:
            return measured(name, metric, period, None, 0)
        kept, total = [value for value, _ in found.values()], sum(count for _, count in found.values())
        value = {"sum": sum(kept), "mean": sum(kept) / len(kept), "last": found[max(found)][0]}[metric.query]
        return measured(name, metric, period, value, total)


def _moment(text: str, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError(f"'{text}' in {path} is no moment", "write it like 2026-11-20T08:00:00+00:00") from None
    if moment.tzinfo is None:
        raise InvalidInputError(f"'{text}' in {path} says no time zone", "write it like 2026-11-20T08:00:00+00:00")
    return moment
