"""Weights in the GGUF format (versions 2 and 3): every length is checked, and the chat template is judged.

The layout, and how many bytes each kind of tensor takes, are those of ggml's specification of GGUF.
"""

import math
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise

from activities.adapters.artifact_inspection.chat_template import why_unsafe
from activities.adapters.artifact_inspection.findings import Finding, shown

MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_DIMENSIONS_AT_MOST = 4
_COUNT_AT_MOST = 10_000_000
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36)}
_BLOCKS |= {10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292)}
_BLOCKS |= {16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82)}
_BLOCKS |= {23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2)}
_REMAKE = "Convert the model again from its source."


class _Reader:
    """Reads little-endian values one behind the other; ValueError where the file ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = len(MAGIC)

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > len(self._data) - self.position:
            raise ValueError(f"something at byte {self.position} reaches over the end of the file")
        self.position += length
        return self._data[self.position - length : self.position]

    def number(self, code: str) -> int:
        """The next number of a `struct` type."""
        (value,) = struct.unpack(f"<{code}", self.take(struct.calcsize(code)))
        return int(value) if math.isfinite(value) else 0

    def count(self) -> int:
        """The next number of things."""
        found = self.number("Q")
        if found > _COUNT_AT_MOST:
            raise ValueError(f"there would be {found} things at byte {self.position}")
        return found

    def text(self) -> str:
        """The next text."""
        return self.take(self.number("Q")).decode(errors="replace")

    def values(self, kind: int, nested: bool = False) -> Iterator[str | int]:
        """The next value, or those of the next array."""
        if kind == _TEXT:
            yield self.text()
        elif kind == _ARRAY and not nested:
            inner, count = self.number("I"), self.count()
            if inner in _NUMBERS:
                self.take(count * struct.calcsize(_NUMBERS[inner]))
                return
            for _ in range(count):
                yield from self.values(inner, nested=True)
        elif kind in _NUMBERS:
            yield self.number(_NUMBERS[kind])
        else:
            raise ValueError(f"the kind of value {kind} at byte {self.position} is not known")


def _facts(reader: _Reader, count: int) -> Iterator[tuple[str, str | int, int]]:
    seen = set[str]()
    for _ in range(count):
        key, at = reader.text(), reader.position
        if key in seen:
            raise ValueError(f"the key '{shown(key)}' is there twice")
        seen.add(key)
        for value in reader.values(reader.number("I")):
            yield key, value, at


def _spans(reader: _Reader, count: int) -> Iterator[tuple[int, int]]:
    for _ in range(count):
        name = shown(reader.text())
        dimensions = reader.number("I")
        if dimensions > _DIMENSIONS_AT_MOST:
            raise ValueError(f"the tensor '{name}' has {dimensions} dimensions")
        shape = [reader.number("Q") for _ in range(dimensions)]
        kind, offset = reader.number("I"), reader.number("Q")
        if kind not in _BLOCKS or (shape and shape[0] % _BLOCKS[kind][0]):
            raise ValueError(f"the tensor '{name}' is of a kind or a width that is not known")
        items, size = _BLOCKS[kind]
        yield offset, offset + math.prod(shape) // items * size


def _check(data: bytes, unsafe: Callable[[str], str | None]) -> str | None:
    """Why the template in it is unsafe, if it is; ValueError for a file that is not sound."""
    reader = _Reader(data)
    version = reader.number("I")
    if version not in (2, 3):
        raise ValueError(f"the version {version} is not known")
    tensors, facts = reader.count(), reader.count()
    alignment, found = 32, None
    for key, value, at in _facts(reader, facts):
        if key == "general.alignment" and isinstance(value, int) and 0 < value <= 1 << 16:
            alignment = value
        if key.startswith("tokenizer.chat_template") and isinstance(value, str) and (reason := unsafe(value)):
            found = found or f"The value of '{shown(key)}' at byte {at} {reason}."
    spans = sorted(_spans(reader, tensors))
    start = -(-reader.position // alignment) * alignment
    for (_, end), (begin, _) in pairwise(spans):
        if begin < end:
            raise ValueError("tensors overlap")
    end = start + max((end for _, end in spans), default=0)
    if spans and not 0 <= len(data) - end < alignment:
        raise ValueError("there are more or fewer bytes than the tensors need")
    if not spans and len(data) > start:
        raise ValueError("there are bytes behind the last value")
    return found


def inspect_gguf(data: bytes) -> Finding:
    """The finding on bytes that begin as a GGUF file does."""
    try:
        unsafe = _check(data, why_unsafe)
    except ValueError as error:
        reason = f"The file begins like GGUF but is not sound: {shown(str(error), 200)}. {_REMAKE}"
        return Finding("gguf", "error", (reason,))
    return Finding("gguf", "malicious", (unsafe, _REMAKE)) if unsafe else Finding("gguf", "clean")
