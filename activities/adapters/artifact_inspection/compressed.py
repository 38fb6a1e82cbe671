"""Compressed files, read as streams and up to a cap. Nothing is ever extracted to disk."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

UNPACKED_AT_MOST = 256 << 20
CHUNK = 1 << 16
_GZIP = 31
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, ValueError)


class Unpacked(NamedTuple):
    """The bytes inside, and what kept them from being all of it."""

    data: bytes
    problem: str = ""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Format(NamedTuple):
    name: str
    magics: tuple[bytes, ...]
    decompressor: Callable[[], _Decompressor]


_FORMATS = (
    _Format("gzip", (b"\x1f\x8b",), lambda: zlib.decompressobj(_GZIP)),
    _Format("bzip2", (b"BZh",), bz2.BZ2Decompressor),
    _Format("xz", (b"\xfd7zXZ\x00", b"\x5d\x00\x00"), lzma.LZMADecompressor),
    _Format("zlib", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), zlib.decompressobj),
)


def _format(data: bytes) -> _Format | None:
    return next((one for one in _FORMATS if data.startswith(one.magics)), None)


def compression(data: bytes) -> str | None:
    """The name of the compression that the bytes begin with."""
    found = _format(data)
    return found.name if found else None


def unpack(data: bytes) -> Unpacked:
    """What a compressed file holds; of a damaged one the readable part, for a loader would act on that."""
    found = _format(data)
    return gathered(_streams(data, found), UNPACKED_AT_MOST) if found else Unpacked(b"", "is not compressed")


def gathered(chunks: Iterator[bytes], at_most: int) -> Unpacked:
    """Some chunks put together, up to a cap."""
    read = bytearray()
    try:
        for chunk in chunks:
            read += chunk
            if len(read) > at_most:
                break
    except DAMAGE:
        return Unpacked(bytes(read), "is damaged or cut off")
    if len(read) > at_most:
        problem = f"unpacks to more than the {UNPACKED_AT_MOST >> 20} MiB that are looked at"
        return Unpacked(bytes(read[:at_most]), problem)
    return Unpacked(bytes(read))


def _streams(data: bytes, one: _Format) -> Iterator[bytes]:
    """The chunks of all streams, one behind the other; ValueError for anything behind them."""
    position = 0
    while position < len(data):
        if not data.startswith(one.magics, position):
            raise ValueError("there are bytes behind the end")
        stream = one.decompressor()
        while not stream.eof:
            piece = data[position : position + CHUNK]
            position += len(piece)
            yield from _pieces(stream, piece)
        position -= len(stream.unused_data)


def _pieces(stream: _Decompressor, piece: bytes) -> Iterator[bytes]:
    ended, chunk = not piece, stream.decompress(piece, CHUNK)
    if ended and not chunk and not stream.eof:
        raise EOFError("the stream is cut off")
    while chunk:
        yield chunk
        chunk = b"" if stream.eof else stream.decompress(getattr(stream, "unconsumed_tail", b""), CHUNK)
