"""What the families of hostile and benign files share: a case, its payload, and small writers."""

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np


class Case(NamedTuple):
    """A file, the verdict that it must get, and words that the reasons must hold."""

    data: bytes
    verdict: str
    words: str = ""


class Payload:
    """An object whose unpickling makes the folder `marker`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.marker),)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Forty rows of two columns, and the first column."""
    x = np.random.default_rng(0).random((40, 2), dtype=np.float32)
    return x, x[:, 0]


def joblibbed(value: object, compress: int | tuple[str, int] = 0) -> bytes:
    """What joblib writes."""
    stream = io.BytesIO()
    joblib.dump(value, stream, compress=compress)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    """What numpy.save writes."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def text(value: str) -> bytes:
    """A short text, as opcodes."""
    return b"\x8c" + bytes([len(value.encode())]) + value.encode()


def name(module: str, one: str) -> bytes:
    """A name looked up, as opcodes."""
    return text(module) + text(one) + b"\x93"


def number(value: int) -> bytes:
    """A whole number, as opcodes."""
    return b"J" + struct.pack("<i", value)


def call(callee: bytes, *arguments: bytes) -> bytes:
    """A call, as opcodes."""
    return callee + b"(" + b"".join(arguments) + b"tR"


def pickled(body: bytes, protocol: int = 4) -> bytes:
    """A whole pickle around some opcodes."""
    return b"\x80" + bytes([protocol]) + body + b"."
