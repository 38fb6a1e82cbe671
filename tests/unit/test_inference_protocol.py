"""The Open Inference Protocol v2: what a request may say, what an answer says."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from worker.inference_protocol import answer, parse_request, read_columns

NAMES = ("income", "debt", "years")


def _body(*inputs: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"inputs": inputs, **more}).encode()


def _tensor(data: list[Any], shape: list[int], datatype: str = "FP32", name: str = "input") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def _rows(*inputs: dict[str, Any]) -> list[list[Any]]:
    columns = read_columns(parse_request(_body(*inputs)), NAMES)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _refusal(body: bytes) -> str:
    with pytest.raises(InvalidInputError) as refused:
        read_columns(parse_request(body), NAMES)
    return str(refused.value)


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
@pytest.mark.parametrize("data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]], ids=["flat", "nested"])
def test_one_tensor_gives_the_columns_in_the_contracts_order(data: list[Any], datatype: str) -> None:
    """One tensor of shape [n, k], flat or nested, is read row by row."""
    assert _rows(_tensor(data, [2, 3], datatype)) == [[1, 2, 3], [4, 5, 6]]


def test_named_tensors_are_put_into_the_contracts_order() -> None:
    """One tensor per column may come in any order, each with its own datatype and as [n] or [n, 1]."""
    given_order = (
        _tensor([5, 6], [2], "INT64", "years"),
        _tensor([0.5, 1.5], [2, 1], "FP64", "income"),
        _tensor([True, False], [2], "BOOL", "debt"),
    )
    assert _rows(*given_order) == [[0.5, True, 5], [1.5, False, 6]]


def test_null_is_a_missing_value() -> None:
    """A null among floats is NaN, which the models impute."""
    (row,) = _rows(_tensor([1.0, None, 3.0], [1, 3]))
    assert (row[0], row[2]) == (1.0, 3.0)
    assert np.isnan(row[1])


def test_values_are_bounded() -> None:
    """A request of too many values is refused before anything is made of them."""
    assert "at most 1000000" in _refusal(_body(_tensor([1], [400_000, 3])))


@pytest.mark.parametrize("width", [2, 4])
def test_a_wrong_number_of_columns_names_the_expected_ones(width: int) -> None:
    """Too few or too many columns are refused with the names of those expected, in order."""
    refusal = _refusal(_body(_tensor([1.0] * width, [1, width])))
    assert f"{width} columns" in refusal
    assert "income, debt, years" in refusal


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (_tensor([1, 2], [1, 3]), "holds 3 values, the data has 2"),
        (_tensor([1, "2", 3], [1, 3]), "value 1 is a string, not FP32"),
        (_tensor([1, True, 3], [1, 3]), "value 1 is a boolean, not FP32"),
        (_tensor([1, None, 3], [1, 3], "INT64"), "value 1 is null, not INT64"),
        (_tensor([1, 2.5, 3], [1, 3], "INT64"), "value 1 is a number, not INT64"),
        (_tensor([1, 2**63, 3], [1, 3], "INT64"), "does not fit INT64"),
        (_tensor([1, 1e300, 3], [1, 3]), "too large for FP32"),
        (_tensor([1, {}, 3], [1, 3]), "value 1 is an object"),
        (_tensor([], [0, 3]), "no rows"),
        (_tensor([1, 2, 3], [3]), "expected is one tensor of shape [n, 3]"),
        (_tensor([1, 2, 3], [1, 3], "UINT8"), "inputs.0.datatype"),
        (_tensor([1, 2, 3], [-1, 3]), "inputs.0.shape.0"),
        (_tensor([1, 2, 3], [1, 1, 3]), "inputs.0.shape"),
    ],
)
def test_a_tensor_that_contradicts_itself_is_refused(tensor: dict[str, Any], reason: str) -> None:
    """Data that does not fit its own shape or datatype is refused with the place."""
    assert reason in _refusal(_body(tensor))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b"{}", "inputs: Field required"),
        (_body(), "inputs"),
        (b'{"inputs": [{"name": "a"}]}', "inputs.0.shape: Field required"),
        (b"[" * 10_000, "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
    ],
)
def test_what_is_not_an_inference_request_is_refused(body: bytes, reason: str) -> None:
    """A body that is not a request is refused with the place that is wrong."""
    assert reason in _refusal(body)


@pytest.mark.parametrize(
    "names", [("income", "debt"), ("income", "debt", "age"), ("income", "income", "debt", "years")]
)
def test_named_tensors_must_be_the_contracts_inputs(names: tuple[str, ...]) -> None:
    """A missing, an unknown or a repeated column is refused with the names of those expected."""
    assert "income, debt, years" in _refusal(_body(*(_tensor([1.0], [1], name=name) for name in names)))


def test_named_tensors_must_agree_on_the_rows() -> None:
    """Columns of different lengths are no rows."""
    tensors = [_tensor([1.0] * n, [n], name=name) for n, name in enumerate(NAMES, start=1)]
    assert "number of rows" in _refusal(_body(*tensors))


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1)
)
def test_every_finite_value_arrives_unchanged(rows: list[list[float]]) -> None:
    """FP32 values survive the way through JSON bit by bit, and both forms of a request mean the same."""
    flat = [value for row in rows for value in row]
    columns = [_tensor([row[i] for row in rows], [len(rows)], name=name) for i, name in enumerate(NAMES)]
    assert _rows(_tensor(flat, [len(rows), 3])) == rows
    assert _rows(*columns) == rows


SCORES = {"score": np.array([0.25, 0.75], dtype=np.float32), "label": np.array([0, 1])}


def _answer(outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    request = parse_request(_body(_tensor([1, 2, 3], [1, 3]), **more))
    answered: dict[str, Any] = json.loads(answer(request, "loan-approval", 2, outputs or SCORES))
    return answered


def test_an_answer_has_the_protocols_fields() -> None:
    """An answer names model and version, echoes the id, and describes each output tensor."""
    assert _answer(id="42") == {
        "model_name": "loan-approval",
        "model_version": "2",
        "id": "42",
        "outputs": [
            {"name": "score", "shape": [2], "datatype": "FP32", "data": [0.25, 0.75]},
            {"name": "label", "shape": [2], "datatype": "INT64", "data": [0, 1]},
        ],
    }


def test_an_id_that_was_not_given_is_not_invented() -> None:
    """Without an id in the request there is none in the answer."""
    assert "id" not in _answer()


def test_only_the_outputs_asked_for_are_answered() -> None:
    """A request may choose among the outputs; the keys of later protocol versions are passed over."""
    asked = _answer(outputs=None, parameters={"priority": 1}, id="")
    assert asked["id"] == ""
    request = parse_request(_body(_tensor([1, 2, 3], [1, 3]), outputs=[{"name": "label", "parameters": {}}]))
    assert [output["name"] for output in json.loads(answer(request, "m", 1, SCORES))["outputs"]] == ["label"]


def test_an_output_nobody_has_is_refused() -> None:
    """Asking for an unknown output is refused with those that there are."""
    request = parse_request(_body(_tensor([1, 2, 3], [1, 3]), outputs=[{"name": "odds"}]))
    with pytest.raises(InvalidInputError, match="there are score, label"):
        answer(request, "m", 1, SCORES)


def test_a_score_that_is_not_finite_is_null() -> None:
    """JSON has no NaN: such a score is answered as null."""
    odd = {"score": np.array([np.nan, np.inf, 0.5], dtype=np.float32)}
    assert _answer(odd)["outputs"][0]["data"] == [None, None, 0.5]
