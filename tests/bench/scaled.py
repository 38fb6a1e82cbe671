"""The statistics vectors, scaled up: windows of many rows in files of Parquet, the same each time.

Each column is drawn from its column of the vectors, twice over so that there are twenty. Numbers that are no whole ones
are moved a little, by a hundredth of their spread, so that a million rows have as many values as a million cases would.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

VECTORS = Path(__file__).parents[1] / "unit" / "vectors"
WINDOWS = ("reference", "current")
NUMBERS = ("normal", "skew", "zero_inflated", "with_nulls", "one_outlier", "low_int", "score")
CATEGORIES = ("cat", "cat_unseen", "cat_nulls")
COPIES = ("", "_2")
_AS_THEY_ARE = ("low_int",)
_MOVED_BY = 0.01


def names(of: tuple[str, ...]) -> list[str]:
    """Columns of a kind, with their copies."""
    return [f"{name}{copy}" for copy in COPIES for name in of]


def write_windows(folder: Path, rows: int) -> dict[str, Path]:
    """Twenty columns for drift: by window, its file."""
    vectors, random = pd.read_csv(VECTORS / "drift.csv"), np.random.default_rng(11)
    found = {}
    for window in WINDOWS:
        of = vectors[vectors["window"] == window]
        columns: dict[str, pa.Array] = {}
        for copy in COPIES:
            drawn = of.iloc[random.integers(0, len(of), rows)]
            columns |= {f"{name}{copy}": _numbers(drawn[name].to_numpy(float), name, random) for name in NUMBERS}
            columns |= {f"{name}{copy}": pa.array(drawn[name], from_pandas=True) for name in CATEGORIES}
        found[window] = folder / f"{window}.parquet"
        pq.write_table(pa.table(columns), found[window])
    return found


def write_decisions(folder: Path, rows: int) -> dict[str, Path]:
    """Scores, decisions and what became of the cases: by window, its file."""
    vectors, random = pd.read_csv(VECTORS / "performance.csv"), np.random.default_rng(12)
    found = {}
    for window in WINDOWS:
        of = vectors[vectors["window"] == window]
        drawn = of.iloc[random.integers(0, len(of), rows)][["score", "prediction", "label"]]
        moved = drawn["score"] + random.normal(0.0, _MOVED_BY, rows)
        drawn = drawn.assign(score=moved.clip(0.0001, 0.9999).round(4))
        found[window] = folder / f"decisions-{window}.parquet"
        pq.write_table(pa.Table.from_pandas(drawn, preserve_index=False), found[window])
    return found


def _numbers(values: NDArray[np.float64], name: str, random: np.random.Generator) -> pa.Array:
    if name in _AS_THEY_ARE:
        return pa.array(values, from_pandas=True)
    spread = np.nanquantile(values, 0.75) - np.nanquantile(values, 0.25)
    moved = values + np.where(values == 0, 0.0, random.normal(0.0, _MOVED_BY * spread, values.size))
    return pa.array(moved, from_pandas=True)
