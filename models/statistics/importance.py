"""Whether a model still decides by the same features."""

from collections.abc import Mapping
from math import log2

from models.statistics.figures import Figure, Result, Unmeasured


def importance_rank(reference: Mapping[str, float], window: Mapping[str, float]) -> Result:
    """Normalised discounted cumulative gain of the features' order, from over 0 to 1; 1 if they are in the same order.

    Importances are 0 or more, such as the mean absolute Shapley values of a window. The reference's are gained in the
    window's order, each divided by `log2(1 + rank)`, and compared with what their own order gains. Features that the
    window finds equally important gain their mean. A feature that only one of both knows has importance 0 in the
    other. Sources: Järvelin and Kekäläinen 2002, ACM Transactions on Information Systems 20(4); Amazon SageMaker Model
    Monitor, feature attribution drift.
    """
    names = {*reference, *window}
    if any(value < 0 for value in (*reference.values(), *window.values())):
        raise ValueError("an importance is 0 or more")
    gains = {name: reference.get(name, 0.0) for name in names}
    best = _gained(gains, gains)
    if not best or not any(window.values()):
        return Unmeasured.NO_IMPORTANCE
    return Figure(_gained(gains, {name: window.get(name, 0.0) for name in names}) / best, len(names))


def importance_shift(reference: Mapping[str, float], window: Mapping[str, float]) -> Result:
    """How far the order of the features has moved: 1 less their `importance_rank`, so 0 if they are in the same order.

    Of a single feature there is no order. Amazon SageMaker Model Monitor warns from 0.1 on.
    """
    if len({*reference, *window}) < 2:
        return Unmeasured.ONE_FEATURE
    rank = importance_rank(reference, window)
    return Figure(min(max(1 - rank.value, 0.0), 1.0), rank.cases) if isinstance(rank, Figure) else rank


def _gained(gains: Mapping[str, float], order: Mapping[str, float]) -> float:
    levels: dict[float, list[float]] = {}
    for name, value in order.items():
        levels.setdefault(value, []).append(gains[name])
    gained, rank = 0.0, 1
    for _, level in sorted(levels.items(), reverse=True):
        discount = sum(1 / log2(1 + place) for place in range(rank, rank + len(level)))
        gained += discount * sum(level) / len(level)
        rank += len(level)
    return gained
