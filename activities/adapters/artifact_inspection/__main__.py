"""The child process: bound and isolate itself, read what it was given, print scan reports as JSON.

Arguments: `file` or `folder`, the path, then the limits on memory (bytes of address space), CPU (seconds) and the size
of each file (bytes).
"""

import codecs
import json
import sys

from activities.adapters.artifact_inspection.folder import Looked, look_at, open_file, open_folder
from activities.adapters.child_process import bound, isolate

_ENCODINGS = ("ascii", "cp437", "idna", "latin-1", "raw-unicode-escape", "unicode-escape", "utf-8")


def _report(one: Looked) -> dict[str, object]:
    report = {**one.finding._asdict(), "scanned_bytes": one.size, "artifact": one.digest}
    return {"path": one.path, "report": report}


def main(kind: str, path: str, memory: int, cpu: int, at_most: int) -> None:
    """Print the reports on one file, or on each below a folder."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    bound(memory, cpu)
    opened = list(open_folder(path)) if kind == "folder" else [open_file(path)]
    isolate()
    sys.stdout.write(json.dumps([_report(one) for one in look_at(opened, at_most)]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
