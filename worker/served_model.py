"""A bundle made ready to answer: its model in a session or its decision table, its data contract, its sample request.

A request is bounded by its values alone. How much memory and time the model takes for them is not bounded here, for
it runs within the server: that it does not take too much is what the evaluation's bounded process has shown before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from activities.adapters.oci_bundles import Bundle, OciBundles
from activities.adapters.onnx_scoring.session import Scorer
from activities.adapters.table_scoring import load_table, score_rows
from models.bundle.manifest import SAMPLE_FILE
from models.canonical import Digest, Slug
from models.errors import InvalidInputError, ModelopsError
from models.formats import FORMATS, Format
from models.inventory import DataContract
from worker.inference_protocol import Array, InferRequest, RequestInput, parse_request

Answering = Callable[[Sequence[Array]], Array]
"""One score per row, float32, given the columns in the data contract's order."""

_PLATFORMS = {Format.ONNX: "onnx_onnxruntime", Format.DECISION_TABLE: "modelops_decision_table"}


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
        for column, declared in zip(columns, self.contract.inputs, strict=True):
            _check(column, declared.name, declared.type == "string")
        try:
            score = self.answering(columns)
        except (InvalidInputError, MemoryError) as error:
            raise ModelopsError(f"version {self.version} of model '{self.name}' failed: {error}") from error
        label = (score.astype(np.float64) >= self.contract.threshold).astype(np.int64)
        return {"score": score, "label": label}


def load_model(bundles: OciBundles, bundle: Digest, name: str, version: int) -> ServedModel:
    """Read, verify and load a bundle; InvalidInputError if it is not a servable bundle of this version.

    Without a sample request in the bundle, one row of zeros stands for it. Errors of `OciBundles.verify` pass through.
    """
    content = bundles.read(bundle, name, version)
    form, contract = content.config.submission.format, content.contract
    if not FORMATS[form].served:
        served = ", ".join(one for one, packing in FORMATS.items() if packing.served)
        raise InvalidInputError(
            f"bundle {bundle} is a model as {form}, which no server of ours loads",
            f"export it as one of {served}, or deploy it to a target of its own",
        )
    answering = _onnx(content) if form is Format.ONNX else _table(content)
    declared = content.files.get(SAMPLE_FILE)
    sample = parse_request(declared.read_bytes()) if declared else _zeros(len(contract.inputs))
    return ServedModel(name, version, bundle, form, contract, sample, answering)


def _onnx(content: Bundle) -> Answering:
    try:
        scorer = Scorer(content.model_path.read_bytes(), len(content.contract.inputs))
    except (InvalidInputError, MemoryError) as error:
        remedy = error.remedy if isinstance(error, InvalidInputError) else "give the server more memory"
        named = f"{content.packing.file} of bundle {content.digest}"
        raise InvalidInputError(f"{named} cannot be used: {error}", remedy) from error
    return lambda columns: scorer.score(np.column_stack([_narrow(column) for column in columns]))


def _table(content: Bundle) -> Answering:
    table = load_table(content.model_path)
    names = [column.name for column in content.contract.inputs]
    return lambda columns: score_rows(table, dict(zip(names, columns, strict=True))).astype(np.float32)


def _zeros(width: int) -> InferRequest:
    row = RequestInput(name="input", shape=(1, width), datatype="FP32", data=[0.0] * width)
    return InferRequest(inputs=(row,))


def _check(column: Array, name: str, textual: bool) -> None:
    if (column.dtype.kind == "O") is not textual:
        holds, reads = ("numbers", "text") if textual else ("text", "numbers")
        raise InvalidInputError(f"column '{name}' holds {holds}, the model reads {reads}")
    if not textual and np.isinf(_narrow(column)).any():
        raise InvalidInputError(f"column '{name}' holds a value that is too large for the model")


def _narrow(column: Array) -> Array:
    with np.errstate(over="ignore"):
        return column.astype(np.float32)
