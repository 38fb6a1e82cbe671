"""Arrays in NumPy's own format (NEP 1): a short header, then nothing but the array's bytes."""

import ast

from activities.adapters.artifact_inspection.data_types import bytes_of, of_description
from activities.adapters.artifact_inspection.findings import Finding
from activities.adapters.artifact_inspection.pickle_file import inspect_pickle

MAGIC = b"\x93NUMPY"
_HEADER_AT_MOST = 10_000
_RESAVE = "Save it again with numpy.save."


def _header(data: bytes) -> tuple[dict[object, object], int] | None:
    start = 10 if data[6:7] == b"\x01" else 12
    end = start + int.from_bytes(data[8:start], "little")
    if data[6:8] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00") or end > min(len(data), _HEADER_AT_MOST):
        return None
    try:
        header = ast.literal_eval(data[start:end].decode("latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    wanted = {"descr", "fortran_order", "shape"}
    return (header, end) if isinstance(header, dict) and set(header) == wanted else None


def inspect_npy(data: bytes, where: str = "") -> Finding:
    """The finding on bytes that begin as an array file does."""
    parsed = _header(data)
    item = of_description(parsed[0]["descr"]) if parsed else None
    if parsed is None or item is None:
        return Finding("npy", "unknown", (f"The array's header is not one that NumPy writes. {_RESAVE}",))
    header, end = parsed
    if item.objects:
        inner = inspect_pickle(data[end:], f" of the pickle inside the NumPy file{where}")
        return (
            inner or Finding("npy", "unknown", (f"The array holds objects and no pickle of them. {_RESAVE}",))
        )._replace(format="npy")
    size = bytes_of(header["shape"], item)
    if size is None or size != len(data) - end:
        return Finding("npy", "unknown", (f"The array has not as many bytes as its header says. {_RESAVE}",))
    return Finding("npy", "clean")
