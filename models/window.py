"""What a monitor reads from a window of production data, counted, beside the data that the version was trained on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

from models.evidence import Drawn, FeatureReport, GroupRate, GroupReport, PerformanceReport, WindowReport
from models.expectation import COMPARED, ESTIMATED, Expectation, Results, compare, estimate, figures_of, shift_by_chance
from models.inventory import DataContract
from models.statistics import distance, fairness, performance
from models.statistics.figures import Figure, Found, Result, Unmeasured, told
from models.statistics.importance import importance_shift
from models.statistics.score_counts import ScoreCounts
from models.statistics.score_drift import score_drift
from models.statistics.scores import Confusion, Scores
from models.statistics.tallies import Categories, Numbers
from models.verdict import Reading

Tally = Numbers | Categories
Groups = Mapping[str, Mapping[str, Confusion]]
"""By protected column and group, the decisions about those whose outcome is known."""


@dataclass(frozen=True)
class WindowTally:
    """A window, or a part of it: its inputs, how many cases were selected and had which score, and those whose outcome
    is known.
    """

    rows: int = 0
    inputs: Mapping[str, Tally] = field(default_factory=dict)
    selected: int = 0
    answered: ScoreCounts = field(default_factory=ScoreCounts)
    scores: Scores = field(default_factory=Scores)
    groups: Groups = field(default_factory=dict)

    def __add__(self, other: "WindowTally") -> "WindowTally":
        """Of both parts; ValueError if a column was counted over other bins."""
        return WindowTally(
            rows=self.rows + other.rows,
            inputs=add_columns(self.inputs, other.inputs),
            selected=self.selected + other.selected,
            answered=self.answered + other.answered,
            scores=self.scores + other.scores,
            groups={
                name: _add_groups(self.groups.get(name, {}), other.groups.get(name, {}))
                for name in dict.fromkeys((*self.groups, *other.groups))
            },
        )


class Importances(NamedTuple):
    """How much the score hangs on each input, 0 or more: on the held-out data, and on so many rows of the window."""

    held_out: Mapping[str, float]
    window: Mapping[str, float]
    rows: int


class Beside(NamedTuple):
    """What the held-out data of the version says for comparison, or in words why it does not."""

    expectation: Expectation | str
    importances: Importances | str


ALONE = Beside("there is no held-out data", "there is no held-out data")
"""Nothing to compare with."""


def add_columns(one: Mapping[str, Tally], other: Mapping[str, Tally]) -> Mapping[str, Tally]:
    """The tallies of the same columns of two parts; ValueError, TypeError if they do not fit."""
    return {**one, **{name: _sum(one[name], tally) if name in one else tally for name, tally in other.items()}}


def report_window(
    name: str,
    contract: DataContract,
    reference: Mapping[str, Tally],
    window: WindowTally,
    deciles: Mapping[str, Sequence[float]],
    beside: Beside = ALONE,
) -> WindowReport:
    """Every reading that can be made, and why the others cannot be. `deciles` are edges of the reference's columns."""
    importance = beside.importances
    features = tuple(
        _feature(column, reference[column], tally, deciles.get(column, ()), importance)
        for column, tally in window.inputs.items()
    )
    realised = figures_of(window.scores)
    estimated = _estimated(beside.expectation, window, contract)
    found = _finite(
        {
            **_drift(features),
            "drift_score": _score_drift(beside.expectation, window.answered),
            "live_selection_rate": told(performance.share(window.selected, window.rows, Unmeasured.EMPTY)),
            **{f"live_{name}": told(figure) for name, figure in realised.items()},
            **{f"estimated_{name}": figure for name, figure in estimated.items()},
            **_compared_with(beside.expectation, realised, window.scores),
            "importance_shift": _importance_shift(importance),
            **{reading: _over_columns(contract, window.groups, figure) for reading, figure in _FAIRNESS.items()},
        }
    )
    return WindowReport(
        window=name,
        rows=window.rows,
        readings=readings_of(found),
        psi={one.name: one.figures["drift"].value for one in features if "drift" in one.figures},
        features=features,
        groups=tuple(_groups(contract, window.groups)),
        unmeasured={reading: why for reading, why in found.items() if isinstance(why, str)},
        performance=tuple(_performance(beside.expectation, estimated, realised)),
        chance=None if isinstance(beside.expectation, str) else shift_by_chance(beside.expectation, window.scores),
    )


def readings_of(found: Found) -> tuple[Reading, ...]:
    """What was measured, as readings."""
    figures = ((name, figure) for name, figure in found.items() if isinstance(figure, Figure))
    return tuple(Reading(name=name, value=figure.value, count=figure.cases) for name, figure in figures)


def adverse_impact(contract: DataContract, groups: Groups) -> Figure | str:
    """The smallest of any protected column; the reason if there is none, or if one of them cannot be compared."""
    return _over_columns(contract, groups, fairness.adverse_impact)


def group_rates(groups: Groups) -> tuple[GroupRate, ...]:
    """Selection rate and size of every group of every column."""
    parts = (
        (column, name, fairness.rates_of(one).selected) for column, of in groups.items() for name, one in of.items()
    )
    return tuple(GroupRate(column=one, group=name, selected=part.share, count=part.of) for one, name, part in parts)


def _finite(found: Found) -> Found:
    """A reading is a finite number: of anything else it is said what it is."""
    return {
        name: f"it came out as {one.value}, which is no finite number"
        if isinstance(one, Figure) and not isfinite(one.value)
        else one
        for name, one in found.items()
    }


def _estimated(expectation: Expectation | str, window: WindowTally, contract: DataContract) -> Found:
    if isinstance(expectation, str):
        return dict.fromkeys(ESTIMATED, expectation)
    return estimate(expectation, window.answered, contract.threshold)


def _score_drift(expectation: Expectation | str, answered: ScoreCounts) -> Figure | str:
    return expectation if isinstance(expectation, str) else told(score_drift(expectation.answered, answered))


def _compared_with(expectation: Expectation | str, realised: Results, scores: Scores) -> Found:
    if isinstance(expectation, str):
        return dict.fromkeys(COMPARED, expectation)
    return compare(expectation, realised, scores)


def _importance_shift(importances: Importances | str) -> Figure | str:
    if isinstance(importances, str):
        return importances
    found = importance_shift(importances.held_out, importances.window)
    return told(found._replace(cases=importances.rows) if isinstance(found, Figure) else found)


def _performance(expectation: Expectation | str, estimated: Found, realised: Results) -> Iterator[PerformanceReport]:
    before = {} if isinstance(expectation, str) else expectation.figures
    for name, figure in realised.items():
        columns = (before.get(name), estimated.get(name), figure)
        values = [one.value if isinstance(one, Figure) else None for one in columns]
        yield PerformanceReport(name=name, held_out=values[0], estimated=values[1], realised=values[2])


def _feature(
    name: str, reference: Tally, window: Tally, deciles: Sequence[float], importances: Importances | str
) -> FeatureReport:
    found = dict(_distances(reference, window, deciles))
    drawn = {reading: one for reading, one in found.items() if isinstance(one, Figure)}
    return FeatureReport(
        name=name,
        rows=window.rows,
        figures={reading: Drawn(value=one.value, above=one.above) for reading, one in drawn.items()},
        unmeasured={reading: why for reading, why in found.items() if isinstance(why, Unmeasured)},
        importance=None if isinstance(importances, str) else (importances.held_out[name], importances.window[name]),
    )


def _distances(reference: Tally, window: Tally, deciles: Sequence[float]) -> Iterator[tuple[str, Result]]:
    yield "missing_share", distance.missing(window)
    yield "drift", _of_bins(distance.stability, distance.bins(reference, window, deciles))
    known = distance.bins(reference, window, deciles, missing=False)
    yield "drift_known", _of_bins(distance.stability, known)
    yield "drift_jensen_shannon", _of_bins(distance.jensen_shannon, known)
    if isinstance(reference, Numbers) and isinstance(window, Numbers):
        yield "drift_kolmogorov_smirnov", distance.kolmogorov_smirnov(reference, window)
        yield "drift_wasserstein", distance.normed_wasserstein(reference, window)
    if isinstance(reference, Categories) and isinstance(window, Categories):
        yield "drift_cramers_v", _of_bins(distance.cramers_v, known)
        yield "unseen_share", distance.unseen(reference, window)


def _drift(features: Sequence[FeatureReport]) -> Found:
    """The largest of any feature, or why there is none: a feature that should have the figure has not.

    A constant feature of the reference has no standard deviation: only what is measured in one leaves it out.
    """
    names = dict.fromkeys(name for one in features for name in (*one.figures, *one.unmeasured))
    return {name: _largest(name, [one for one in features if name in one.figures], features) for name in names}


def _largest(name: str, having: Sequence[FeatureReport], features: Sequence[FeatureReport]) -> Figure | str:
    faults = [(one.name, one.unmeasured[name]) for one in features if name in one.unmeasured]
    grave = [(feature, why) for feature, why in faults if why is not Unmeasured.NO_SPREAD]
    if grave or not having:
        feature, why = (grave or faults)[0]
        return f"{feature}: {why.sentence}"
    largest = max(having, key=lambda one: one.figures[name].value)
    return Figure(largest.figures[name].value, largest.rows, largest.figures[name].above)


def _over_columns(contract: DataContract, groups: Groups, figure: "OfGroups") -> Figure | str:
    """The worst of any protected column, resting on the smallest group of any."""
    if not contract.protected:
        return "the data contract protects no column"
    found = []
    for protected in contract.protected:
        rates = {name: fairness.rates_of(one) for name, one in groups.get(protected.column, {}).items()}
        result = figure(rates, protected.reference)
        if isinstance(result, Unmeasured):
            return f"{protected.column}: {result.sentence}"
        found.append(result)
    worst = min if figure is fairness.adverse_impact else max
    return Figure(worst(one.value for one in found), min(one.cases for one in found))


def _groups(contract: DataContract, groups: Groups) -> Iterator[GroupReport]:
    for protected in contract.protected:
        rates = {name: fairness.rates_of(one) for name, one in groups.get(protected.column, {}).items()}
        first = rates.get(protected.reference)
        for name, one in rates.items():
            compared = fairness.beside(one, first) if first else None
            ratio = compared.ratio if compared else None
            yield GroupReport(
                column=protected.column,
                group=name,
                selected=one.selected,
                true_positive=one.true_positive,
                false_positive=one.false_positive,
                ratio=ratio.value if ratio else None,
                ratio_between=ratio.interval if ratio and isfinite(ratio.interval.high) else None,
                apart=_apart(compared) if compared and name != protected.reference else {},
            )


def _apart(compared: fairness.Compared) -> dict[str, tuple[float, float, float]]:
    rates = {name: getattr(compared, name) for name in fairness.GroupRates._fields}
    return {name: (one.value, *one.interval) for name, one in rates.items() if one}


def _of_bins(
    figure: Callable[[list[int], list[int]], Result], counted: tuple[list[int], list[int]] | Unmeasured
) -> Result:
    return counted if isinstance(counted, Unmeasured) else figure(*counted)


def _sum(one: Tally, other: Tally) -> Tally:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one + other
    if isinstance(one, Categories) and isinstance(other, Categories):
        return one + other
    raise TypeError("a column of numbers and one of categories do not add up")


def _add_groups(one: Mapping[str, Confusion], other: Mapping[str, Confusion]) -> Mapping[str, Confusion]:
    return {name: one.get(name, Confusion()).plus(other.get(name, Confusion())) for name in sorted({*one, *other})}


OfGroups = Callable[[fairness.Groups, str], Result]

_FAIRNESS: Mapping[str, OfGroups] = {
    "live_adverse_impact": fairness.adverse_impact,
    "live_selection_difference": lambda groups, _: fairness.selection_difference(groups),
    "live_true_positive_difference": lambda groups, _: fairness.true_positive_difference(groups),
    "live_false_positive_difference": lambda groups, _: fairness.false_positive_difference(groups),
    "live_equalised_odds_difference": lambda groups, _: fairness.equalised_odds_difference(groups),
}
