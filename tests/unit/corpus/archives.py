"""Archives that lie, reach out of their folder, or never end; and files that are two things at once."""

import gzip
import io
import pickle
import stat
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from tests.unit.corpus.cases import Case, Payload, npy, zipped
from tests.unit.corpus.onnx_models import linear

_ARRAY = npy(np.arange(3.0))


def _with(*entries: tuple[zipfile.ZipInfo, bytes], comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.comment = comment
        for info, data in entries:
            archive.writestr(info, data)
    return stream.getvalue()


def _linked() -> bytes:
    info = zipfile.ZipInfo("w.npy")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return _with((info, b"/etc/passwd"))


def _second_name() -> bytes:
    info = zipfile.ZipInfo("w.npy")
    info.extra = b"up\x0a\x00\x01" + bytes(4) + b"x.npy"
    return _with((info, _ARRAY))


def _twice(first: str, second: str) -> bytes:
    """Two files of one name; the writer is given another and the name is changed afterwards."""
    data = zipped({first: _ARRAY, "z" * len(second): _ARRAY})
    return data.replace(b"z" * len(second), second.encode())


def _renamed(count: int) -> bytes:
    """One name in the file's own header, another in the directory."""
    return zipped({"aaaa.npy": _ARRAY}).replace(b"aaaa.npy", b"bbbb.npy", count)


def _tar(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zips() -> dict[str, Case]:
    """Zip archives that two programs would open differently."""
    plain = zipped({"w.npy": _ARRAY})
    gap = plain[: plain.index(b"PK\x01\x02")] + b"hidden" + plain[plain.index(b"PK\x01\x02") :]
    encrypted = bytearray(plain)
    for at in (plain.index(b"PK\x03\x04") + 6, plain.index(b"PK\x01\x02") + 8):
        encrypted[at] |= 1
    out = "leads out of the archive's own folder"
    return {
        "parent-name": Case(zipped({"../w.npy": _ARRAY}), "malicious", out),
        "absolute-name": Case(zipped({"/tmp/w.npy": _ARRAY}), "malicious", out),
        "backslash-name": Case(zipped({"..\\w.npy": _ARRAY}), "malicious", out),
        "drive-name": Case(zipped({"C:w.npy": _ARRAY}), "malicious", out),
        "deep-parent-name": Case(zipped({"a/b/../../../w.npy": _ARRAY}), "malicious", out),
        "zero-in-name": Case(plain.replace(b"w.npy", b"w\0npy"), "malicious", out),
        "link": Case(_linked(), "malicious", "a link or a device"),
        "same-name": Case(_twice("w.npy", "w.npy"), "malicious", "the same name"),
        "same-name-but-case": Case(_twice("w.npy", "W.npy"), "malicious", "the same name"),
        "other-local-name": Case(_renamed(1), "malicious", "own header"),
        "second-name": Case(_second_name(), "malicious", "second name"),
        "encrypted": Case(bytes(encrypted), "malicious", "is encrypted"),
        "comment": Case(_with((zipfile.ZipInfo("w.npy"), _ARRAY), comment=b"#!/bin/sh"), "malicious", "comment"),
        "bytes-before": Case(b"#!/bin/sh\n" + plain, "malicious", "as well"),
        "bytes-between": Case(gap, "malicious", "belong"),
        "bytes-behind": Case(plain + b"hidden", "malicious", "behind its end"),
        "damaged": Case(zipped({"a": b"text"})[:30], "unknown", "damaged zip archive"),
        "no-model": Case(zipped({"readme.md": b"text"}), "unknown", "no model"),
        "with-program": Case(zipped({"w.npy": _ARRAY, "run": b"\x7fELF" + bytes(60)}), "unknown", "Linux program"),
        "with-code": Case(zipped({"w.npy": _ARRAY, "setup.py": b"import os\n"}), "unknown", "plain text"),
        "too-deep": Case(_nested(5), "unknown", "packed more than"),
    }


def _nested(times: int) -> bytes:
    data = _ARRAY
    for _ in range(times):
        data = zipped({"inner.zip": data})
    return data


def tars(marker: Path) -> dict[str, Case]:
    """Tar archives with more in them than files."""
    evil = pickle.dumps(Payload(marker), 4)
    good = (_entry("w.npy"), _ARRAY)
    out = "a link, a device, or leads out"
    return {
        "tar-symlink": Case(_tar(good, (_entry("l", tarfile.SYMTYPE, "/etc/passwd"), b"")), "malicious", out),
        "tar-hardlink": Case(_tar(good, (_entry("l", tarfile.LNKTYPE, "../x"), b"")), "malicious", out),
        "tar-device": Case(_tar(good, (_entry("d", tarfile.CHRTYPE), b"")), "malicious", out),
        "tar-fifo": Case(_tar(good, (_entry("f", tarfile.FIFOTYPE), b"")), "malicious", out),
        "tar-parent": Case(_tar((_entry("../w.npy"), _ARRAY)), "malicious", out),
        "tar-absolute": Case(_tar((_entry("/w.npy"), _ARRAY)), "malicious", out),
        "tar-same-name": Case(_tar(good, good), "malicious", "the same name"),
        "tar-pickle": Case(_tar((_entry("model.pkl"), evil)), "malicious", "posix.mkdir"),
        "tar-gz-pickle": Case(gzip.compress(_tar((_entry("model.pkl"), evil))), "malicious", "posix.mkdir"),
        "tar-damaged": Case(_tar(good)[:700], "error", "damaged"),
        "tar-behind": Case(_tar(good) + b"more", "error", "behind its end"),
    }


def polyglots(marker: Path) -> dict[str, Case]:
    """Files that are two things at once, or not what their name would say."""
    evil, plain = pickle.dumps(Payload(marker), 4), zipped({"w.npy": _ARRAY})
    return {
        "elf-and-zip": Case(b"\x7fELF" + bytes(60) + plain, "malicious", "as well"),
        "pe-and-zip": Case(b"MZ" + bytes(60) + plain, "malicious", "as well"),
        "script-and-zip": Case(b"#!/bin/sh\nexit 1\n" + plain, "malicious", "as well"),
        "pickle-and-zip": Case(pickle.dumps([1.0]) + plain, "malicious", "as well"),
        "onnx-and-zip": Case(linear() + zipped({"data.pkl": b"N."}), "malicious", "as well"),
        "onnx-and-torch": Case(linear() + zipped({"a/data.pkl": evil}), "malicious", "posix.mkdir"),
        "npy-and-zip": Case(_ARRAY + plain, "malicious", "as well"),
        "npy-and-pickle": Case(_ARRAY + evil, "unknown", "not as many bytes"),
        "gzip-of-zip": Case(gzip.compress(plain), "unknown", "only joblib's pickles"),
        "gzip-behind": Case(gzip.compress(pickle.dumps([1.0])) + evil, "error", "damaged"),
    }


def bombs(mebibytes: int) -> dict[str, Case]:
    """Files that unpack to more bytes than anybody wants to have."""
    zero = bytes(1 << 20)
    parts = {f"{n}": zero for n in range(mebibytes)}
    return {
        "gzip-bomb": Case(gzip.compress(zero) * mebibytes, "error", "MiB that are looked at"),
        "zip-bomb": Case(zipped(parts, zipfile.ZIP_DEFLATED), "error", "MiB that are looked at"),
        "tar-gzip-bomb": Case(
            gzip.compress(_tar((_entry("w"), zero * mebibytes)), 1), "error", "MiB that are looked at"
        ),
    }


@cache
def others() -> dict[str, Case]:
    """Programs, and files of no use."""
    header = b"\x93NUMPY\x01\x00\x76\x00"
    return {
        "empty": Case(b"", "unknown", "empty"),
        "text": Case("age,income\n41,É\n".encode(), "unknown", "plain text"),
        "text-like-opcodes": Case(b"country\nDE\nFR\nincome\n", "unknown", "plain text"),
        "script": Case(b"#!/bin/sh\nexit 1\n", "unknown", "a script"),
        "elf": Case(b"\x7fELF\x02\x01\x01" + bytes(60), "unknown", "a Linux program"),
        "pe": Case(b"MZ" + bytes(60), "unknown", "a Windows program"),
        "macho": Case(b"\xcf\xfa\xed\xfe" + bytes(60), "unknown", "a macOS program"),
        "lz4": Case(b"\x04\x22\x4d\x18" + bytes(20), "unknown", "LZ4"),
        "ort": Case(bytes(4) + b"ORTM" + bytes(20), "unknown", "ORT format"),
        "bytes": Case(bytes(range(255, 100, -1)), "unknown", "no kind that is known"),
        "npy-huge": Case(npy(np.zeros(3))[:-8], "unknown", "not as many bytes"),
        "npy-code": Case(header + b"__import__('os').mkdir('x')".ljust(118), "unknown", "header"),
        "npy-deep": Case(header + (b"[" * 118), "unknown", "header"),
    }
