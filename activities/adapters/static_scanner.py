"""The artifact gate: looks at files in a bounded child process without a network, and never loads them."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from activities.adapters.child_process import NOT_ISOLATED, run_module
from models.canonical import Digest
from models.evidence import FileReport, FolderReport, ScanReport

_CHILD = "activities.adapters.artifact_inspection"
_TIMED_OUT = "The inspection did not end within {:g} seconds. Submit a smaller model, or have the limit raised."
_BROKEN = "The inspection ended abnormally ({}). The file is damaged or needs too much memory: export the model again."
_OPEN = "The inspection could not be cut off from the network, so nothing was read. Run it where it can."
_OTHER = "The bytes looked at are {}, not the {} that were to be judged. Register the version again."
_EMPTY = "There is no file in the folder. Name the folder that holds the model."
_WORST = ("malicious", "error", "unknown", "clean")
_PARTS = "What belongs to it must be UTF-8 texts that are data by their names, too: .md, .txt, .json, .yaml or .csv."
_NO_PARTS: Mapping[str, Path] = MappingProxyType({})
_REPORTS = TypeAdapter(tuple[FileReport, ...])


class _Refused(NamedTuple):
    verdict: str
    reason: str


class StaticScanner:
    """Fits `Scanner`. Verdicts: clean, malicious, unknown, error, timeout; never an exception because of a file."""

    def __init__(
        self, timeout_seconds: float = 60.0, memory_bytes: int = 4 << 30, largest_bytes: int = 512 << 20
    ) -> None:
        """How long an inspection may take, how much address space; a file over `largest_bytes` is not looked at."""
        self._timeout = timeout_seconds
        self._limits = (str(memory_bytes), str(math.ceil(timeout_seconds)), str(largest_bytes))

    def scan(self, path: Path, digest: Digest, parts: Mapping[str, Path] = _NO_PARTS) -> ScanReport:
        """What the file is. Only `clean` passes, and only if the bytes looked at have the digest.

        With parts, by the names that they have in the model, only if each of them is a text that may lie beside it.
        """
        named = [str(path.absolute()), "", *(one for name, part in parts.items() for one in (str(part), name))]
        found = self._look("files", *named)
        if isinstance(found, _Refused):
            return _refusal(found.verdict, found.reason, digest)
        report = found[0].report
        if report.verdict == "clean" and report.artifact != digest:
            return _refusal("error", _OTHER.format(report.artifact, digest), digest)
        worst = min((one.report.verdict for one in found), key=_WORST.index)
        reasons = [f"{one.path}: {reason}" for one in found[1:] for reason in one.report.reasons]
        return report.model_copy(
            update={
                "artifact": digest,
                "verdict": worst,
                "reasons": (*report.reasons, *reasons, *([_PARTS] if reasons else ())),
                "scanned_bytes": sum(one.report.scanned_bytes for one in found),
            }
        )

    def scan_all(self, path: Path) -> FolderReport:
        """What a file is, or everything in a folder, links not followed."""
        place = str(path.absolute())
        found = self._look("folder", place) if path.is_dir() else self._look("files", place, "")
        if isinstance(found, _Refused):
            return FolderReport(verdict=found.verdict, reasons=(found.reason,))
        if not found:
            return FolderReport(verdict="unknown", reasons=(_EMPTY,))
        files = tuple(one if one.path else one.model_copy(update={"path": path.name}) for one in found)
        return FolderReport(verdict=min((one.report.verdict for one in files), key=_WORST.index), files=files)

    def _look(self, kind: str, *named: str) -> tuple[FileReport, ...] | _Refused:
        try:
            child = run_module(_CHILD, [*self._limits, kind, *named], self._timeout)
        except TimeoutError:
            return _Refused("timeout", _TIMED_OUT.format(self._timeout))
        if child.returncode == NOT_ISOLATED:
            return _Refused("error", _OPEN)
        if child.returncode != 0:
            return _Refused("error", _BROKEN.format(f"exit status {child.returncode}"))
        try:
            return _REPORTS.validate_json(child.stdout)
        except ValidationError:
            return _Refused("error", _BROKEN.format("no report"))


def _refusal(verdict: str, reason: str, digest: Digest) -> ScanReport:
    return ScanReport(format="unrecognised", verdict=verdict, reasons=(reason,), scanned_bytes=0, artifact=digest)
