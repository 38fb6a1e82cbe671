"""The Open Inference Protocol v2 over REST: how a request reads and how an answer is written.

Source: `specification/protocol/inference_rest.md` of kserve/open-inference-protocol. Accepted are BOOL, INT64, FP32,
FP64 and BYTES, data flat or nested. A `null` in FP32 or FP64 is a missing value (NaN: our models impute); anywhere
else it is an error. A request gives its rows in one of two forms:

    one tensor, any name, shape [n, k]         the k inputs of the data contract, in its order
    k tensors named as the inputs, shape [n]   any order; [n, 1] will do as well

It gives at most MAX_VALUES values, rows times columns. Its parameter `unit` says what it is about, a customer or an
account: while a model's requests are divided, one unit is always answered by the same version.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import to_json

from models.errors import InvalidInputError

Datatype = Literal["BOOL", "INT64", "FP32", "FP64", "BYTES"]
Array: TypeAlias = NDArray[Any]

MAX_VALUES = 1_000_000
MAX_UNIT = 500

_ALLOWED: Mapping[Datatype, tuple[frozenset[type], DTypeLike]] = {
    "BOOL": (frozenset({bool}), np.bool_),
    "INT64": (frozenset({int}), np.int64),
    "FP32": (frozenset({int, float, type(None)}), np.float32),
    "FP64": (frozenset({int, float, type(None)}), np.float64),
    "BYTES": (frozenset({str}), np.object_),
}


class _Message(BaseModel):
    """Part of a request; keys that the protocol does not name are passed over, as other servers do."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RequestInput(_Message):
    """One input tensor."""

    name: str
    shape: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=2)
    datatype: Datatype
    data: list[JsonValue]


class RequestOutput(_Message):
    """An output that is asked for."""

    name: str


class RequestParameters(_Message):
    """The parameters that we know: what the request is about."""

    unit: Annotated[str, Field(min_length=1, max_length=MAX_UNIT)] | None = None


class InferRequest(_Message):
    """One inference request."""

    id: Annotated[str, Field(max_length=MAX_UNIT)] | None = None
    parameters: RequestParameters | None = None
    inputs: tuple[RequestInput, ...] = Field(min_length=1)
    outputs: tuple[RequestOutput, ...] = ()


def parse_request(body: bytes) -> InferRequest:
    """The request in some JSON; InvalidInputError names every place that is wrong."""
    try:
        return InferRequest.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInputError(f"this is not an inference request: {describe(error)}") from error


def describe(error: ValidationError) -> str:
    """A validation error in one line: place and reason, without the values."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(": ".join(filter(None, [".".join(map(str, one["loc"])), one["msg"]])) for one in details[:5])


def read_columns(request: InferRequest, names: Sequence[str]) -> list[Array]:
    """The request's values as one array of shape [n] per name, in the order of the names; InvalidInputError."""
    values = sum(prod(tensor.shape) for tensor in request.inputs)
    if values > MAX_VALUES:
        raise InvalidInputError(f"the request gives {values} values, at most {MAX_VALUES} are taken: send it in parts")
    only = request.inputs[0]
    if len(request.inputs) == 1 and len(only.shape) == 2:
        columns = _split(only, names)
    else:
        columns = _collect(request.inputs, names)
    if len({len(column) for column in columns}) != 1:
        raise InvalidInputError("the input tensors differ in their number of rows")
    if not len(columns[0]):
        raise InvalidInputError("there are no rows: send at least one")
    return columns


def answer(request: InferRequest, model: str, version: int, outputs: Mapping[str, Array]) -> bytes:
    """The inference response as JSON: the outputs asked for, or all. A value that is not finite is `null`."""
    wanted = list(dict.fromkeys(output.name for output in request.outputs)) or list(outputs)
    if unknown := [name for name in wanted if name not in outputs]:
        raise InvalidInputError(f"no output is named {', '.join(unknown)}: there are {', '.join(outputs)}")
    echoed = {} if request.id is None else {"id": request.id}
    tensors = [_output(name, outputs[name]) for name in wanted]
    body = {"model_name": model, "model_version": str(version), **echoed, "outputs": tensors}
    return to_json(body, inf_nan_mode="null")


def expectation(names: Sequence[str]) -> str:
    """In words, what a request must give."""
    return f"expected is one tensor of shape [n, {len(names)}] with the columns {', '.join(names)} in this order"


def _split(tensor: RequestInput, names: Sequence[str]) -> list[Array]:
    if tensor.shape[1] != len(names):
        raise InvalidInputError(f"tensor '{tensor.name}' has {tensor.shape[1]} columns: {expectation(names)}")
    return list(_values(tensor).reshape(tensor.shape).T)


def _collect(tensors: Sequence[RequestInput], names: Sequence[str]) -> list[Array]:
    given = {tensor.name: tensor for tensor in tensors}
    if len(given) != len(tensors) or given.keys() != set(names):
        found = ", ".join(f"'{tensor.name}' of shape {list(tensor.shape)}" for tensor in tensors)
        raise InvalidInputError(f"got {found}: {expectation(names)}, or one tensor of shape [n] for each of them")
    if wide := [name for name in names if given[name].shape[1:] not in ((), (1,))]:
        raise InvalidInputError(f"the tensor of a single column has shape [n] or [n, 1], unlike {', '.join(wide)}")
    return [_values(given[name]) for name in names]


def _values(tensor: RequestInput) -> Array:
    """The data, flat and typed."""
    flat = list(_flat(tensor.data))
    if len(flat) != prod(tensor.shape):
        wanted = f"shape {list(tensor.shape)} holds {prod(tensor.shape)} values"
        raise InvalidInputError(f"tensor '{tensor.name}': {wanted}, the data has {len(flat)}")
    types, dtype = _ALLOWED[tensor.datatype]
    for place, value in enumerate(flat):
        if type(value) not in types:
            reason = f"value {place} is {_kind(value)}, not {tensor.datatype}"
            raise InvalidInputError(f"tensor '{tensor.name}': {reason}")
    try:
        with np.errstate(over="ignore"):
            array = np.array(flat, dtype=dtype)
    except OverflowError:
        raise InvalidInputError(f"tensor '{tensor.name}': a value does not fit {tensor.datatype}") from None
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise InvalidInputError(f"tensor '{tensor.name}': a value is infinite or too large for {tensor.datatype}")
    return array


def _kind(value: JsonValue) -> str:
    names: Mapping[type, str] = {type(None): "null", bool: "a boolean", str: "a string", dict: "an object"}
    return names.get(type(value), "a number")


def _flat(data: Sequence[JsonValue]) -> Iterator[JsonValue]:
    for item in data:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _output(name: str, values: Array) -> dict[str, object]:
    datatype = "FP32" if values.dtype.kind == "f" else "INT64"
    return {"name": name, "shape": values.shape, "datatype": datatype, "data": values.tolist()}
