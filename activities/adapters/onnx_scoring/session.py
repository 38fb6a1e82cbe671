"""An ONNX model made ready to answer.

It has one float input of shape [n, k] and a float output whose last column is the probability of the favourable
outcome: what skl2onnx makes of a classifier with `zipmap=False`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.errors import InvalidInputError

Floats = NDArray[np.float32]

_ERRORS_ONLY = 3
_REMEDY = "Export one float input [n, inputs], in the order of the data contract, and a probability output."
_OUT_OF_MEMORY = ("Failed to allocate memory", "bad_alloc")


class Scorer:
    """A model in a session on one processor."""

    def __init__(self, model: bytes | Path, columns: int) -> None:
        """Load it; InvalidInputError if it is no model or does not fit, MemoryError."""
        self._session = _session(model)
        self._input = _input(self._session, columns)
        self._output = _output(self._session)

    def score(self, rows: Floats) -> Floats:
        """One number per row of [n, k]; InvalidInputError if the model fails on them, MemoryError."""
        try:
            (answers,) = self._session.run([self._output], {self._input: rows})
        except Exception as error:
            raise _refusal("the model fails", error) from error
        scores: Floats = np.asarray(answers, dtype=np.float32)
        if not scores.ndim or len(scores) != len(rows) or not scores.size:
            shape = list(scores.shape)
            raise InvalidInputError(f"the model answers {len(rows)} rows with a tensor of shape {shape}", _REMEDY)
        return scores.reshape(len(rows), -1)[:, -1]


def _session(model: bytes | Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _refusal("the model cannot be loaded", error) from error


def _refusal(what: str, error: Exception) -> Exception:
    """ONNX Runtime says in words only that it had no memory."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
        return MemoryError(f"{what}: there is not enough memory")
    return InvalidInputError(f"{what}: {error}", _REMEDY)


def _input(session: Any, columns: int) -> str:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        found = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs) or "nothing"
        wanted = f"one float tensor of shape [n, {columns}]"
        raise InvalidInputError(f"the model must read {wanted}; it reads {found}", _REMEDY)
    width = inputs[0].shape[1]
    if isinstance(width, int) and width != columns:
        raise InvalidInputError(f"the model reads {width} columns, the data contract has {columns} inputs", _REMEDY)
    return str(inputs[0].name)


def _output(session: Any) -> str:
    for output in session.get_outputs():
        if output.type == "tensor(float)":
            return str(output.name)
    found = ", ".join(f"{one.name}: {one.type}" for one in session.get_outputs())
    remedy = "Convert a classifier with zipmap=False."
    raise InvalidInputError(f"the model must answer with a float tensor, the probabilities; it has {found}", remedy)
