"""A file that is read by blocks is the file that is read row by row: the same cells, or the same refusal."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from activities.adapters import csv_blocks
from activities.adapters.csv_blocks import CsvPart, csv_parts
from activities.adapters.csv_table import Table, read_tables
from activities.adapters.window_parts import Part
from models.errors import InvalidInputError
from models.inventory import Column

PIECES = [
    "a",
    "b",
    "1",
    "-2.5",
    "1e39",
    "nan",
    "+1",
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    "\r",
    '"',
    '""',
    " ",
    "é",
    "\0",
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def told(read: Callable[[], Iterable[Part]]) -> list[list[str]] | str:
    """Both columns of all parts, or why they cannot be read, but for where in a buffer of its own a decoder stood."""
    cells: list[list[str]] = [[], []]
    try:
        for part in read():
            for column, name in zip(cells, ("a", "b"), strict=True):
                column.extend(part.texts(name) if name in part.header else [""] * part.rows)
    except InvalidInputError as error:
        return re.sub(r"position \d+", "", str(error))
    return cells


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text="+1\néa", named="")
@given(text=texts, named=st.sampled_from(["a,b\n", '"a",b\r\n', "\na\n", "\ufeffb,x,a\n", ""]))
def test_blocks_hold_what_rows_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, named: str) -> None:
    """Whatever is in a file: quotes, blank lines, short rows, odd line ends, what is not UTF-8."""
    monkeypatch.setattr(csv_blocks, "BLOCK", 16)
    path = tmp_path / "window.csv"
    path.write_bytes(
        (named + text).encode().replace("é".encode(), b"\xe9") if "+1" in text else (named + text).encode()
    )
    assert told(lambda: csv_parts(path, ["a"], ["b"], 3)) == told(lambda: read_tables(path, ["a"], ["b"], 3))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.one_of(st.floats(width=32).map(str), st.sampled_from(["", "true", " 1 ", "+1", ".5", "1_0"]))))
def test_numbers_are_the_same(tmp_path: Path, cells: list[str]) -> None:
    """A column is the same numbers, or is refused in the same words: those name the row."""
    path = tmp_path / "window.csv"
    path.write_text("\n".join(["n,m", *(f"{cell},x" for cell in cells), ""]))
    column = Column(name="n", type="boolean" if "true" in cells else "number")
    found = [
        numbers_of(lambda: csv_parts(path, ["n"], [], 4), column),
        numbers_of(lambda: read_tables(path, ["n"], [], 4), column),
    ]
    assert found[0] == found[1]


def numbers_of(read: Callable[[], Iterable[Part]], column: Column) -> list[str] | str:
    try:
        return [repr(value) for part in read() for value in part.numbers(column).tolist()]
    except InvalidInputError as error:
        return str(error)


def test_blocks_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain and quoted cells are read by blocks; from the block on in which a line breaks within a cell, by rows."""
    monkeypatch.setattr(csv_blocks, "BLOCK", 64)
    path = tmp_path / "window.csv"
    plain = "".join(f'{row},"x, ""{row}"""\n' for row in range(20))
    path.write_text(f'n,t\n{plain}20,"two\nlines"\n21,\n')
    parts = list(csv_parts(path, ["n", "t"], [], 100))
    assert [type(part) for part in parts[:-1]] == [CsvPart] * (len(parts) - 1)
    assert type(parts[-1]) is Table
    np.testing.assert_array_equal(np.concatenate([part.numbers(Column(name="n")) for part in parts]), range(22))
    assert [text for part in parts for text in part.texts("t")][19:] == ['x, "19"', "two\nlines", ""]


def test_a_refusal_names_the_row_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted through all blocks."""
    monkeypatch.setattr(csv_blocks, "BLOCK", 32)
    path = tmp_path / "window.csv"
    path.write_text("n\n" + "1\n" * 90 + "inf\n")
    with pytest.raises(InvalidInputError, match=r"column 'n' of .*window\.csv is not all numbers: row 91 holds 'inf'"):
        [part.numbers(Column(name="n")) for part in csv_parts(path, ["n"], [], 7)]
