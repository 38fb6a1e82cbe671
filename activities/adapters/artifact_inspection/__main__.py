"""The child process: bound itself, read one file, print a scan report as JSON.

Arguments: the file, then the limits on memory (bytes of address space), CPU (seconds) and the file's size (bytes).
"""

import hashlib
import json
import os
import sys
from stat import S_ISREG

from activities.adapters.artifact_inspection.findings import Finding
from activities.adapters.artifact_inspection.recognition import inspect
from activities.adapters.child_process import bound


def _read(path: str, at_most: int) -> bytes | None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(at_most + 1)


def _judge(data: bytes | None, at_most: int) -> Finding:
    if data is None:
        return Finding("unrecognised", "error", ("This is not a regular file. Submit one file, not a folder.",))
    if len(data) > at_most:
        reason = f"The file is larger than the {at_most} bytes that are looked at. Submit a smaller model."
        return Finding("unrecognised", "unknown", (reason,))
    return inspect(data)


def main(path: str, memory: int, cpu: int, at_most: int) -> None:
    """Print the report on one file."""
    bound(memory, cpu)
    try:
        data = _read(path, at_most)
    except OSError as error:
        data, finding = b"", Finding("unrecognised", "error", (f"The file cannot be read: {error.strerror}.",))
    else:
        finding = _judge(data, at_most)
    digest = "sha256:" + hashlib.sha256(data or b"").hexdigest()
    report = {**finding._asdict(), "scanned_bytes": len(data or b""), "artifact": digest}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
