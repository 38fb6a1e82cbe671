"""The artifact gate: looks at a file in a bounded child process, and never loads it."""

import math
import signal
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from models.canonical import Digest
from models.evidence import ScanReport

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = "activities.adapters.artifact_inspection"
# Isolated mode finds no module of ours by itself, so the child is told the one folder where they are.
_BOOT = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
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
            child = subprocess.run(  # noqa: S603 - our own module under our own interpreter; the path is one argument
                [sys.executable, "-I", "-B", "-c", _BOOT, str(_ROOT), _CHILD, str(path.absolute()), *self._limits],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _refusal("timeout", _TIMED_OUT.format(self._timeout), digest)
        if child.returncode == -signal.SIGXCPU:
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
