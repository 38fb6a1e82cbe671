"""Zip archives, held to one reading: every program that opens one must see the same files with the same bytes.

The structures are those of PKWARE's APPNOTE 6.3.10.
"""

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from activities.adapters.artifact_inspection.compressed import CHUNK, DAMAGE, UNPACKED_AT_MOST, Unpacked, gathered

MEMBERS_AT_MOST = 5_000
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_DESCRIPTORS = (0, 12, 16, 20, 24)
_DESCRIBED_LATER = 0x8
_ENCRYPTED = 0x1
_UNICODE_PATH = b"up"
_DAMAGE = (*DAMAGE, zipfile.BadZipFile)


class Member(NamedTuple):
    """One file of an archive."""

    name: str
    content: Unpacked


class Archive(NamedTuple):
    """The files that could be read, and why the archive is not sound; `evil` if no writer makes such by mistake."""

    members: tuple[Member, ...]
    problems: tuple[str, ...] = ()
    evil: bool = False


def is_zip(data: bytes) -> bool:
    """Whether some program would open the bytes as a zip archive, wherever in them it begins."""
    try:
        return zipfile.is_zipfile(io.BytesIO(data))
    except _DAMAGE:
        return True


def open_zip(data: bytes) -> Archive:
    """What is in a zip archive, up to the caps."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except _DAMAGE:
        return Archive((), ("The archive is damaged or cut off.",))
    evil = tuple(dict.fromkeys(_lies(data, archive, entries)))
    members = tuple(_read(archive, entries))
    problems = evil
    if len(entries) > MEMBERS_AT_MOST:
        problems += (f"The archive holds more than {MEMBERS_AT_MOST} files.",)
    return Archive(members, problems, bool(evil))


def _read(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[Member]:
    budget = UNPACKED_AT_MOST
    for entry in entries[:MEMBERS_AT_MOST]:
        if entry.is_dir() and not entry.file_size:
            continue
        try:
            with archive.open(entry) as stream:
                content = gathered(iter(lambda: stream.read(CHUNK), b""), budget)
        except (*_DAMAGE, NotImplementedError):
            content = Unpacked(b"", "is damaged, encrypted or packed in an unusual way")
        yield Member(entry.filename, content)
        budget -= len(content.data)


def _lies(data: bytes, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    seen = set[str]()
    for entry in entries[:MEMBERS_AT_MOST]:
        name, shape = entry.filename, entry.external_attr >> 16
        if leaves_folder(name) or entry.orig_filename != name:
            yield "A file in the archive has a name that leads out of the archive's own folder."
        if name.casefold() in seen:
            yield "Two files in the archive have the same name, so two programs would read different ones."
        seen.add(name.casefold())
        if stat.S_IFMT(shape) not in (0, stat.S_IFREG, stat.S_IFDIR):
            yield "A file in the archive is a link or a device."
        if _UNICODE_PATH in entry.extra:
            yield "A file in the archive has a second name in a field that not every program reads."
        if entry.flag_bits & _ENCRYPTED:
            yield "A file in the archive is encrypted."
    yield from _gaps(data, archive, sorted(entries, key=lambda entry: entry.header_offset))


def leaves_folder(name: str) -> bool:
    """Whether a name of a file in an archive leads anywhere but below the archive's own folder."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "~")) or "\\" in name or ":" in name or "\0" in name or ".." in parts


def _gaps(data: bytes, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Whether the files' own headers say what the directory says, and lie one behind the other without a gap."""
    position = 0
    for entry in entries[:MEMBERS_AT_MOST]:
        start = entry.header_offset
        if start - position not in (_DESCRIPTORS if position else (0,)):
            yield "The archive holds bytes that belong to none of its files."
        header = data[start : start + _LOCAL.size]
        if len(header) < _LOCAL.size:
            return
        _, _, flags, method, _, _, _, packed, size, name_length, extra_length = _LOCAL.unpack(header)
        begin = start + _LOCAL.size
        later = bool(flags & _DESCRIBED_LATER) or 0xFFFFFFFF in (packed, size)
        same = method == entry.compress_type and (later or (packed, size) == (entry.compress_size, entry.file_size))
        if not same or data[begin : begin + name_length] != _raw_name(entry):
            yield "A file's own header in the archive does not say what the archive's directory says."
        position = begin + name_length + extra_length + entry.compress_size
    yield from _ending(data, archive, position)


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _ending(data: bytes, archive: zipfile.ZipFile, position: int) -> Iterator[str]:
    if archive.comment:
        yield "The archive carries a comment, in which another file could hide."
    start = archive.start_dir
    if start - position not in _DESCRIPTORS:
        yield "The archive holds bytes between its files and its directory."
    end = data.rfind(b"PK\x05\x06")
    if end + 22 + len(archive.comment) != len(data):
        yield "The archive holds bytes behind its end."
