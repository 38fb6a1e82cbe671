"""Columns that came, went or hold something else are told, though the window cannot be measured."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from activities.adapters.column_kinds import columns_of, header_of
from models.errors import InvalidInputError
from models.inventory import Column, DataContract, Protected
from models.schema import SchemaReport, compare_columns

CONTRACT = DataContract(
    inputs=(
        Column(name="age", type="integer"),
        Column(name="income"),
        Column(name="member", type="boolean"),
        Column(name="region", type="string"),
    ),
    outputs=(Column(name="p"),),
    label="repaid",
    protected=(Protected(column="sex", reference="m"),),
)
TRAINING = "case,age,income,member,region,repaid,sex"


def compared(folder: Path, header: str, *rows: str) -> SchemaReport:
    (folder / "window.csv").write_text("\n".join([header, *rows, ""]))
    return compare_columns(CONTRACT, TRAINING.split(","), columns_of(folder / "window.csv", CONTRACT))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (TRAINING, "1,40,1e3,true,north,1,m"),
        ("age,income,member,region", "40,.5,0,7"),
        ("region,member,income,age,score,unit", ",,,,.5,a"),
    ],
)
def test_what_is_as_it_was(header: str, row: str, tmp_path: Path) -> None:
    """Columns in another order, missing values, outcomes that are not known yet, and columns of ours are no change."""
    report = compared(tmp_path, header, row)
    assert report == SchemaReport()
    assert report.taken().readings[0].value == 0
    assert not report.taken().details


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("age,member,region", "40,1,n", "went: income"),
        ("years,income,member,region", "40,1,1,n", "came: years; went: age"),
        ("age,income,member,region,repaid", "40,1,1,n,1", "went: sex"),
        ("age,income,member,region", "old,1,1,n", "is not all numbers: row 1 holds 'old'"),
        ("age,income,member,region", "40.5,1,1,n", "column 'age' holds 40.5, which is no integer"),
        ("age,income,member,region", "40,1,2,n", "column 'member' holds 2, which is no boolean"),
        ("age,income,member,region", "40,nan,1,n", "row 1 holds 'nan'"),
    ],
)
def test_what_has_changed(header: str, row: str, words: str, tmp_path: Path) -> None:
    """Each column that came, went, or holds what the contract does not say."""
    report = compared(tmp_path, header, row)
    assert words in report.in_words
    assert report.taken().readings[0].value == 1 + words.count(";")
    assert report.taken().details == {"schema_changes": report.in_words}


def test_types_of_parquet(tmp_path: Path) -> None:
    """Texts that have become numbers, and numbers that have become texts; a value that is no number is no type."""
    path = tmp_path / "window.parquet"
    columns = {
        "age": pa.array(["40"]),
        "income": pa.array([float("nan")]),
        "member": pa.array([True]),
        "region": pa.array([7]),
    }
    pq.write_table(pa.table(columns), path)
    report = compare_columns(CONTRACT, TRAINING.split(","), columns_of(path, CONTRACT))
    assert report.changed.keys() == {"age", "region"}
    assert report.changed["region"] == "column 'region' is of type int64"
    assert list(header_of(path)) == list(columns)
    path.write_bytes(b"PAR1")
    with pytest.raises(InvalidInputError, match="is not a Parquet file"):
        columns_of(path, CONTRACT)
