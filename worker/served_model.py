"""A bundle made ready to answer: its model in a session or a process, or its decision table, its data contract, its
sample request.

A request is bounded by its values alone. How much memory and time an ONNX model takes for them is not bounded here, for
it runs within the server: that it does not take too much is what the evaluation's bounded process has shown before.
A scikit-learn estimator has a process of its own, which ends with the last request to a version that is not loaded any
more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from timeit import repeat
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from activities.adapters.estimator_scoring.process import EstimatorProcess
from activities.adapters.oci_bundles import Bundle, OciBundles
from activities.adapters.onnx_scoring.session import Scorer
from activities.adapters.table_scoring import load_table, score_rows
from models.bundle.manifest import SAMPLE_FILE
from models.canonical import Digest, Slug
from models.errors import InvalidInputError, ModelopsError
from models.formats import FORMATS, Format
from models.inventory import DataContract
from worker.inference_protocol import Array, InferRequest, RequestInput, parse_request, read_columns

_QUICK = 0.002
"""Seconds."""

Answering = Callable[[Any], Array]
"""One score per row, float32, given rows, or columns (a decision table), in the data contract's order."""

_PLATFORMS = {
    Format.ONNX: "onnx_onnxruntime",
    Format.SKOPS: "sklearn_skops",
    Format.JOBLIB: "sklearn_joblib",
    Format.PICKLE: "sklearn_pickle",
    Format.DECISION_TABLE: "modelops_decision_table",
}


@dataclass(frozen=True)
class ServedModel:
    """One version, loaded from one bundle."""

    name: Slug
    version: int
    bundle: Digest
    form: Format
    contract: DataContract
    sample: InferRequest
    answering: Answering
    quick: bool = False
    """Whether a small request is answered sooner than it takes to hand it to another thread and back."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the inputs, in the data contract's order."""
        return tuple(column.name for column in self.contract.inputs)

    @property
    def platform(self) -> str:
        """What answers, as the protocol names it."""
        return _PLATFORMS[self.form]

    @property
    def inputs(self) -> tuple[tuple[str, str, list[int]], ...]:
        """Name, datatype and shape of each input tensor: one for all columns, or one for each if there are texts."""
        types = {column.name: column.type for column in self.contract.inputs}
        if "string" not in types.values():
            return (("input", "FP32", [-1, len(types)]),)
        return tuple((name, "BYTES" if kind == "string" else "FP64", [-1]) for name, kind in types.items())

    def predict(self, columns: Sequence[Array]) -> dict[str, Array]:
        """`score` (float32, [n]) and `label` (int64, [n]: 1 where the score is at least the contract's threshold).

        The columns are as `read_columns` gives them. InvalidInputError if one is text where the model reads numbers or
        does not fit float32, ModelopsError if the model itself fails on them.
        """
        given = self._given(columns)
        try:
            score = self.answering(given)
        except (InvalidInputError, MemoryError) as error:
            raise ModelopsError(f"version {self.version} of model '{self.name}' failed: {error}") from error
        label = (score.astype(np.float64) >= self.contract.threshold).astype(np.int64)
        return {"score": score, "label": label}

    def _given(self, columns: Sequence[Array]) -> Any:
        """What the model is given: rows of numbers, or the columns as they are; InvalidInputError."""
        if self.form is not Format.DECISION_TABLE:
            return _as_rows(columns, self.columns, np.float32 if self.form is Format.ONNX else np.float64)
        for column, declared in zip(columns, self.contract.inputs, strict=True):
            _check(column, declared.name, declared.type == "string")
        return columns


def load_model(bundles: OciBundles, bundle: Digest, name: str, version: int) -> ServedModel:
    """Read, verify and load a bundle; InvalidInputError if it is not a servable bundle of this version.

    Without a sample request in the bundle, one row of zeros stands for it. Errors of `OciBundles.verify` pass through.
    """
    return served(bundles.read(bundle, name, version))


def served(content: Bundle) -> ServedModel:
    """Load a bundle that was verified; InvalidInputError if it is not servable."""
    form, contract, bundle = content.config.submission.format, content.contract, content.digest
    if not FORMATS[form].served:
        known = ", ".join(one for one, packing in FORMATS.items() if packing.served)
        raise InvalidInputError(
            f"bundle {bundle} is a model as {form}, which no server of ours loads",
            f"export it as one of {known}, or deploy it to a target of its own",
        )
    answering = _READERS.get(form, _estimator)(content)
    declared = content.files.get(SAMPLE_FILE)
    sample = parse_request(declared.read_bytes()) if declared else _zeros(len(contract.inputs))
    model = ServedModel(content.model, content.version, bundle, form, contract, sample, answering)
    return model if FORMATS[form].runs_code else replace(model, quick=_is_quick(model))


def _is_quick(model: ServedModel) -> bool:
    """By its sample request, once it is warm; if it fails, the deployer's smoke test says so."""
    try:
        columns = read_columns(model.sample, model.columns)
        model.predict(columns)
        return min(repeat(partial(model.predict, columns), number=1, repeat=3)) <= _QUICK
    except ModelopsError:
        return False


def _onnx(content: Bundle) -> Answering:
    try:
        scorer = Scorer(content.model_path.read_bytes(), len(content.contract.inputs))
    except (InvalidInputError, MemoryError) as error:
        raise _unusable(content, error) from error
    return scorer.score


def _table(content: Bundle) -> Answering:
    table = load_table(content.model_path)
    names = [column.name for column in content.contract.inputs]
    return lambda columns: score_rows(table, dict(zip(names, columns, strict=True))).astype(np.float32)


def _estimator(content: Bundle) -> Answering:
    names = [column.name for column in content.contract.inputs]
    try:
        process = EstimatorProcess(content.model_path.read_bytes(), content.config.submission.format, names)
    except (InvalidInputError, MemoryError) as error:
        raise _unusable(content, error) from error
    return lambda rows: process.score(rows).astype(np.float32)


_READERS: Mapping[Format, Callable[[Bundle], Answering]] = {Format.ONNX: _onnx, Format.DECISION_TABLE: _table}


def _unusable(content: Bundle, error: InvalidInputError | MemoryError) -> InvalidInputError:
    remedy = error.remedy if isinstance(error, InvalidInputError) else "give the server more memory"
    return InvalidInputError(f"{content.packing.file} of bundle {content.digest} cannot be used: {error}", remedy)


def _zeros(width: int) -> InferRequest:
    row = RequestInput(name="input", shape=(1, width), datatype="FP32", data=[0.0] * width)
    return InferRequest(inputs=(row,))


def _as_rows(columns: Sequence[Array], names: Sequence[str], dtype: DTypeLike) -> Array:
    """Shape [rows, columns]; InvalidInputError."""
    for column, name in zip(columns, names, strict=True):
        _check(column, name, textual=False)
    with np.errstate(over="ignore"):
        rows = np.array(columns, dtype=dtype)
    if np.isinf(rows).any():
        name = names[int(np.isinf(rows).any(axis=1).argmax())]
        raise InvalidInputError(f"column '{name}' holds a value that is too large for the model")
    return np.ascontiguousarray(rows.T)


def _check(column: Array, name: str, textual: bool) -> None:
    if (column.dtype.kind == "O") is not textual:
        holds, reads = ("numbers", "text") if textual else ("text", "numbers")
        raise InvalidInputError(f"column '{name}' holds {holds}, the model reads {reads}")
