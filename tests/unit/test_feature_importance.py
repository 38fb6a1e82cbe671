"""Which inputs a score hangs on: told by a sample that neither the order of rows nor their parts can change."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters import feature_importance
from activities.adapters.feature_importance import Cells, Columns, RowSample, importances
from activities.adapters.window_parts import Part
from models.inventory import Column

SETTINGS = settings(max_examples=40, deadline=None)
COLUMNS = (Column(name="age"), Column(name="income"), Column(name="region", type="string"))
ROWS = st.lists(
    st.tuples(
        st.sampled_from([1.0, 2.0, -0.0, 0.0, np.nan]) | st.floats(-5, 5),
        st.floats(-5, 5),
        st.sampled_from(["north", "south", ""]),
    ),
    max_size=30,
)

Row = tuple[float, float, str]


def part(rows: Sequence[Row]) -> Columns:
    kinds = (float, float, object)
    cells: Mapping[str, Cells] = {
        column.name: np.array([row[place] for row in rows], dtype=kinds[place]) for place, column in enumerate(COLUMNS)
    }
    return Columns(cells, len(rows))


def sampled(*parts: Sequence[Row]) -> Columns:
    sample = RowSample(COLUMNS)
    for rows in parts:
        sample.add(part(rows))
    return sample.rows()


def rows_of(columns: Columns) -> list[tuple[object, ...]]:
    return list(zip(*(column.tolist() for column in columns.cells.values()), strict=True))


def same(one: Columns, other: Columns) -> bool:
    return repr(rows_of(one)).replace("-0.0", "0.0") == repr(rows_of(other)).replace("-0.0", "0.0")


@SETTINGS
@given(ROWS, st.integers(0, 30), st.randoms(use_true_random=False), st.sampled_from([3, 1_000]))
def test_a_sample_is_of_the_data_alone(rows: list[Row], cut: int, random: object, limit: int) -> None:
    """Whatever the parts and the order of rows, the same rows are chosen, in the same order."""
    mixed = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(feature_importance, "ROWS", limit)
        whole = sampled(rows)
        assert same(whole, sampled(rows[:cut], rows[cut:]))
        assert same(whole, sampled(mixed[:cut], mixed[cut:]))
    assert whole.rows == min(len(rows), limit)
    assert {repr(row) for row in rows_of(whole)} <= {repr(row) for row in rows_of(part(rows))}


def test_a_row_that_came_often_is_chosen_often() -> None:
    """Of more rows than the sample holds, each counts as often as it was there."""
    often, seldom = [(1.0, 1.0, "north")] * 9_000, [(2.0, 2.0, "south")] * 1_000
    whole = sampled(often[:4_000], seldom, often[4_000:])
    share = np.mean(whole.cells["age"].astype(float) == 1.0)
    assert whole.rows == feature_importance.ROWS
    assert share == pytest.approx(0.9, abs=0.04)


@SETTINGS
@given(ROWS)
def test_an_input_that_is_not_looked_at_has_no_importance(rows: list[Row]) -> None:
    """Only what the score hangs on has some, and never a negative one."""

    def score(one: Part) -> np.ndarray:
        return np.clip(np.nan_to_num(one.numbers(COLUMNS[0])) / 10 + 0.5, 0, 1)

    found = importances(sampled(rows), score) if rows else {}
    assert [found[name] for name in ("income", "region") if rows] == [0.0, 0.0][: 2 * bool(rows)]
    assert all(0 <= one <= 1 for one in found.values())


def test_a_larger_weight_is_a_larger_importance() -> None:
    """The order of importances is that of the weights, for numbers and texts; many inputs are asked in several goes."""
    random = np.random.default_rng(3)
    rows = [
        (float(age), float(income), str(region))
        for age, income, region in zip(
            random.normal(size=800), random.normal(size=800), random.choice(["north", "south"], 800), strict=True
        )
    ]
    asked = []

    def score(one: Part) -> np.ndarray:
        asked.append(one.rows)
        south = np.array([text == "south" for text in one.texts("region")], dtype=float)
        lines = 3 * one.numbers(COLUMNS[0]) + one.numbers(COLUMNS[1]) + 0.3 * south
        return np.asarray(1 / (1 + np.exp(-lines)))

    at_once = importances(sampled(rows), score)
    assert at_once["age"] > at_once["income"] > at_once["region"] > 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(feature_importance, "_CELLS", 1)
        assert importances(sampled(rows), score) == pytest.approx(at_once)
    assert asked == [3_200, 800, 800, 800, 800]


def test_many_inputs_are_asked_about_fewer_rows() -> None:
    """What is scored stays bounded, whatever the number of inputs."""
    columns = tuple(Column(name=f"c{place}") for place in range(1_000))
    sample = RowSample(columns)
    cells: Mapping[str, Cells] = {column.name: np.arange(500.0) for column in columns}
    sample.add(Columns(cells, 500))
    rows = sample.rows().rows
    assert rows * (len(columns) + 1) <= feature_importance.SCORED
    assert rows >= 50
