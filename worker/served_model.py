"""A bundle made ready to answer: its ONNX model in a session, its data contract, its sample request.

A request is bounded by its values alone. How much memory and time the model takes for them is not bounded here, for
it runs within the server: that it does not take too much is what the evaluation's bounded process has shown before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from timeit import repeat

import numpy as np

from activities.adapters.oci_packager import MODEL_FILE, SAMPLE_FILE, read_bundle
from activities.adapters.onnx_scoring.session import Scorer
from activities.ports import ArtifactStore
from models.canonical import Digest, Slug
from models.errors import InvalidInputError, ModelopsError
from models.inventory import DataContract
from worker.inference_protocol import Array, InferRequest, RequestInput, parse_request, read_columns

_QUICK = 0.002
"""Seconds."""


@dataclass(frozen=True)
class ServedModel:
    """One version, loaded from one bundle."""

    name: Slug
    version: int
    bundle: Digest
    contract: DataContract
    sample: InferRequest
    scorer: Scorer
    quick: bool = False
    """Whether a small request is answered sooner than it takes to hand it to another thread and back."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the inputs, in the data contract's order."""
        return _names(self.contract)

    def predict(self, columns: Sequence[Array]) -> dict[str, Array]:
        """`score` (float32, [n]) and `label` (int64, [n]: 1 where the score is at least the contract's threshold).

        The columns are as `read_columns` gives them. InvalidInputError if one is text or does not fit float32,
        ModelopsError if the model itself fails on them.
        """
        rows = _as_rows(columns, self.columns)
        try:
            score = self.scorer.score(rows)
        except (InvalidInputError, MemoryError) as error:
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
    scorer = _scorer(content.model_path.read_bytes(), len(content.contract.inputs), bundle)
    declared = content.files.get(SAMPLE_FILE)
    sample = parse_request(declared.read_bytes()) if declared else _zeros(len(content.contract.inputs))
    model = ServedModel(name, version, bundle, content.contract, sample, scorer)
    return replace(model, quick=_is_quick(model))


def _is_quick(model: ServedModel) -> bool:
    """By its sample request, once it is warm; if it fails, the deployer's smoke test says so."""
    try:
        columns = read_columns(model.sample, model.columns)
        model.predict(columns)
        return min(repeat(partial(model.predict, columns), number=1, repeat=3)) <= _QUICK
    except ModelopsError:
        return False


def _names(contract: DataContract) -> tuple[str, ...]:
    return tuple(column.name for column in contract.inputs)


def _scorer(model: bytes, columns: int, bundle: Digest) -> Scorer:
    try:
        return Scorer(model, columns)
    except (InvalidInputError, MemoryError) as error:
        remedy = error.remedy if isinstance(error, InvalidInputError) else "give the server more memory"
        raise InvalidInputError(f"{MODEL_FILE} of bundle {bundle} cannot be used: {error}", remedy) from error


def _zeros(width: int) -> InferRequest:
    row = RequestInput(name="input", shape=(1, width), datatype="FP32", data=[0.0] * width)
    return InferRequest(inputs=(row,))


def _as_rows(columns: Sequence[Array], names: Sequence[str]) -> Array:
    """Shape [rows, columns], float32; InvalidInputError."""
    for column, name in zip(columns, names, strict=True):
        if column.dtype.kind == "O":
            raise InvalidInputError(f"column '{name}' holds text, the model reads numbers")
    with np.errstate(over="ignore"):
        rows = np.array(columns, dtype=np.float32)
    if np.isinf(rows).any():
        name = names[int(np.isinf(rows).any(axis=1).argmax())]
        raise InvalidInputError(f"column '{name}' holds a value that is too large for the model")
    return np.ascontiguousarray(rows.T)
