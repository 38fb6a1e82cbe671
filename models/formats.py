"""The formats in which a version is handed in: what each is called in a bundle, and whether we serve it."""

from enum import StrEnum
from typing import NamedTuple


class Format(StrEnum):
    """In the order of preference, what can do least when it is loaded first; then what is no file of weights."""

    ONNX = "onnx"
    SKOPS = "skops"
    SAFETENSORS = "safetensors"
    JOBLIB = "joblib"
    PICKLE = "pickle"
    DECISION_TABLE = "decision_table"
    VENDOR = "vendor"
    AGENT = "agent"


class Packing(NamedTuple):
    """A format's file in a bundle, and its media type.

    `magic` is how such a file begins, nothing if that tells nothing. Who loads one that `runs_code` has to trust
    whoever wrote it: it is packed only with the report of a scan that found it clean, and loaded only by a process that
    has looked at it once more and can reach nothing. One that `is_read` is strictly
    read, by the artifact gate and when it is packed, and nothing in it acts. `served`: by our own inference servers;
    the others are signed, carried and governed. What runs `elsewhere` is run by somebody else: its answers are
    recorded with the data that it is measured on, and its promotion is a release.
    """

    file: str
    media_type: str
    served: bool = False
    magic: bytes = b""
    runs_code: bool = False
    is_read: bool = False
    elsewhere: bool = False


_MODEL = "application/vnd.modelops.model.v1"

FORMATS = {
    Format.ONNX: Packing("model.onnx", f"{_MODEL}+onnx", served=True),
    Format.SKOPS: Packing("model.skops", f"{_MODEL}+zip", served=True, magic=b"PK\x03\x04", runs_code=True),
    Format.SAFETENSORS: Packing("model.safetensors", f"{_MODEL}+safetensors"),
    Format.JOBLIB: Packing("model.joblib", f"{_MODEL}+joblib", served=True, runs_code=True),
    Format.PICKLE: Packing("model.pkl", f"{_MODEL}+pickle", served=True, magic=b"\x80", runs_code=True),
    Format.DECISION_TABLE: Packing(
        "decision-table.json", "application/vnd.modelops.decision-table.v1+json", served=True, is_read=True
    ),
    Format.VENDOR: Packing("vendor.json", "application/vnd.modelops.vendor.v1+json", is_read=True, elsewhere=True),
    Format.AGENT: Packing("agent.json", "application/vnd.modelops.agent.v1+json", is_read=True, elsewhere=True),
}


def is_found_as(form: Format, found: str) -> bool:
    """Whether what the artifact gate recognised is what a version is said to be; an uncompressed joblib file is a
    pickle."""
    return found == form or (form is Format.JOBLIB and found == Format.PICKLE)
