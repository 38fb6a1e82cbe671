"""The finding on pickles: raw, as joblib writes them, or within another format."""

import re
import warnings
from collections.abc import Iterator

from activities.adapters.artifact_inspection.findings import DO_NOT_LOAD, Finding
from activities.adapters.artifact_inspection.pickle_machine import Persistent
from activities.adapters.artifact_inspection.pickle_stream import Stream
from activities.adapters.artifact_inspection.tracing import Notes

NOT_LISTED = (
    "Only pickles of listed names pass, used as their libraries use them: export to ONNX "
    "(skl2onnx for scikit-learn, torch.onnx for PyTorch) or save with skops.io."
)
_NAMED_AT_MOST = 5
_NESTED_AT_MOST = 3
_HIDDEN_GLOBAL = re.compile(rb"[ci]([A-Za-z_][\w.]{0,99})\n([A-Za-z_][\w.]{0,99})\n(?=[(q\x94)rpX\x8cSUV\]}N])")
_HIDDEN_STACK_GLOBAL = re.compile(rb"\x8c.([\w.]{1,99})(?:\x94|q.)?\x8c.([\w.]{1,99})(?:\x94|q.)?\x93", re.DOTALL)


class _Pickles:
    """Pickles, one behind the other from the first byte on."""

    def __init__(self, data: bytes, notes: Notes, joblib: bool = True, stored: Persistent | None = None) -> None:
        self.stream = Stream(data, notes, joblib, stored)
        self.whole = 0
        self.end = 0
        complete = True
        while complete and self.end < len(data):
            complete = self._follow(data)

    def _follow(self, data: bytes) -> bool:
        try:
            self.stream.follow(self.end)
        except (ValueError, KeyError, OverflowError, RecursionError):
            self.end = min(self.stream.position + 1, len(data))
            return False
        self.whole, self.end = self.whole + 1, self.stream.tell()
        return True


def _hidden(data: bytes, start: int) -> Iterator[tuple[int, str, str]]:
    """Imports behind the point up to which the opcodes could be followed, found by their spelling."""
    for pattern in (_HIDDEN_GLOBAL, _HIDDEN_STACK_GLOBAL):
        for match in pattern.finditer(data, start):
            yield match.start(), match[1].decode("latin-1"), match[2].decode("latin-1")


def inspect_pickle(data: bytes, where: str = "", stored: Persistent | None = None, depth: int = 0) -> Finding | None:
    """The finding on pickles, or None if the bytes do not begin as one. `where` ends each place, as in ` of x.pkl`.

    `stored` says what an identity stands for that is kept outside, in the one format that has such.
    """
    notes = Notes(where)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        read = _Pickles(data, notes, stored=stored)
        if read.stream.wrapped:
            _read_plainly(data, notes)
    begun = data[:1] == b"\x80" and data[1:2] <= b"\x05" and read.stream.opcodes > 1
    if not (read.whole or begun or (any(" import " in what for what in notes.found) and read.stream.opcodes > 2)):
        return None
    for offset, module, name in _hidden(data, read.end):
        notes.name(offset, module, name)
    _look_within(read, notes, where, depth)
    return _judged(data, read, notes)


def _read_plainly(data: bytes, notes: Notes) -> None:
    """Read joblib's arrays as opcodes, as a loader does that is not joblib; it fails on those that joblib wrote."""
    _Pickles(data, notes, joblib=False)


def _look_within(read: _Pickles, notes: Notes, where: str, depth: int) -> None:
    """Bytes that are pickles themselves must be as harmless, should something load them."""
    for offset, data in read.stream.inner:
        if depth >= _NESTED_AT_MOST:
            notes.add(offset, "holds pickles within pickles within pickles")
            return
        found = inspect_pickle(data, f" of the pickle at byte {offset}{where}", depth=depth + 1)
        if found and found.verdict == "malicious":
            notes.add(offset, f"holds another pickle. {found.reasons[0].removesuffix('.')}", code=True)


def _judged(data: bytes, read: _Pickles, notes: Notes) -> Finding:
    found = sorted(notes.found.values(), key=lambda note: (not note.code, note.offset))
    named = tuple(note.reason for note in found[:_NAMED_AT_MOST])
    more = len(found) - _NAMED_AT_MOST
    reasons = (*named, *((f"There are {more} more such findings.",) if more > 0 else ()))
    if any(note.code for note in found):
        return Finding("pickle", "malicious", (*reasons, DO_NOT_LOAD))
    unread = len(data) - read.end
    if unread or not read.whole:
        reasons += (f"{unread} bytes from byte {read.end}{notes.where} could not be followed as pickle.",)
    elif read.whole > 1:
        reasons += (f"There are {read.whole} pickles one behind the other{notes.where}, of which loading reads one.",)
    return Finding("pickle", "unknown", (*reasons, NOT_LISTED)) if reasons else Finding("pickle", "clean")
