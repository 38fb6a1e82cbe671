"""The artifact gate: looks at a file in a bounded child process, and never loads it."""

import math
from pathlib import Path

from pydantic import ValidationError

from activities.adapters.child_process import run_module
from models.canonical import Digest
from models.evidence import ScanReport

_CHILD = "activities.adapters.artifact_inspection"
_TIMED_OUT = "The inspection did not end within {:g} seconds. Submit a smaller model, or have the limit raised."
_BROKEN = "The inspection ended abnormally ({}). The file is damaged or needs too much memory: export the model again."
_OTHER = "The bytes looked at are {}, not the {} that were to be judged. Register the version again."


class StaticScanner:
    """Fits `Scanner`. Verdicts: clean, malicious, unknown, error, timeout; never an exception because of a file."""

    def __init__(
        self, timeout_seconds: float = 60.0, memory_bytes: int = 4 << 30, largest_bytes: int = 512 << 20
    ) -> None:
        """How long one file may take, and how much address space; a file over `largest_bytes` is not looked at."""
        self._timeout = timeout_seconds
        self._limits = (str(memory_bytes), str(math.ceil(timeout_seconds)), str(largest_bytes))

    def scan(self, path: Path, digest: Digest) -> ScanReport:
        """What the file is. Only `clean` passes, and only if the bytes looked at have the digest."""
        try:
            child = run_module(_CHILD, [str(path.absolute()), *self._limits], self._timeout)
        except TimeoutError:
            return _refusal("timeout", _TIMED_OUT.format(self._timeout), digest)
        if child.returncode != 0:
            return _refusal("error", _BROKEN.format(f"exit status {child.returncode}"), digest)
        try:
            report = ScanReport.model_validate_json(child.stdout)
        except ValidationError:
            return _refusal("error", _BROKEN.format("no report"), digest)
        if report.verdict == "clean" and report.artifact != digest:
            return _refusal("error", _OTHER.format(report.artifact, digest), digest)
        return report.model_copy(update={"artifact": digest})


def _refusal(verdict: str, reason: str, digest: Digest) -> ScanReport:
    return ScanReport(format="unrecognised", verdict=verdict, reasons=(reason,), scanned_bytes=0, artifact=digest)
