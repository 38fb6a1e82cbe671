"""Weights in the safetensors format: a JSON header, then tensors that fill the rest without gap or overlap."""

import json
import math

from activities.adapters.artifact_inspection.findings import Finding, shown

_HEADER_AT_MOST = 100_000_000
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16}
_BITS |= {"U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64}
_RESAVE = "Save it again with safetensors."


def looks_like_safetensors(data: bytes) -> bool:
    """Whether a plausible length and the begin of a JSON object come first."""
    return data[8:9] == b"{" and 2 <= int.from_bytes(data[:8], "little") <= _HEADER_AT_MOST


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; ValueError if it names a key twice, for readers differ in which of the two they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _span(name: str, told: object) -> tuple[int, int]:
    """Where a tensor begins and ends; ValueError if that does not follow from its type and shape."""
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"the tensor '{shown(name)}' is not described by type, shape and place")
    shape, place = told["shape"], told["data_offsets"]
    numbers = isinstance(shape, list) and isinstance(place, list) and len(place) == 2
    if not numbers or not all(type(one) is int and 0 <= one < 1 << 62 for one in (*shape, *place)):
        raise ValueError(f"the shape or the place of the tensor '{shown(name)}' is not made of whole numbers")
    if told["dtype"] not in _BITS or math.prod(shape) * _BITS[told["dtype"]] != 8 * (place[1] - place[0]):
        raise ValueError(f"the tensor '{shown(name)}' has not as many bytes as its type and shape say")
    return place[0], place[1]


def _check(data: bytes) -> None:
    length = int.from_bytes(data[:8], "little")
    if 8 + length > len(data):
        raise ValueError("the header is cut off")
    header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=once)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("the metadata are not texts")
    position = 0
    for begin, end in sorted(_span(name, told) for name, told in header.items()):
        if begin != position:
            raise ValueError("tensors overlap, or leave bytes that belong to none")
        position = end
    if 8 + length + position != len(data):
        raise ValueError("there are more or fewer bytes than the tensors need")


def inspect_safetensors(data: bytes) -> Finding:
    """The finding on bytes that begin as a safetensors file does."""
    try:
        _check(data)
    except (ValueError, RecursionError) as error:
        reason = f"The file begins like safetensors but is not sound: {shown(str(error), 200)}. {_RESAVE}"
        return Finding("safetensors", "error", (reason,))
    return Finding("safetensors", "clean")
