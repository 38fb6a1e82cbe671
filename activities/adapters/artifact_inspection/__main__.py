"""The child process: bound and isolate itself, read what it was given, print scan reports as JSON.

Arguments: the limits on memory (bytes of address space), CPU (seconds) and the size of each file (bytes), then `folder`
and its path, or `files` and of each its path and the name by which it is judged.
"""

import json
import sys

from activities.adapters.artifact_inspection.folder import Looked, look_at, open_file, open_folder
from activities.adapters.artifact_inspection.readiness import prepare
from activities.adapters.child_process import bound, isolate


def _report(one: Looked) -> dict[str, object]:
    report = {**one.finding._asdict(), "scanned_bytes": one.size, "artifact": one.digest}
    return {"path": one.path, "report": report}


def main(memory: int, cpu: int, at_most: int, kind: str, *named: str) -> None:
    """Print the reports on some files that lie together, or on each below a folder."""
    prepare()
    bound(memory, cpu)
    files = zip(named[::2], named[1::2], strict=True) if kind == "files" else ()
    opened = list(open_folder(named[0])) if kind == "folder" else [open_file(*file) for file in files]
    isolate()
    sys.stdout.write(json.dumps([_report(one) for one in look_at(opened, at_most)]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
