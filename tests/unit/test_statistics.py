"""Tallies add up, figures keep their bounds and agree with scipy and scikit-learn on data of any kind."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import ndcg_score, roc_auc_score

from activities.adapters.column_counters import (
    count_answered,
    count_categories,
    count_numbers,
    count_scores,
    edges_of,
)
from models.statistics import distance, fairness, performance
from models.statistics.calibration import Calibration, calibrate
from models.statistics.distance import bins
from models.statistics.estimation import concept_shift, expected_area, expected_decisions, shift_by_chance
from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.importance import importance_rank
from models.statistics.intervals import of_difference, of_ratio, wilson
from models.statistics.score_counts import ScoreCounts
from models.statistics.scores import GRID, Cell, Confusion, Scores
from models.statistics.tallies import MOST_CATEGORIES, Categories, Numbers, edges_at

SETTINGS = settings(max_examples=40, deadline=None)
VALUES = st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(np.nan)), max_size=40)
KNOWN = st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3)), min_size=1, max_size=40)
EDGES = st.lists(st.floats(-1e3, 1e3), max_size=8, unique=True).map(sorted)
COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8)
SCORES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.55, 0.9, 1.0]) | st.floats(0, 1), st.booleans()))
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=30)


def value(result: Result) -> float:
    assert isinstance(result, Figure), result
    return result.value


def numbers(values: list[float], edges: list[float]) -> Numbers:
    return count_numbers(np.array(values, dtype=float), edges)


def largest_gap(before: list[float], now: list[float]) -> float:
    """Kolmogorov-Smirnov by its definition, case by case (scipy warns of its p-value on so few)."""
    shares = ([sum(one <= place for one in some) / len(some) for place in (*before, *now)] for some in (before, now))
    return float(max(abs(ours - theirs) for ours, theirs in zip(*shares, strict=True)))


def scored(cases: list[tuple[float, bool]], grid: int | None = None) -> Scores:
    scores, labels = (np.array([case[place] for case in cases], dtype=float) for place in (0, 1))
    found = count_scores(scores, labels, 0.5)
    return found if grid is None else found.coarse(grid)


def same(one: Numbers, other: Numbers) -> bool:
    """Sums and moments are of floating point: the order in which they were added shows in the last digits."""
    assert one.sums == pytest.approx(other.sums, rel=1e-9, abs=1e-6)
    assert one.moments.mean == pytest.approx(other.moments.mean, rel=1e-9, abs=1e-6)
    assert one.moments.squares == pytest.approx(other.moments.squares, rel=1e-6, abs=1e-3)
    plain = ("edges", "counts", "missing", "not_numbers", "infinite", "rows")
    return all(getattr(one, name) == getattr(other, name) for name in plain)


@SETTINGS
@given(VALUES, VALUES, EDGES)
def test_parts_add_up_to_the_whole(first: list[float], second: list[float], edges: list[float]) -> None:
    """Two parts of a window, in either order, tally as the window does."""
    whole = numbers(first + second, edges)
    assert same(numbers(first, edges) + numbers(second, edges), whole)
    assert same(numbers(second, edges) + numbers(first, edges), whole)
    assert (whole.moments.least, whole.moments.most) == (
        min([v for v in first + second if v == v], default=np.inf),
        max([v for v in first + second if v == v], default=-np.inf),
    )


@SETTINGS
@given(TEXTS, TEXTS)
def test_categories_add_up(first: list[str], second: list[str]) -> None:
    """Categories of two parts are those of the whole."""
    assert count_categories(first) + count_categories(second) == count_categories(first + second)


@SETTINGS
@given(
    SCORES, SCORES, st.sampled_from([(None, None, None), (GRID, GRID, GRID), (GRID, None, GRID), (None, GRID, GRID)])
)
def test_scores_add_up(
    first: list[tuple[float, bool]], second: list[tuple[float, bool]], grids: tuple[int | None, int | None, int | None]
) -> None:
    """Labelled scores of two parts, exact or in cells, give the figures of the whole, in cells if one of them is."""
    parts, whole = scored(first, grids[0]) + scored(second, grids[1]), scored(first + second, grids[2])
    figures = (performance.area_under_curve, performance.brier, performance.log_loss, performance.calibration_error)
    for ours, theirs in ((figure(parts), figure(whole)) for figure in figures):
        assert ours == (theirs if isinstance(theirs, Unmeasured) else pytest.approx(theirs, abs=1e-9))


@SETTINGS
@given(SCORES, SCORES, st.booleans())
def test_counted_scores_add_up(first: list[tuple[float, bool]], second: list[tuple[float, bool]], exact: bool) -> None:
    """How many cases have each score, whole or in parts; counted in cells at once or afterwards, it is the same."""

    def counted(cases: list[tuple[float, bool]], exact: bool = True) -> ScoreCounts:
        return count_answered(np.array([score for score, _ in cases], dtype=float), exact)

    parts, whole = counted(first) + counted(second, exact), counted(first + second)
    assert parts.exact is exact
    assert parts.levels.keys() == (whole if exact else whole.coarse()).levels.keys()
    assert sum(parts.counts.values()) == sum(whole.counts.values()) == len(first + second)
    for ours, theirs in ((counted(first, False), counted(first).coarse()), (scored(first, GRID), in_cells(first))):
        assert list(sorted(flat(ours))) == pytest.approx(list(sorted(flat(theirs))))


def in_cells(cases: list[tuple[float, bool]]) -> Scores:
    scores, labels = (np.array([case[place] for case in cases], dtype=float) for place in (0, 1))
    return count_scores(scores, labels, 0.5, exact=False)


def flat(counted: ScoreCounts | Scores) -> list[float]:
    """Every number of them."""
    cells = counted.cells if isinstance(counted, Scores) else counted.levels
    return [float(value) for key, cell in cells.items() for value in (key, *cell)]


@SETTINGS
@given(SCORES)
def test_an_estimate_of_cells_is_near_that_of_scores(cases: list[tuple[float, bool]]) -> None:
    """Cases of one cell are taken to have its mean score: of a smooth calibration, that is all but the same."""
    assume(cases)
    straight = Calibration((0.0, 1.0), (0.1, 0.9))
    whole = count_answered(np.array([score for score, _ in cases], dtype=float))
    fine, coarse = (value(expected_area(one.counts, straight)) for one in (whole, whole.coarse()))
    assert coarse == pytest.approx(fine, abs=1e-3 + 0.5 / GRID)


@SETTINGS
@given(VALUES, VALUES, EDGES, st.randoms(use_true_random=False))
def test_rows_in_any_order(before: list[float], now: list[float], edges: list[float], random: object) -> None:
    """No figure depends on the order of rows."""
    mixed = sorted(now, key=lambda _: random.random())  # type: ignore[attr-defined]
    for figure in (distance.kolmogorov_smirnov, distance.wasserstein, distance.normed_wasserstein):
        ours, theirs = (figure(numbers(before, edges), numbers(order, edges)) for order in (now, mixed))
        assert isinstance(ours, Unmeasured) is isinstance(theirs, Unmeasured)
        if isinstance(ours, Figure):
            assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)


@SETTINGS
@given(COUNTS)
def test_bounds_and_symmetry(counts: list[tuple[int, int]]) -> None:
    """Distances of shares have their bounds, are 0 of equals, and are the same in both directions where they should."""
    before, now = [one for one, _ in counts], [other for _, other in counts]
    if not sum(before) or not sum(now):
        assert distance.stability(before, now) is Unmeasured.EMPTY
        assert distance.jensen_shannon(before, now) is Unmeasured.EMPTY
        return
    tops = {
        distance.stability: 20.0,
        distance.jensen_shannon: 1.0,
        distance.cramers_v: 1.0,
        distance.chi_square: np.inf,
    }
    for figure, top in tops.items():
        found = value(figure(before, now))
        assert 0 <= found <= top
        assert found == pytest.approx(value(figure(now, before)), abs=1e-9)
        assert value(figure(before, before)) == pytest.approx(0, abs=1e-7)


@SETTINGS
@given(COUNTS)
def test_chi_square_is_scipys(counts: list[tuple[int, int]]) -> None:
    """The statistic of the table, categories that neither has left out."""
    table = np.array([pair for pair in counts if sum(pair)]).T
    assume(table.size and (table.sum(axis=1) > 0).all())
    expected = stats.chi2_contingency(table, correction=False)[0]
    assert value(distance.chi_square(*table.tolist())) == pytest.approx(expected, abs=1e-8)


@SETTINGS
@given(KNOWN, KNOWN, EDGES)
def test_distances_of_single_cases_are_within_bounds(before: list[float], now: list[float], edges: list[float]) -> None:
    """Whatever the bins, the figures of the cases themselves are between the value and what may be added to it."""
    tallies = numbers(before, edges), numbers(now, edges)
    spread = 1e-9 * max(map(abs, before + now))
    for figure, exact in (
        (distance.kolmogorov_smirnov, largest_gap(before, now)),
        (distance.wasserstein, stats.wasserstein_distance(before, now)),
    ):
        found = figure(*tallies)
        assert isinstance(found, Figure)
        assert found.value - spread - 1e-9 <= exact <= found.value + found.above + spread + 1e-9
        back = figure(*reversed(tallies))
        assert isinstance(back, Figure)
        assert (back.value, back.above) == pytest.approx((found.value, found.above), rel=1e-6, abs=1e-6)


def test_the_bound_is_reached() -> None:
    """Two values around a third, all in one bin: the signed area is 0, and the whole area is what may be added."""
    found = distance.wasserstein(numbers([0.0, 1.0], []), numbers([0.5], []))
    assert isinstance(found, Figure)
    assert (found.value, found.above) == (0.0, stats.wasserstein_distance([0, 1], [0.5]))


@SETTINGS
@given(KNOWN, KNOWN)
def test_bins_of_one_value_leave_nothing_open(before: list[float], now: list[float]) -> None:
    """If every value is an edge, the largest distance is that of the single cases."""
    edges = sorted({*before, *now})
    found = distance.kolmogorov_smirnov(numbers(before, edges), numbers(now, edges))
    assert value(found) == pytest.approx(largest_gap(before, now), abs=1e-12)


@SETTINGS
@given(SCORES, st.integers(1, 20))
def test_area_is_scikit_learns(cases: list[tuple[float, bool]], grid: int) -> None:
    """The area under the curve, with ties; of scores in cells it is within the stated bounds."""
    labels = [label for _, label in cases]
    assume(len(set(labels)) == 2)
    expected = roc_auc_score(labels, [score for score, _ in cases])
    assert value(performance.area_under_curve(scored(cases))) == pytest.approx(expected, abs=1e-12)
    coarse = performance.area_under_curve(scored(cases, grid))
    assert isinstance(coarse, Figure)
    assert coarse.value - coarse.below - 1e-12 <= expected <= coarse.value + coarse.above + 1e-12


@SETTINGS
@given(SCORES)
def test_isotonic_calibration_is_scikit_learns(cases: list[tuple[float, bool]]) -> None:
    """The calibrated probability of any score, between knots and beyond them."""
    rounded = [(round(score, 3), label) for score, label in cases]
    assume(len({label for _, label in rounded}) == 2)
    ours = calibrate(scored(rounded))
    assert isinstance(ours, Calibration)
    scores, labels = zip(*rounded, strict=True)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    asked = np.linspace(0, 1, 23)
    assert [ours(score) for score in asked.tolist()] == pytest.approx(theirs.predict(asked).tolist(), abs=1e-6)


@SETTINGS
@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from([0.0, 1.0, 2.0, 5.0])), min_size=2, max_size=12))
def test_importance_is_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    """The discounted gain of the features in the window's order, features of equal importance at their mean."""
    before, now = ({f"f{place}": pair[which] for place, pair in enumerate(pairs)} for which in (0, 1))
    assume(sum(before.values()) > 1e-3 and any(now.values()))
    expected = ndcg_score([list(before.values())], [list(now.values())])
    assert value(importance_rank(before, now)) == pytest.approx(expected, abs=1e-9)
    assert value(importance_rank(before, before)) == pytest.approx(1)


def test_importance_of_nothing() -> None:
    """No order can be told of features that have no importance, and none is negative."""
    assert importance_rank({"age": 0.0}, {"age": 1.0}) is Unmeasured.NO_IMPORTANCE
    assert importance_rank({"age": 1.0}, {}) is Unmeasured.NO_IMPORTANCE
    with pytest.raises(ValueError, match="0 or more"):
        importance_rank({"age": -1.0}, {"age": 1.0})


@SETTINGS
@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_is_scipys(part: int, more: int) -> None:
    """The interval of a share, at its ends too."""
    expected = stats.binomtest(part, part + more).proportion_ci(method="wilson")
    assert wilson(part, part + more) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_intervals() -> None:
    """Newcombe's own example of a difference (his table II, 56/70 less 48/80), and scipy's ratio of shares."""
    assert of_difference((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    expected = stats.contingency.relative_risk(27, 122, 44, 487).confidence_interval()
    assert of_ratio((27, 122), (44, 487)) == pytest.approx((expected.low, expected.high))
    assert of_ratio((0, 10), (5, 10)) == (0, np.inf)
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([], Unmeasured.EMPTY),
        ([1.0, np.nan], Unmeasured.NOT_NUMBERS),
        ([1.0, np.inf], Unmeasured.INFINITE),
        ([1.0, -np.inf], Unmeasured.INFINITE),
    ],
)
def test_what_is_no_number_has_a_name(values: list[float], state: Unmeasured) -> None:
    """NaN that is not a missing value, infinite values and no rows are states of their own, in reference and window."""
    sound, broken = (
        numbers([1.0, 2.0], [1.5]),
        count_numbers(np.array(values), [1.5], np.zeros(len(values), dtype=bool)),
    )
    for pair in ((sound, broken), (broken, sound)):
        assert bins(*pair, [1.5]) is state
        assert distance.kolmogorov_smirnov(*pair) is state
        assert distance.wasserstein(*pair) is state
        assert distance.normed_wasserstein(*pair) is state
    assert state.sentence


def test_missing_values() -> None:
    """A column that is missing altogether has moved as far as it can, and has no distribution to compare."""
    there, gone = numbers([1.0, 2.0], [1.5]), numbers([np.nan, np.nan], [1.5])
    assert distance.kolmogorov_smirnov(there, gone) is Unmeasured.ALL_MISSING
    assert bins(there, gone, [1.5], missing=False) is Unmeasured.ALL_MISSING
    counted = bins(there, gone, [1.5])
    assert isinstance(counted, tuple)
    assert value(distance.stability(*counted)) > 10
    assert value(distance.missing(gone)) == 1
    assert distance.missing(numbers([], [1.5])) is Unmeasured.EMPTY


def test_no_spread() -> None:
    """A distance in standard deviations of a constant reference is not a number."""
    assert distance.normed_wasserstein(numbers([1.0], [1.5]), numbers([2.0], [1.5])) is Unmeasured.NO_SPREAD


def test_unseen_categories() -> None:
    """The share of rows with a category that the reference does not have; a missing value is not one of them."""
    reference, window = count_categories(["a", "b"]), count_categories(["a", "c", "", "d"])
    assert value(distance.unseen(reference, window)) == 0.5


def test_too_many_categories() -> None:
    """Parts that have too many different values only together are as the whole is: no category, and counted."""
    parts = [[f"{letter}{number}" for number in range(MOST_CATEGORIES // 2 + 1)] + [""] for letter in "ab"]
    whole, added = count_categories(parts[0] + parts[1]), count_categories(parts[0]) + count_categories(parts[1])
    assert whole == added == added + Categories({})
    assert (added.rows, added.missing, added.counts) == (MOST_CATEGORIES + 4, 2, {})
    reference = count_categories(["a", "b"])
    assert distance.unseen(reference, added) is Unmeasured.TOO_MANY_VALUES
    assert bins(added, reference) is Unmeasured.TOO_MANY_VALUES


def test_what_does_not_fit_is_an_error() -> None:
    """Tallies over other bins, bins that do not rise, and numbers beside categories are mistakes of the program."""
    one = numbers([1.0], [0.5])
    with pytest.raises(ValueError, match="do not add up"):
        one + numbers([1.0], [0.6])
    with pytest.raises(ValueError, match="same bins"):
        distance.wasserstein(one, numbers([1.0], [0.6]))
    with pytest.raises(ValueError, match="not cut"):
        one.within([0.7])
    with pytest.raises(ValueError, match="rise"):
        Numbers((1.0, 1.0), (0, 0, 0), (0, 0, 0))
    with pytest.raises(ValueError, match="make 2 bins"):
        Numbers((1.0,), (0,), (0,))
    with pytest.raises(TypeError, match="categories"):
        bins(one, Categories({"a": 1}))


def test_performance_of_nobody() -> None:
    """Without outcomes, with only one kind of them, or with nobody selected there is no figure, each by its name."""
    assert performance.area_under_curve(Scores()) is Unmeasured.NO_LABELS
    assert performance.brier(Scores()) is Unmeasured.NO_LABELS
    assert performance.calibration_error_equal_count(Scores()) is Unmeasured.NO_LABELS
    assert performance.area_under_curve(scored([(0.2, True)])) is Unmeasured.ONE_CLASS
    assert performance.accuracy(Confusion()) is Unmeasured.NO_LABELS
    assert performance.precision(Confusion(0, 0, 3, 3)) is Unmeasured.NONE_SELECTED
    assert performance.recall(Confusion(0, 3, 0, 3)) is Unmeasured.ONE_CLASS
    assert performance.specificity(Confusion(3, 0, 3, 0)) is Unmeasured.ONE_CLASS
    assert calibrate(scored([(0.2, True)])) is Unmeasured.ONE_CLASS
    assert calibrate(Scores()) is Unmeasured.NO_LABELS


GROUPS = {
    name: fairness.rates_of(one) for name, one in {"m": Confusion(20, 5, 5, 20), "f": Confusion(4, 1, 2, 3)}.items()
}


def test_small_groups_say_nothing() -> None:
    """A group under the minimum count makes no figure, so that nothing passes on a handful of cases."""
    assert value(fairness.adverse_impact(GROUPS, "m", at_least=10)) == pytest.approx(1)
    assert fairness.adverse_impact(GROUPS, "m", at_least=11) is Unmeasured.TOO_FEW
    assert value(fairness.true_positive_difference(GROUPS, at_least=6)) == pytest.approx(0.8 - 4 / 6)
    assert fairness.true_positive_difference(GROUPS, at_least=7) is Unmeasured.TOO_FEW
    assert fairness.equalised_odds_difference(GROUPS, at_least=5) is Unmeasured.TOO_FEW
    assert fairness.adverse_impact(GROUPS, "x") is Unmeasured.NO_REFERENCE_GROUP
    assert fairness.adverse_impact({"m": GROUPS["m"]}, "m") is Unmeasured.ONE_GROUP
    assert fairness.selection_difference({"m": GROUPS["m"]}) is Unmeasured.ONE_GROUP
    nobody = {"m": fairness.rates_of(Confusion(0, 0, 5, 5)), "f": GROUPS["f"]}
    assert fairness.adverse_impact(nobody, "m") is Unmeasured.NONE_SELECTED
    compared = fairness.beside(GROUPS["f"], nobody["m"])
    assert compared.ratio is None
    assert compared.selected is not None
    assert compared.selected.interval.low < compared.selected.value < compared.selected.interval.high


def test_estimates_without_outcomes() -> None:
    """If the probabilities are what they say, the expected decisions are those that come out."""
    straight = Calibration((0.0, 1.0), (0.0, 1.0))
    found = expected_decisions({0.75: 4, 0.25: 8}, 0.5, straight)
    assert found == Confusion(3, 1, 2, 6)
    assert value(expected_area({0.75: 4, 0.25: 8}, straight)) == pytest.approx((3 * 6 + 3 * 1 / 2 + 2 * 6 / 2) / 35)
    assert expected_area({}, straight) is Unmeasured.EMPTY
    assert expected_area({1.0: 3}, straight) is Unmeasured.ONE_CLASS


def test_concept_shift() -> None:
    """Outcomes that follow scores as before are no drift; the other way round, they are as far as can be."""
    straight = Calibration((0.0, 1.0), (0.0, 1.0))
    kept = Scores({0.75: Cell(300, 100, 300.0), 0.25: Cell(100, 300, 100.0)})
    turned = Scores({0.75: Cell(100, 300, 300.0), 0.25: Cell(300, 100, 100.0)})
    assert value(concept_shift(kept, straight)) == pytest.approx(0)
    assert value(concept_shift(turned, straight)) == pytest.approx(0.5)
    assert concept_shift(Scores(), straight) is Unmeasured.NO_LABELS
    assert shift_by_chance(Scores(), straight) is Unmeasured.NO_LABELS


def test_chance_alone_makes_some_concept_shift() -> None:
    """What is said to be by chance is what hundreds of windows without drift show in the mean."""
    random = np.random.default_rng(5)
    straight, probabilities = Calibration((0.0, 1.0), (0.0, 1.0)), np.repeat([0.15, 0.35, 0.55, 0.75], 50)
    found = []
    for _ in range(400):
        window = count_scores(probabilities, (random.random(200) < probabilities).astype(float), 0.5)
        found.append([value(figure(window, straight)) for figure in (concept_shift, shift_by_chance)])
    seen, foretold = np.mean(found, axis=0)
    assert seen == pytest.approx(foretold, rel=0.1)


def test_edges_are_nested() -> None:
    """The deciles are among the finer edges, so that one pass gives both; a value that holds many has its own bin."""
    values = np.random.default_rng(3).normal(size=5_000)
    deciles, fine = edges_of(values, 10), edges_of(values, 1_000)
    assert set(deciles) <= set(fine)
    assert (len(deciles), len(fine)) == (9, 999)
    assert edges_of(np.full(9, 5.0), 10) == (np.nextafter(5.0, -np.inf), 5.0)
    assert edges_of(np.full(3, np.nan), 10) == ()
    assert edges_at([1.0, 2.0, 2.0, 3.0]) == (1.0, np.nextafter(2.0, -np.inf), 2.0, 3.0)
