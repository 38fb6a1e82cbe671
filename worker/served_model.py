"""A bundle made ready to answer: its ONNX model in a session, its data contract, its sample request.

A model has one float input of shape [n, k], the k inputs of the data contract in order, and a float output whose
last column is the probability of the favourable outcome: what skl2onnx makes of a classifier with `zipmap=False`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from activities.adapters.oci_packager import MODEL_FILE, SAMPLE_FILE, read_bundle
from activities.ports import ArtifactStore
from models.canonical import Digest, Slug
from models.errors import InvalidInputError, ModelopsError
from models.inventory import DataContract
from worker.inference_protocol import Array, InferRequest, RequestInput, expectation, parse_request

_ERRORS_ONLY = 3


@dataclass(frozen=True)
class ServedModel:
    """One version, loaded from one bundle."""

    name: Slug
    version: int
    bundle: Digest
    contract: DataContract
    sample: InferRequest
    session: Any
    score: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the inputs, in the data contract's order."""
        return _names(self.contract)

    def predict(self, columns: Sequence[Array]) -> dict[str, Array]:
        """`score` (float32, [n]) and `label` (int64, [n]: 1 where the score is at least the contract's threshold).

        The columns are as `read_columns` gives them. InvalidInputError if one is text or does not fit float32,
        ModelopsError if the model itself fails on them.
        """
        rows = np.column_stack([_as_float(column, name) for column, name in zip(columns, self.columns, strict=True)])
        try:
            (answers,) = self.session.run([self.score], {self.session.get_inputs()[0].name: rows})
            score = np.asarray(answers, dtype=np.float32).reshape(len(rows), -1)[:, -1]
        except Exception as error:
            raise ModelopsError(f"version {self.version} of model '{self.name}' failed: {error}") from error
        label = (score.astype(np.float64) >= self.contract.threshold).astype(np.int64)
        return {"score": score, "label": label}


def load_model(store: ArtifactStore, bundle: Digest, name: str, version: int) -> ServedModel:
    """Read, verify and load a bundle; InvalidInputError if it is not a servable bundle of this version.

    Without a sample request in the bundle, one row of zeros stands for it. Errors of `read_bundle` pass through.
    """
    content = read_bundle(store, bundle)
    if (content.model, content.version) != (name, version):
        found = f"version {content.version} of model '{content.model}'"
        raise InvalidInputError(f"bundle {bundle} is {found}, not version {version} of '{name}'")
    session = _session(content.model_path.read_bytes(), bundle)
    _check_input(session, _names(content.contract))
    declared = content.files.get(SAMPLE_FILE)
    sample = parse_request(declared.read_bytes()) if declared else _zeros(len(content.contract.inputs))
    return ServedModel(name, version, bundle, content.contract, sample, session, _score_output(session))


def _names(contract: DataContract) -> tuple[str, ...]:
    return tuple(column.name for column in contract.inputs)


def _session(data: bytes, bundle: Digest) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InvalidInputError(f"{MODEL_FILE} of bundle {bundle} cannot be loaded: {error}") from error


def _check_input(session: Any, names: Sequence[str]) -> None:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        found = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        raise InvalidInputError(f"{MODEL_FILE} must read one float tensor of shape [n, {len(names)}]; it reads {found}")
    width = inputs[0].shape[1]
    if isinstance(width, int) and width != len(names):
        raise InvalidInputError(f"{MODEL_FILE} reads {width} columns: {expectation(names)}")


def _score_output(session: Any) -> str:
    for output in session.get_outputs():
        if output.type == "tensor(float)":
            return str(output.name)
    found = ", ".join(f"{one.name}: {one.type}" for one in session.get_outputs())
    remedy = "convert a classifier with zipmap=False"
    raise InvalidInputError(f"{MODEL_FILE} must answer with a float tensor, the probabilities; it has {found}", remedy)


def _zeros(width: int) -> InferRequest:
    row = RequestInput(name="input", shape=(1, width), datatype="FP32", data=[0.0] * width)
    return InferRequest(inputs=(row,))


def _as_float(column: Array, name: str) -> Array:
    if column.dtype.kind == "O":
        raise InvalidInputError(f"column '{name}' holds text, the model reads numbers")
    with np.errstate(over="ignore"):
        cast = column.astype(np.float32)
    if np.isinf(cast).any():
        raise InvalidInputError(f"column '{name}' holds a value that is too large for the model")
    return cast
