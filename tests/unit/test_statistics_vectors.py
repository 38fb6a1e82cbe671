"""Every figure that nine libraries computed on the same data is ours too, or is named as another convention."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from activities.adapters.column_counters import (
    DECILES,
    FINE,
    count_categories,
    count_groups,
    count_numbers,
    count_scores,
    edges_of,
)
from models.statistics import distance, estimation, fairness, performance
from models.statistics.calibration import Calibration, calibrate
from models.statistics.figures import Figure
from models.statistics.scores import Confusion, Scores
from models.statistics.tallies import Categories, Numbers

VECTORS = Path(__file__).parent / "vectors"
DRIFT = pd.read_csv(VECTORS / "drift.csv", keep_default_na=True)
LIVE = pd.read_csv(VECTORS / "performance.csv")
REFERENCES = {"race": "white", "sex": "M"}
EXACT, SINGLE = 1e-12, 1e-7
"""Tolerances: of numbers of 64 bits, and of a library that computes with 32."""


def figure(found: object) -> float:
    assert isinstance(found, Figure), found
    return found.value


def columns(column: str) -> tuple[pd.Series, pd.Series]:
    """The reference's and the window's."""
    return tuple(DRIFT.loc[DRIFT["window"] == name, column] for name in ("reference", "current"))  # type: ignore[return-value]


@cache
def numbers(column: str) -> tuple[Numbers, Numbers]:
    """Tallies over bins so fine that each holds one value: then nothing is left open."""
    before, now = (one.to_numpy(float) for one in columns(column))
    both = np.unique(np.concatenate([before, now]))
    edges = both[~np.isnan(both)].tolist()
    return count_numbers(before, edges), count_numbers(now, edges)


@cache
def deciles(column: str) -> tuple[Numbers, Numbers]:
    before, now = (one.to_numpy(float) for one in columns(column))
    edges = edges_of(before, DECILES)
    return count_numbers(before, edges), count_numbers(now, edges)


@cache
def categories(column: str) -> tuple[Categories, Categories]:
    before, now = (["" if pd.isna(cell) else cell for cell in one] for one in columns(column))
    return count_categories(before), count_categories(now)


def bins(column: str, missing: bool) -> tuple[list[int], list[int]]:
    if column.startswith("cat"):
        found = distance.bins(*categories(column), missing=missing)
    else:
        before, now = deciles(column)
        found = distance.bins(before, now, before.edges, missing)
    assert isinstance(found, tuple)
    return found


def psi(column: str) -> float:
    return figure(distance.stability(*bins(column, missing=False)))


def psi_with_missing(column: str) -> float:
    return figure(distance.stability(*bins(column, missing=True)))


def jensen_shannon(column: str) -> float:
    return figure(distance.jensen_shannon(*bins(column, missing=False)))


def chi_square(column: str) -> float:
    return figure(distance.chi_square(*bins(column, missing=False)))


def cramers_v(column: str) -> float:
    return figure(distance.cramers_v(*bins(column, missing=False)))


def ks(column: str) -> float:
    return figure(distance.kolmogorov_smirnov(*numbers(column)))


def wasserstein(column: str) -> float:
    return figure(distance.wasserstein(*numbers(column)))


def normed_wasserstein(column: str) -> float:
    return figure(distance.normed_wasserstein(*numbers(column)))


def jensen_shannon_in_nats(column: str) -> float:
    return jensen_shannon(column) * sqrt(log(2))


def average_odds(pair: str) -> float:
    return (difference("true_positive")(pair) + difference("false_positive")(pair)) / 2


def edges(column: str) -> list[float]:
    """Without the extra edges that give a value which holds several deciles a bin of its own."""
    found = deciles(column)[0].edges
    return [edge for edge in found if np.nextafter(edge, np.inf) not in found]


def binned(place: int) -> Callable[[str], list[int]]:
    def count(column: str) -> list[int]:
        if column.startswith("cat"):
            return bins(column, missing=False)[place]
        return list(deciles(column)[place].within(edges(column)))

    return count


def deviation(column: str) -> float:
    return numbers(column)[0].moments.deviation


def counted(place: int) -> Callable[[str], float]:
    def count(column: str) -> float:
        return [tally.missing for tally in categories(column)][place]

    return count


def live(window: str) -> pd.DataFrame:
    return LIVE[LIVE["window"] == window]


@cache
def scores(window: str = "current") -> Scores:
    rows = live(window)
    found = count_scores(rows["score"].to_numpy(float), rows["label"].to_numpy(float), 0.5)
    return found


@cache
def decided() -> Confusion:
    """As the vectors' column of decisions says, which is not everywhere the score at a threshold."""
    rows = live("current")
    (decisions,) = count_groups(
        ["all"] * len(rows), *(rows[name].to_numpy() == 1 for name in ("prediction", "label"))
    ).values()
    return decisions


@cache
def groups(column: str) -> fairness.Groups:
    rows = live("current")
    counts = count_groups(rows[column].tolist(), *(rows[name].to_numpy() == 1 for name in ("prediction", "label")))
    return {name: fairness.rates_of(one) for name, one in counts.items()}


def beside(pair: str) -> fairness.Compared:
    column, names = pair.split(":")
    group, reference = names.split(" vs ")
    return fairness.beside(groups(column)[group], groups(column)[reference])


def difference(rate: str) -> Callable[[str], float]:
    def compare(pair: str) -> float:
        return getattr(beside(pair), rate).value  # type: ignore[no-any-return]

    return compare


def selection_rate(pair: str) -> float:
    column, names = pair.split(":")
    return groups(column)[names.split(" vs ")[0]].selected.share


def by_group(rate: str) -> Callable[[str, str], float]:
    def read(column: str, group: str) -> float:
        return getattr(groups(column)[group], rate).share  # type: ignore[no-any-return]

    return read


def group_size(column: str, group: str) -> float:
    return groups(column)[group].selected.of


def over_groups(function: Callable[[fairness.Groups], object]) -> Callable[[str], float]:
    return lambda column: figure(function(groups(column)))


def impact(column: str) -> float:
    return figure(fairness.adverse_impact(groups(column), REFERENCES[column]))


def of_scores(function: Callable[[Scores], object]) -> Callable[[], float]:
    return lambda: figure(function(scores()))


def of_decisions(function: Callable[[Confusion], object]) -> Callable[[], float]:
    return lambda: figure(function(decided()))


@cache
def calibration() -> Calibration:
    found = calibrate(scores("reference"))
    assert isinstance(found, Calibration)
    return found


def counts_of(rows: pd.DataFrame) -> dict[float, int]:
    return {float(score): int(count) for score, count in rows["score"].value_counts().items()}  # type: ignore[arg-type]


def expected(function: Callable[[Confusion], object]) -> Callable[[], float]:
    """As nannyml was given the vectors' decisions: those with each decision are estimated by themselves."""

    def estimate() -> float:
        rows = live("current")
        those = [counts_of(rows[rows["prediction"] == decision]) for decision in (1, 0)]
        selected = estimation.expected_decisions(those[0], 0.0, calibration())
        others = estimation.expected_decisions(those[1], 2.0, calibration())
        return figure(function(selected.plus(others)))

    return estimate


def expected_area() -> float:
    return figure(estimation.expected_area(counts_of(live("current")), calibration()))


class Ours(NamedTuple):
    """What we say of it, given the stars of the pattern, and how near it has to be."""

    say: Callable[..., float | list[int] | list[float]]
    tolerance: float = EXACT


OURS = {
    "scipy/*/ks_statistic": Ours(ks),
    "deepchecks/*/ks": Ours(ks),
    "nannyml/*/kolmogorov_smirnov": Ours(ks),
    "alibi/*/ks": Ours(ks, SINGLE),
    "frouros/*/ks": Ours(ks),
    "scipy/*/wasserstein": Ours(wasserstein, 1e-10),
    "nannyml/*/wasserstein": Ours(wasserstein, 1e-10),
    "frouros/*/emd": Ours(wasserstein, 1e-10),
    "scipy/*/wasserstein_normed": Ours(normed_wasserstein, 1e-10),
    "evidently/*/wasserstein": Ours(normed_wasserstein, 1e-10),
    "scipy/*/ref_std_ddof0": Ours(deviation, 1e-9),
    "scipy/*/psi_decile_nonnull": Ours(psi),
    "scipy/*/psi_decile_zero_only": Ours(psi),
    "scipy/*/psi_decile_with_null_bin": Ours(psi_with_missing),
    "scipy/cat*/psi": Ours(lambda rest: psi(f"cat{rest}")),
    "scipy/*/psi_with_null_bin": Ours(psi_with_missing),
    "evidently/cat*/psi": Ours(lambda rest: psi(f"cat{rest}")),
    "feature-engine/*/psi": Ours(psi),
    "deepchecks/*/psi_floor_0_01": Ours(psi),
    "scipy/*/js_distance_base2_decile": Ours(jensen_shannon),
    "scipy/*/js_distance_base2": Ours(jensen_shannon),
    "scipy/*/js_distance_natural": Ours(jensen_shannon_in_nats),
    "evidently/cat*/jensenshannon": Ours(lambda rest: jensen_shannon_in_nats(f"cat{rest}")),
    "nannyml/cat*/jensen_shannon": Ours(lambda rest: jensen_shannon(f"cat{rest}")),
    "scipy/*/chi2": Ours(chi_square, 1e-10),
    "nannyml/*/chi2": Ours(chi_square, 1e-10),
    "frouros/*/chi2": Ours(chi_square, 1e-10),
    "alibi/*/chi2": Ours(chi_square, 1e-5),
    "deepchecks/*/cramers_v": Ours(cramers_v),
    "scipy/*/decile_edges": Ours(edges),
    "scipy/*/ref_counts": Ours(binned(0)),
    "scipy/*/cur_counts": Ours(binned(1)),
    "scipy/*/ref_nulls": Ours(counted(0)),
    "scipy/*/cur_nulls": Ours(counted(1)),
    "aif360/*/disparate_impact": Ours(difference("ratio")),
    "aif360/*/statistical_parity_difference": Ours(difference("selected")),
    "aif360/*/equal_opportunity_difference": Ours(difference("true_positive")),
    "aif360/*/average_odds_difference": Ours(average_odds),
    "aif360/*/fpr_difference": Ours(difference("false_positive")),
    "aif360/*/selection_rate": Ours(selection_rate),
    "fairlearn/*/by_group/*/n": Ours(group_size),
    "fairlearn/*/by_group/*/sel": Ours(by_group("selected")),
    "fairlearn/*/by_group/*/tpr": Ours(by_group("true_positive")),
    "fairlearn/*/by_group/*/fpr": Ours(by_group("false_positive")),
    "fairlearn/*/demographic_parity_ratio": Ours(impact),
    "fairlearn/*/demographic_parity_difference": Ours(over_groups(fairness.selection_difference)),
    "fairlearn/*/equalized_odds_difference": Ours(over_groups(fairness.equalised_odds_difference)),
    "fairlearn/*/equal_opportunity_difference": Ours(over_groups(fairness.true_positive_difference)),
    "fairlearn/performance/roc_auc": Ours(of_scores(performance.area_under_curve)),
    "fairlearn/performance/accuracy": Ours(of_decisions(performance.accuracy)),
    "fairlearn/performance/precision": Ours(of_decisions(performance.precision)),
    "fairlearn/performance/recall": Ours(of_decisions(performance.recall)),
    "fairlearn/performance/f1": Ours(of_decisions(performance.f1)),
    "fairlearn/performance/brier": Ours(of_scores(performance.brier)),
    "fairlearn/performance/log_loss": Ours(of_scores(performance.log_loss)),
    "fairlearn/performance/ece_10_equal_width": Ours(of_scores(performance.calibration_error)),
    "fairlearn/performance/ece_10_equal_count": Ours(of_scores(performance.calibration_error_equal_count)),
    "nannyml/_realised/roc_auc": Ours(of_scores(performance.area_under_curve)),
    "nannyml/_realised/accuracy": Ours(of_decisions(performance.accuracy)),
    "nannyml/_realised/precision": Ours(of_decisions(performance.precision)),
    "nannyml/_realised/recall": Ours(of_decisions(performance.recall)),
    "nannyml/_realised/f1": Ours(of_decisions(performance.f1)),
    "nannyml/_realised/specificity": Ours(of_decisions(performance.specificity)),
    "nannyml/_cbpe/roc_auc": Ours(expected_area, 1e-8),
    "nannyml/_cbpe/accuracy": Ours(expected(performance.accuracy)),
    "nannyml/_cbpe/precision": Ours(expected(performance.precision)),
    "nannyml/_cbpe/recall": Ours(expected(performance.recall)),
    "nannyml/_cbpe/f1": Ours(expected(performance.f1)),
    "nannyml/_cbpe/specificity": Ours(expected(performance.specificity)),
}

P_VALUE = "a p-value: it falls with the number of rows, so it is never judged by"
ITS_BINS = "other bins: of equal width, by Sturges' or Doane's rule, or over both windows"
FIXED_RANGE = "scaled by the range of both windows, which one outlier decides"

NOT_OURS = {
    "*/*/p": P_VALUE,
    "*/*/ks_p": P_VALUE,
    "scipy/*/ks_pvalue_*": P_VALUE,
    "scipy/*/chi2_pvalue": P_VALUE,
    "evidently/*/ks": P_VALUE,
    "evidently/*/chisquare": P_VALUE + ", here against the reference as if it were the truth",
    "evidently/[!c]*/psi": ITS_BINS,
    "evidently/[!c]*/jensenshannon": ITS_BINS,
    "nannyml/[!c_]*/jensen_shannon": ITS_BINS,
    "scipy/*/psi_sturges_combined": ITS_BINS,
    "scipy/*/js_natural_sturges_combined": ITS_BINS,
    "scipy/*/js_base2_doane_reference": ITS_BINS,
    "scipy/*/psi_equalwidth10_combined_eps1e-4": ITS_BINS,
    "frouros/*/psi": ITS_BINS + ", and a floor that is far smaller",
    "frouros/*/js": ITS_BINS,
    "feature-engine/zero_inflated/psi": "pandas' own bins: it drops the deciles that one value holds from below",
    "deepchecks/*/emd_*": FIXED_RANGE,
    "deepchecks/cat_unseen/psi_floor_0_01": "a floor of 0.01: it hides categories that nobody has seen before",
    "deepchecks/cat_nulls/cramers_v": "0.0349 against 0.0351: it weighs windows of different sizes in another way",
    "fairlearn/*/equalized_odds_ratio": "a ratio of rates near 0 says little: differences are given, with intervals",
    "fairlearn/sex/demographic_parity_ratio": "smallest rate to the largest: ours is to the reference group's",
    "fairlearn/performance/average_precision": "nobody watches it yet",
    "nannyml/*/hellinger": "the Jensen-Shannon distance says the same, within known bounds of it",
    "*/*/l_infinity": "the largest move of a single category: the stability index and Cramér's V see it",
    "nannyml/_cbpe/needs_calibration": "a switch: scores are always calibrated on the reference first",
    "nannyml/_cbpe/roc_auc_range_*": "how its estimate moves with the order of rows: ours does not move",
    "scipy/*/categories": "names, not figures",
    "scipy/*/dof": "only the p-value needs it",
}
"""Figures of other conventions, each with the reason why it is not ours."""


def leaves() -> Iterator[tuple[str, object]]:
    """Every figure of every library, as `library/.../name`."""

    def walk(path: str, tree: object) -> Iterator[tuple[str, object]]:
        if not isinstance(tree, dict):
            yield path, tree
            return
        for key, value in tree.items():
            yield from walk(f"{path}/{key}", value)

    for file in sorted((VECTORS / "expected").glob("*.json")):
        yield from walk(file.stem, json.loads(file.read_text()))


FIGURES = dict(leaves())


def read(pattern: str, path: str) -> tuple[str, ...] | None:
    """What the stars of a pattern stand for; None if it is not of this path."""
    plain = re.escape(pattern).replace(r"\*", "(.*)").replace(r"\[!", "[^").replace(r"\]", "]")
    found = re.fullmatch(plain, path)
    return found.groups() if found else None


def matching(table: Iterable[str], path: str) -> list[str]:
    return [pattern for pattern in table if read(pattern, path) is not None]


@pytest.mark.parametrize("path", [path for path in FIGURES if not matching(NOT_OURS, path)])
def test_agrees(path: str) -> None:
    """Our figure is the library's, within the tolerance stated for it."""
    (pattern,) = matching(OURS, path)
    stars = read(pattern, path)
    assert stars is not None
    assert OURS[pattern].say(*stars) == pytest.approx(FIGURES[path], rel=0, abs=OURS[pattern].tolerance)


def test_none_is_dropped() -> None:
    """Every figure is compared or is named as another convention, and each line of both tables is about some figure."""
    assert [path for path in FIGURES if not matching((*OURS, *NOT_OURS), path)] == []
    unused = [pattern for pattern in (*OURS, *NOT_OURS) if not any(matching([pattern], path) for path in FIGURES)]
    assert unused == []


@pytest.mark.parametrize("column", ["normal", "skew", "zero_inflated", "with_nulls", "one_outlier", "low_int", "score"])
@pytest.mark.parametrize("many", [DECILES, 50, FINE])
def test_bounds_hold(column: str, many: int) -> None:
    """Of coarse bins, the figures of the single cases are within the stated bounds."""
    before, now = (one.to_numpy(float) for one in columns(column))
    places = edges_of(before, many)
    tallies = count_numbers(before, places), count_numbers(now, places)
    for name, function in {"ks_statistic": distance.kolmogorov_smirnov, "wasserstein": distance.wasserstein}.items():
        found, exact = function(*tallies), FIGURES[f"scipy/{column}/{name}"]
        assert isinstance(found, Figure)
        assert isinstance(exact, float)
        assert found.value - EXACT <= exact + 1e-10
        assert exact <= found.value + found.above + 1e-10
