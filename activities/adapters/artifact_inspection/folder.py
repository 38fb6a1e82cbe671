"""Files, alone or in a folder: opened all at once, before the process gives up its means to open any more."""

import hashlib
import os
from collections.abc import Iterator
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import NamedTuple

from activities.adapters.artifact_inspection.findings import Finding, Word
from activities.adapters.artifact_inspection.recognition import inspect
from activities.adapters.artifact_inspection.surroundings import Surroundings
from activities.adapters.artifact_inspection.text_file import is_companion

FILES_AT_MOST = 2_000
_PROGRAMS = ("elf", "pe", "macho", "class", "script", "zip", "tar")


class Opened(NamedTuple):
    """A file by its path below the folder, as a descriptor; or the reason why it is not read."""

    path: str
    descriptor: int = -1
    size: int = 0
    problem: Finding | None = None


class Looked(NamedTuple):
    """What was found of one file."""

    path: str
    finding: Finding
    digest: str
    size: int
    companion: bool = False


def _refusal(path: str, verdict: Word, reason: str) -> Opened:
    return Opened(path, problem=Finding("unrecognised", verdict, (reason,)))


def open_file(path: str, shown_as: str = "", follow: bool = True) -> Opened:
    """A regular file, ready to be read."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        return _refusal(shown_as, "error", f"The file cannot be read: {error.strerror}.")
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode):
        return _refusal(shown_as, "error", "This is not a regular file. Submit one file, not a folder.")
    return Opened(shown_as, descriptor, found.st_size)


def open_folder(root: str) -> Iterator[Opened]:
    """Every file below a folder; links are named and not followed."""
    waiting, count = [""], 0
    while waiting:
        below = waiting.pop()
        for name in sorted(os.listdir(os.path.join(root, below))):
            path = os.path.join(below, name)
            mode = os.lstat(os.path.join(root, path)).st_mode
            count += 1
            if count > FILES_AT_MOST:
                yield _refusal(path, "unknown", f"The folder holds more than {FILES_AT_MOST} files.")
                return
            if S_ISDIR(mode):
                waiting.append(path)
            elif S_ISLNK(mode):
                yield _refusal(path, "unknown", "This is a link, which is not followed. Put the file itself here.")
            else:
                yield open_file(os.path.join(root, path), path, follow=False)


def _look(one: Opened, at_most: int, around: Surroundings) -> Looked:
    data = b""
    if one.problem:
        finding = one.problem
    else:
        with os.fdopen(one.descriptor, "rb") as file:
            data = file.read(at_most + 1)
        if len(data) > at_most:
            reason = f"The file is larger than the {at_most} bytes that are looked at. Submit a smaller model."
            finding = Finding("unrecognised", "unknown", (reason,))
        else:
            finding = inspect(data, name=os.path.basename(one.path), around=around)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    companion = not one.problem and is_companion(finding, one.path, data)
    return Looked(one.path, finding, digest, len(data), companion)


def look_at(opened: list[Opened], at_most: int) -> list[Looked]:
    """The findings on files that lie together: beside a clean model, its weights and texts that are data are clean."""
    by_folder: dict[str, dict[str, int]] = {}
    for one in opened:
        if not one.problem:
            by_folder.setdefault(os.path.dirname(one.path), {})[os.path.basename(one.path)] = one.size
    around = {folder: Surroundings(sizes) for folder, sizes in by_folder.items()}
    found = [_look(one, at_most, around.get(os.path.dirname(one.path), Surroundings())) for one in opened]
    if not any(one.finding.verdict == "clean" and one.finding.format != "tokenizer" for one in found):
        return found
    return [_beside_a_model(one, around) for one in found]


def _beside_a_model(one: Looked, around: dict[str, Surroundings]) -> Looked:
    folder, name = os.path.split(one.path)
    if one.companion:
        return one._replace(finding=one.finding._replace(verdict="clean", reasons=()))
    harmless = one.finding.verdict in ("unknown", "error") and one.finding.format not in _PROGRAMS and one.size
    if harmless and folder in around and name in around[folder].claimed:
        return one._replace(finding=Finding("onnx-data", "clean"))
    return one
