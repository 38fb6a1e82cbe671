"""Every figure of README.md: `python -m examples.flight_delay.figures [--years 100]`, from the project's root.

The champion of the first months on each month after them, its successor that was retrained on the month of the first
breach, and years without drift.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from activities.adapters.column_counters import DECILES, edges_of
from examples.flight_delay import data
from examples.flight_delay.train import INPUTS, LABEL, fit, scores_of
from models.statistics.distance import stability
from models.statistics.figures import Figure

QUIET_ROWS = 27_000
"""About as many flights as a month has whose outcome is known."""


class Watch:
    """A version, the data that it was trained on and those held out; gives the readings that its monitors judge."""

    def __init__(self, pipeline: Pipeline, training: pd.DataFrame, held_out: pd.DataFrame) -> None:
        self._pipeline = pipeline
        self._edges = {name: edges_of(training[name].to_numpy(dtype=float), DECILES) for name in INPUTS}
        unseen = scores_of(pipeline, held_out)
        self._edges["score"] = edges_of(unseen, DECILES)
        self._usual = self._counts(self._binned(training, scores_of(pipeline, training)))
        self._usual["score"] = self._counts(self._binned(held_out, unseen))["score"]

    def month(self, rows: pd.DataFrame) -> dict[str, float]:
        """`live_auc`, `drift` and `drift_score` of a month."""
        scores = scores_of(self._pipeline, rows)
        known = rows[LABEL].notna().to_numpy()
        area = roc_auc_score(rows[LABEL][known].astype(int), scores[known])
        return {"live_auc": float(area), **self._drift(self._counts(self._binned(rows, scores)))}

    def quiet(self, unseen: pd.DataFrame, months: int, seed: int) -> Iterator[dict[str, float]]:
        """The readings of months drawn from unseen flights: scored and put into bins once, and then counted."""
        scores, late = scores_of(self._pipeline, unseen), unseen[LABEL].to_numpy(dtype=float)
        binned, places = self._binned(unseen, scores), np.unique(scores, return_inverse=True)[1]
        generator = np.random.default_rng(seed)
        for _ in range(months):
            drawn = data.draw(len(unseen), QUIET_ROWS, generator)
            positives = np.bincount(places[drawn], weights=late[drawn])
            negatives = np.bincount(places[drawn], weights=1 - late[drawn])
            below = np.cumsum(negatives) - negatives / 2
            area = float(positives @ below / positives.sum() / negatives.sum())
            yield {"live_auc": area, **self._drift(self._counts({name: bins[drawn] for name, bins in binned.items()}))}

    def _binned(self, rows: pd.DataFrame, scores: np.ndarray) -> dict[str, np.ndarray]:
        values = {**{name: rows[name].to_numpy(dtype=float) for name in INPUTS}, "score": scores}
        return {name: np.searchsorted(np.asarray(edges), values[name]) for name, edges in self._edges.items()}

    def _counts(self, binned: dict[str, np.ndarray]) -> dict[str, list[int]]:
        return {name: np.bincount(bins, minlength=len(self._edges[name]) + 1).tolist() for name, bins in binned.items()}

    def _drift(self, now: dict[str, list[int]]) -> dict[str, float]:
        found = {name: _index(self._usual[name], counts) for name, counts in now.items()}
        return {"drift_score": found.pop("score"), "drift": max(found.values())}


def _index(before: Sequence[int], now: Sequence[int]) -> float:
    found = stability(before, now)
    if not isinstance(found, Figure):
        raise TypeError(found.sentence)
    return found.value


def retrained(training: pd.DataFrame, window: pd.DataFrame) -> pd.DataFrame:
    """What the trainer makes of both."""
    return pd.concat([training, window], ignore_index=True).dropna(subset=[LABEL])


def table(watch: Watch, parts: dict[str, pd.DataFrame], months: Sequence[int]) -> pd.DataFrame:
    """The readings of months, one row for each."""
    return pd.DataFrame({month: watch.month(parts[f"{month:02}"]) for month in months}).T


def main() -> None:
    """Print the year under the first version and under the retrained one, then the years without drift."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--breach", type=int, default=8, help="the month of the first breach")
    chosen = parser.parse_args()
    parts = data.split(data.load(), data.SEED)
    both = retrained(parts["training"], parts[f"{chosen.breach:02}"])
    for rows, months in ((parts["training"], data.MONTHS), (both, range(chosen.breach + 1, 13))):
        pipeline = fit(rows)
        print(f"\ntrained on {len(rows)} flights; AUC on {len(parts['holdout'])} held out: ", end="")
        print(f"{roc_auc_score(parts['holdout'][LABEL].astype(int), scores_of(pipeline, parts['holdout'])):.4f}")
        print(table(Watch(pipeline, rows, parts["holdout"]), parts, months).to_string(float_format="{:.4f}".format))
    watch = Watch(fit(parts["training"]), parts["training"], parts["holdout"])
    quiet = pd.DataFrame(watch.quiet(parts["holdout"], chosen.years * 12, data.SEED))
    print(f"\n{len(quiet)} months without drift")
    print(quiet.describe().loc[["min", "mean", "std", "max"]].to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
