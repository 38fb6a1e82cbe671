"""Digests of files that may be large: a file is hashed again only when it has changed."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from models.canonical import Digest
from models.inventory import Reference

Stamp = list[str | int]


def stamp_of(path: Path) -> Stamp:
    """What changes when a file does; OSError."""
    seen = path.stat()
    return [str(path), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]


def digest_file(path: Path) -> Digest:
    """SHA-256 of a file's bytes, a part in memory at a time; OSError."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def pinned(path: Path) -> Reference:
    """A file as whoever is given it may hold it against its digest; OSError."""
    return Reference(uri=path.resolve().as_uri(), digest=digest_file(path))


class FileDigests:
    """Remembers digests by the stamps of their files, in a file that may be lost at any time."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept

    def of(self, path: Path) -> Digest:
        """SHA-256 of a file's bytes; OSError."""
        return self.of_all([path])[path]

    def of_all(self, paths: Iterable[Path]) -> dict[Path, Digest]:
        """Of several; what is known of other files of their folder is forgotten when those are gone."""
        known, found = self._known(), dict[Path, Digest]()
        before = dict(known)
        for path in paths:
            stamp = json.dumps(stamp_of(path))
            if stamp not in known:
                known[stamp] = digest_file(path)
            found[path] = known[stamp]
        if known != before:
            self._keep({stamp: of for stamp, of in known.items() if _stands(stamp)})
        return found

    def _known(self) -> dict[str, Digest]:
        try:
            return dict(json.loads(self._kept.read_text()))
        except (OSError, ValueError, TypeError):
            return {}

    def _keep(self, known: dict[str, Digest]) -> None:
        self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._kept.with_suffix(f".{os.getpid()}.part")
        beside.write_text(json.dumps(known))
        beside.replace(self._kept)


def _stands(stamp: str) -> bool:
    path: str = json.loads(stamp)[0]
    try:
        return json.dumps(stamp_of(Path(path))) == stamp
    except OSError:
        return False
