"""The one reader of CSV files: what it takes, and what it refuses with row and column."""

from pathlib import Path

import numpy as np
import pytest

from activities.adapters.csv_table import read_table
from models.errors import InvalidInputError, MissingColumnError
from models.inventory import Column, DataContract

A, B, FLAG = Column(name="a"), Column(name="b", type="integer"), Column(name="flag", type="boolean")


def contract(*inputs: Column) -> DataContract:
    return DataContract(inputs=inputs, outputs=(Column(name="p"),), label="y")


def written(folder: Path, data: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        "a,b\n1.5,2\n,-3e2\n",
        b"\xef\xbb\xbfa,b\r\n1.5,2\r\n,-3e2\r\n",
        'a,b\n\n"1.5", 2 \n\n,-300\n',
        "b,extra,a\n2,text,+1.5\n-300,text\n",
        "a,b\n1.5,2,\n,-300.,\n",
    ],
    ids=["plain", "byte order mark", "quoted and blank", "another order, short row", "trailing commas"],
)
def test_numbers(tmp_path: Path, data: str | bytes) -> None:
    """However it is spelt, the same data gives the same numbers in the contract's order, a gap as NaN."""
    table = read_table(written(tmp_path, data), ["a", "b"])
    np.testing.assert_array_equal(table.inputs(contract(A, B)), [[1.5, 2], [np.nan, -300]])


def test_booleans_are_words(tmp_path: Path) -> None:
    """True and false of a boolean column are 1 and 0, in any case; of another column they are no numbers."""
    path = written(tmp_path, "flag,a\ntrue,1\nFalse,2\n0,3\n,true\n")
    table = read_table(path, ["flag", "a"])
    np.testing.assert_array_equal(table.numbers(FLAG), [1, 0, 0, np.nan])
    with pytest.raises(InvalidInputError, match=r"column 'a' of .*data\.csv is not all numbers: row 4 holds 'true'"):
        table.numbers(A)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "nan", "NA", "0x10", "1_0", "1j", "\u0661", "1,5", "1e", "."])
def test_what_is_no_number(tmp_path: Path, cell: str) -> None:
    """What is not a plain finite number is refused with row, column and a way out."""
    table = read_table(written(tmp_path, f'a\n1\n"{cell}"\n'), ["a"])
    with pytest.raises(InvalidInputError, match=r"column 'a' .* row 2 holds") as refused:
        table.numbers(A)
    assert "leave the cell of a missing value empty" in refused.value.remedy


@pytest.mark.parametrize("cell", ["1e39", "-3.5e38", "1e999", "9" * 400])
def test_too_large_a_number(tmp_path: Path, cell: str) -> None:
    """A number that a 32-bit float cannot hold is refused with row and column, however many digits it has."""
    table = read_table(written(tmp_path, f"a\n3.4e38\n{cell}\n"), ["a"])
    with pytest.raises(InvalidInputError, match=r"column 'a' .* too large for a model: row 2 holds"):
        table.numbers(A)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "is empty"),
        ("a\n", "a header but no rows"),
        ("a,b\n1,2\n9,1,2\n", "row 2 of .* has 3 cells, the header 2"),
        ("a,a\n1,2\n", "more than one column 'a'"),
        ('a\n"1\n', "is not a CSV file"),
        (b"a\n\xe9\n", "is not a CSV file"),
        ("a\n" + "1" * 200_000, "is not a CSV file"),
    ],
)
def test_refused(tmp_path: Path, data: str | bytes, problem: str) -> None:
    """Data that could be read in two ways is read in none."""
    with pytest.raises(InvalidInputError, match=problem):
        read_table(written(tmp_path, data), ["a"])


def test_missing_column(tmp_path: Path) -> None:
    """A missing column is named with a few of those that are there, however many and long they are."""
    names = ["x" * 1_000, *(f"column_{number}" for number in range(1, 60))]
    path = written(tmp_path, ",".join(names) + "\n" + ",".join("1" * 60) + "\n")
    with pytest.raises(
        MissingColumnError, match=r"'a' is missing in .*data\.csv; found: x+\.\.\., column_1"
    ) as missing:
        read_table(path, ["a"])
    assert str(missing.value).endswith("column_9, and 50 more")
    assert len(str(missing.value)) < 600


def test_welcome_columns(tmp_path: Path) -> None:
    """Welcome columns are there if the file has them, and only the first rows are read if no more are asked for."""
    path = written(tmp_path, "a,y,z\n1,0,u\n2,1,v\n")
    assert dict(read_table(path, ["a"], welcome=["y", "w"]).cells) == {"a": ["1", "2"], "y": ["0", "1"]}
    assert read_table(path, ["a"], at_most=1).rows == 1


def test_text_is_no_input(tmp_path: Path) -> None:
    """A string column is refused as an input of a model."""
    with pytest.raises(InvalidInputError, match="input 'a' is a string"):
        read_table(written(tmp_path, "a\n1\n"), ["a"]).inputs(contract(Column(name="a", type="string")))
