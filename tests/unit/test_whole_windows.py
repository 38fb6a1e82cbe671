"""Whole windows, measured as monitors do: whatever is in them, a reading is a finite number within its bounds."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.adapters import onnx_evaluator
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.window_parts import parts_of
from models.errors import InvalidInputError
from models.evidence import QUANTITIES, StepKind, WindowReport
from models.formats import Format
from models.inventory import Column, DataContract, Protected, Reference, Source, Submission
from models.statistics import score_counts, scores
from models.statistics.scores import MOST_SCORES

SETTINGS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = ("size", "colour", "sex", "score", "label")
PINNED = Reference(uri="file:///model", digest="sha256:" + "0" * 64)
CONTRACT = DataContract(
    inputs=(Column(name="size"), Column(name="colour", type="string")),
    outputs=(Column(name="score"),),
    label="label",
    protected=(Protected(column="sex", reference="m"),),
)
SUBMISSION = Submission(
    artifact=PINNED,
    format=Format.VENDOR,
    source=Source(repository="r", commit="a" * 40),
    training_data=(PINNED,),
    holdout=PINNED,
    dependencies=PINNED,
    contract=CONTRACT,
    developer="ana",
    submitter="ana",
)
SIZES = st.sampled_from([None, 0.0, 5.0, float("nan"), float("inf"), -float("inf"), 3e38, 1e-300, 5e-324, 1e300])
COMMON = st.sampled_from([None, 0.0, -1.0, 5.0, 3e38, -3e38, 1e-300, 5e-324]) | st.floats(-10, 10)
PROBABILITIES = st.sampled_from([0.0, 1.0, 0.5, 1e-300, 5e-324, 1 - 2**-53]) | st.floats(0, 1)


class Row(NamedTuple):
    size: float | None
    colour: str | None
    sex: str | None
    score: float
    label: float | None


def rows(sizes: st.SearchStrategy[float | None], least: int = 0) -> st.SearchStrategy[list[Row]]:
    groups = st.sampled_from(["m", "f", None])
    labels = st.sampled_from([0.0, 1.0, None])
    one = st.builds(Row, sizes, st.sampled_from(["red", "blue", "x", None]), groups, PROBABILITIES, labels)
    return st.lists(one, min_size=least, max_size=25)


HELD_OUT = [
    Row(size, colour, sex, score, label)
    for size, colour, sex, score, label in zip(
        [1.0, 2.0, 3.0, 4.0, 5.0, None] * 5,
        ["red", "blue", "red", None, "x", "red"] * 5,
        ["m", "f", "m"] * 10,
        [place / 30 for place in range(30)],
        [0.0, 0.0, 1.0, 0.0, 1.0, 1.0] * 5,
        strict=True,
    )
]


def written(folder: Path, name: str, kind: str, some: Sequence[Row]) -> Path:
    path = folder / f"{name}.{kind}"
    if kind == "csv":
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in some]
        path.write_text("\n".join([",".join(NAMES), *lines, ""]))
        return path
    types = (pa.float64(), pa.string(), pa.string(), pa.float64(), pa.float64())
    columns = [pa.array([row[place] for row in some], kind) for place, kind in enumerate(types)]
    pq.write_table(pa.Table.from_arrays(columns, names=list(NAMES)), path)
    return path


def measured(folder: Path, kind: str, some: Sequence[Row], before: Sequence[Row] = HELD_OUT) -> WindowReport:
    reference, held_out = written(folder, "reference", kind, before), written(folder, "held_out", kind, before)
    return OnnxEvaluator().measure(reference, reference, held_out, written(folder, "now", kind, some), SUBMISSION)


def demand_sound(report: WindowReport) -> None:
    """Every reading is within its bounds, rests on some case, and is there or has a reason."""
    for one in report.readings:
        quantity = QUANTITIES[one.name]
        assert quantity.measured_by is StepKind.MONITOR
        assert quantity.least <= one.value <= quantity.most, one
        assert 0 < one.count <= max(report.rows, len(HELD_OUT)), one
    assert not {one.name for one in report.readings} & report.unmeasured.keys()
    assert all(report.unmeasured.values())


@pytest.fixture(params=["csv", "parquet"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@SETTINGS
@given(some=rows(SIZES))
def test_no_reading_is_made_of_nonsense(tmp_path: Path, kind: str, some: list[Row]) -> None:
    """NaN, infinite and too large values, constant columns, one row, one class, no row at all: a reason or a number."""
    with suppress(InvalidInputError):
        demand_sound(measured(tmp_path, kind, some))


@SETTINGS
@given(some=rows(COMMON, 1), before=rows(COMMON, 1))
def test_every_reading_keeps_its_bounds(tmp_path: Path, kind: str, some: list[Row], before: list[Row]) -> None:
    """Whatever the training and the held-out data were, constant, of one class or without any label."""
    demand_sound(measured(tmp_path, kind, some, before))


@SETTINGS
@given(
    some=rows(COMMON, 2),
    cut=st.integers(1, 7),
    random=st.randoms(use_true_random=False),
    most=st.sampled_from([3, MOST_SCORES]),
)
def test_neither_order_nor_parts_matter(
    tmp_path: Path, kind: str, some: list[Row], cut: int, random: object, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows in another order, read in parts of any size, make the same report, to the last digits of sums.

    Of many different scores too, which are counted in cells.
    """
    mixed = sorted(some, key=lambda _: random.random())  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        for module in (scores, score_counts):
            patched.setattr(module, "MOST_SCORES", most)
        whole = measured(tmp_path, kind, some)
        patched.setattr(onnx_evaluator, "parts_of", partial(parts_of, rows=cut))
        parted = measured(tmp_path, kind, mixed)
    ours, theirs = ({one.name: one for one in report.readings} for report in (whole, parted))
    assert ours.keys() == theirs.keys()
    assert whole.unmeasured == parted.unmeasured
    assert whole.groups == parted.groups
    for name, one in ours.items():
        assert one.count == theirs[name].count
        assert one.value == pytest.approx(theirs[name].value, rel=1e-6, abs=1e-9), name


def test_a_version_that_others_run_has_no_importances(tmp_path: Path) -> None:
    """Nobody can ask it about rows that never were: the reading says so, and the estimates are there."""
    report = measured(tmp_path, "csv", HELD_OUT)
    assert report.unmeasured["importance_shift"].startswith("others run the model")
    assert {"estimated_auc", "auc_fall", "concept_shift"} <= {one.name for one in report.readings}
