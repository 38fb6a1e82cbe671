"""Compressed files and zip archives, read as streams and up to a cap. Nothing is ever extracted to disk."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

UNPACKED_AT_MOST = 256 << 20
MEMBERS_AT_MOST = 5_000
_CHUNK = 1 << 16


class Unpacked(NamedTuple):
    """The bytes inside, and what kept them from being all of it."""

    data: bytes
    problem: str = ""


class Member(NamedTuple):
    """One file of an archive."""

    name: str
    content: Unpacked


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _Inflating:
    """A bare zlib stream, which joblib writes, as something to read from."""

    def __init__(self, data: bytes) -> None:
        self._inflate = zlib.decompressobj()
        self._rest = data

    def read1(self, size: int, /) -> bytes:
        chunk = self._inflate.decompress(self._rest, size)
        self._rest = self._inflate.unconsumed_tail
        return chunk


_OPENERS: tuple[tuple[str, tuple[bytes, ...], Callable[[bytes], _Readable]], ...] = (
    ("gzip", (b"\x1f\x8b",), lambda data: gzip.GzipFile(fileobj=io.BytesIO(data))),
    ("bzip2", (b"BZh",), lambda data: bz2.BZ2File(io.BytesIO(data))),
    ("xz", (b"\xfd7zXZ\x00", b"\x5d\x00\x00"), lambda data: lzma.open(io.BytesIO(data))),  # noqa: SIM115 - in memory, nothing to close
    ("zlib", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), _Inflating),
)
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError)


def compression(data: bytes) -> str | None:
    """The name of the compression that the bytes begin with."""
    return next((name for name, magics, _ in _OPENERS if data.startswith(magics)), None)


def unpack(data: bytes) -> Unpacked:
    """What a compressed file holds; of a damaged one the readable part, for a loader would act on that."""
    stream = next(opener(data) for _, magics, opener in _OPENERS if data.startswith(magics))
    return _read(stream.read1, UNPACKED_AT_MOST)


def _read(read_some: Callable[[int], bytes], at_most: int) -> Unpacked:
    read = bytearray()
    try:
        while len(read) <= at_most and (chunk := read_some(_CHUNK)):
            read += chunk
    except _DAMAGE:
        return Unpacked(bytes(read), "is damaged or cut off")
    if len(read) > at_most:
        problem = f"unpacks to more than the {UNPACKED_AT_MOST >> 20} MiB that are looked at"
        return Unpacked(bytes(read[:at_most]), problem)
    return Unpacked(bytes(read))


def is_zip(data: bytes) -> bool:
    """Whether some program would open the bytes as a zip archive, wherever in them it begins."""
    try:
        return zipfile.is_zipfile(io.BytesIO(data))
    except _DAMAGE:
        return True


def members(data: bytes) -> Iterator[Member]:
    """The files in a zip archive; the last one carries the problem if not all could be read."""
    budget = UNPACKED_AT_MOST
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except _DAMAGE:
        yield Member("", Unpacked(b"", "is damaged or cut off"))
        return
    for entry in entries[:MEMBERS_AT_MOST]:
        try:
            with archive.open(entry) as stream:
                content = _read(stream.read, budget)
        except _DAMAGE:
            content = Unpacked(b"", "is damaged, encrypted or packed in an unusual way")
        yield Member(entry.filename, content)
        budget -= len(content.data)
    if len(entries) > MEMBERS_AT_MOST:
        yield Member("", Unpacked(b"", f"holds more than {MEMBERS_AT_MOST} files"))
