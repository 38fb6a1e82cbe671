"""Windows as trainers get them: joined with what became of their cases, in the format in which they came."""

import io
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.adapters.file_digests import FileDigests
from activities.adapters.file_windows import FileWindows
from activities.adapters.labelled_windows import write_labelled
from activities.adapters.matured_windows import MaturedWindows
from activities.adapters.window_parts import parts_of
from activities.window_ports import Given, unheard
from models.canonical import digest_bytes
from models.errors import InvalidInputError
from models.inventory import DataContract

CONTRACT = DataContract.model_validate(
    {
        "inputs": [{"name": "income"}],
        "outputs": [{"name": "score"}],
        "label": "approved",
        "protected": [{"column": "sex", "reference": "m"}],
    }
)
Row = tuple[str, int | None, int | None, str]
"""Income as it is written, the label of the window, that of the outcomes, the group of the outcomes."""
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2.50", "", "1e3"]),
        st.sampled_from([None, 0, 1]),
        st.sampled_from([None, 0, 1]),
        st.sampled_from(["", "f", 'say "m", or so']),
    ),
    min_size=1,
    max_size=12,
)


class Arrivals:
    """Windows and outcomes of a model in a folder."""

    def __init__(self, root: Path) -> None:
        self.folder, self.outcomes = root / "windows", root / "outcomes"
        self.folder.mkdir()
        self.outcomes.mkdir()
        origin = FileWindows(self.folder, FileDigests(root / "kept" / "digests.json"))
        self.matured = MaturedWindows(origin, self.outcomes, root / "kept", unheard)

    def put(self, name: str, text: str, moment: int) -> Path:
        """A window arrives."""
        path = self.folder / name
        path.write_text(text)
        os.utime(path, (moment, moment))
        return path

    def for_training(self) -> Given | None:
        """What a trainer gets."""
        return self.matured.for_training(CONTRACT)


@pytest.fixture
def arrivals(tmp_path: Path) -> Arrivals:
    return Arrivals(tmp_path)


def joined(root: Path, rows: Sequence[Row], own: bool, write: Callable[[pd.DataFrame], bytes], name: str) -> bytes:
    """What is written of a window, which tells labels or not, with outcomes as a join would have kept them."""
    window = pd.DataFrame({"unit": [str(number) for number in range(len(rows))], "income": [row[0] for row in rows]})
    if own:
        window["approved"] = pd.array([row[1] for row in rows], dtype="Int64")
    known = pa.table(
        {
            "approved": pa.array([float("nan") if row[2] is None else float(row[2]) for row in rows], pa.float64()),
            "sex": [row[3] for row in rows],
        }
    )
    pq.write_table(known, root / "known")
    (root / name).write_bytes(write(window))
    target = root / "training" / name
    write_labelled(root / name, root / "known", CONTRACT, target, unheard)
    assert [path.name for path in target.parent.iterdir()] == [name]
    assert target.stat().st_mode & 0o077 == 0
    return target.read_bytes()


def expected(rows: Sequence[Row], own: bool) -> list[tuple[str, int, str]]:
    """Told labels count, those of the window otherwise; rows without any are not there."""
    labels = [row[1] if row[2] is None and own else row[2] for row in rows]
    return [(row[0], label, row[3]) for row, label in zip(rows, labels, strict=True) if label is not None]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, own=st.booleans(), at_once=st.integers(1, 5))
def test_rows_are_joined_as_they_stand(
    rows: list[Row], own: bool, at_once: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the format and however many rows are in memory; cells of a text file stay as they were written."""
    with monkeypatch.context() as patched:
        patched.setattr(f"{write_labelled.__module__}.parts_of", partial(parts_of, rows=at_once))
        root = tmp_path_factory.mktemp("csv")
        text = joined(root, rows, own, lambda frame: frame.to_csv(index=False).encode(), "w.csv")
        root = tmp_path_factory.mktemp("parquet")
        data = joined(root, rows, own, lambda frame: frame.to_parquet(index=False), "w.parquet")
    read = pd.read_csv(io.BytesIO(text), dtype={"income": str, "sex": str}, keep_default_na=False)
    table = pq.read_table(io.BytesIO(data))
    for found in (read, table.to_pandas()):
        assert list(found.columns) == ["income", "approved", "sex"]
        assert list(found.itertuples(index=False, name=None)) == expected(rows, own)
    assert table.schema.field("approved").type == pa.int64()


def test_the_newest_window_with_labels_is_given(arrivals: Arrivals) -> None:
    """By outcomes, whatever has arrived since of which nothing is known; the same bytes whoever asks again."""
    arrivals.put("1.csv", "unit,income\na,1\nb,2\n", 1_000)
    arrivals.put("2.csv", "unit,income\nc,3\nd,4\n", 2_000)
    newest = arrivals.put("3.csv", "unit,income\ne,5\n", 3_000)
    assert arrivals.for_training() == Given(newest, digest_bytes(newest.read_bytes()))
    (arrivals.outcomes / "o.csv").write_text("unit,approved,sex\na,1,m\nd,0,f\nb,,\n")
    found = arrivals.for_training()
    assert found is not None
    assert found.path.read_text() == "income,approved,sex\n4,0,f\n"
    assert found.window == digest_bytes(b"unit,income\nc,3\nd,4\n")
    assert found.outcomes is not None
    assert arrivals.for_training() == found
    (arrivals.outcomes / "p.csv").write_text("unit,approved,sex\nc,1,f\n")
    again = arrivals.for_training()
    assert again is not None
    assert (again.window, again.path.read_text()) == (found.window, "income,approved,sex\n3,1,f\n4,0,f\n")
    assert found.path.exists()
    assert again.outcomes != found.outcomes


def test_a_window_that_tells_its_labels_is_given_as_it_is(arrivals: Arrivals) -> None:
    """Without `unit` nobody can tell more about it; where there is no window there is nothing to give."""
    assert arrivals.for_training() is None
    labelled = arrivals.put("1.csv", "income,approved\n1,0\n", 1_000)
    arrivals.put("2.csv", "income\n3\n", 2_000)
    (arrivals.outcomes / "o.csv").write_text("unit,approved,sex\na,1,m\n")
    assert arrivals.for_training() == Given(labelled, digest_bytes(labelled.read_bytes()))


def test_outcomes_that_cannot_be_read_are_no_reason_to_train_without(arrivals: Arrivals) -> None:
    """The step says which file it is, and somebody mends it."""
    arrivals.put("1.csv", "unit,income\na,1\n", 1_000)
    (arrivals.outcomes / "o.csv").write_text("unit,approved,sex\na,perhaps,m\n")
    with pytest.raises(InvalidInputError, match=r"o\.csv is not all numbers"):
        arrivals.for_training()


def test_few_of_them_are_kept(arrivals: Arrivals) -> None:
    """The disk does not fill with what trainers have read long ago."""
    for number in range(9):
        arrivals.put(f"{number}.csv", f"unit,income\n{number},{number}\n", 1_000 + number)
        (arrivals.outcomes / f"{number}.csv").write_text(f"unit,approved,sex\n{number},1,m\n")
        found = arrivals.for_training()
        assert found is not None
        assert found.path.read_text() == f"income,approved,sex\n{number},1,m\n"
        assert len(list(found.path.parent.iterdir())) == min(number + 1, 5)
