"""The code of a commit, from clones on this machine: read object by object, never checked out, never run."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from models.errors import InvalidInputError, UnavailableError, UnknownNameError
from models.inventory import Source

_SECONDS = 60
_MOST_FILES = 20_000
_MOST_BYTES = 256 << 20
_SUBMODULE = "160000"
_LINK = "120000"
_MISSING = "BAD"
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
}
"""Neither settings nor objects put in place of others change what is read, and nothing is fetched."""
_PULL = "have the worker's clone of it fetch what is new"
_SMALLER = "keep code in a repository of its own, without data and without the code of others"


class _Blob(NamedTuple):
    path: str
    object: str
    size: int


class GitRepositories:
    """Fits `Repositories`. `clones` are folders by the address that versions give; no other place is read."""

    def __init__(self, clones: Mapping[str, Path]) -> None:
        self._clones = clones

    def tree(self, source: Source) -> Mapping[str, bytes]:
        """Every file of a commit, but no links.

        UnknownNameError, InvalidInputError if the clone does not have all of it, UnavailableError.
        """
        clone = self._clones.get(source.repository)
        if clone is None:
            message = f"the worker has no clone of '{source.repository}'"
            raise UnknownNameError(message, "clone it, and name the folder in MODELOPS_REPOSITORIES")
        listed = _git(clone, "ls-tree", "-r", "-z", "-l", "--full-tree", f"{source.commit}^{{commit}}")
        blobs = list(_blobs(source, listed.decode(errors="backslashreplace")))
        if len(blobs) > _MOST_FILES or sum(blob.size for blob in blobs) > _MOST_BYTES:
            raise InvalidInputError(f"{_named(source)} is larger than what is looked at", _SMALLER)
        wanted = "".join(f"{blob.object}\n" for blob in blobs)
        contents = _contents(_git(clone, "cat-file", "--batch", given=wanted.encode()), blobs, source)
        files = dict(zip((blob.path for blob in blobs), contents, strict=True))
        if len(files) < len(blobs):
            raise InvalidInputError(f"{_named(source)} has files whose names cannot be told apart", _SMALLER)
        return files


def _named(source: Source) -> str:
    return f"{source.repository} at {source.commit[:12]}"


def _blobs(source: Source, listed: str) -> Iterator[_Blob]:
    for entry in listed.split("\0")[:-1]:
        about, _, path = entry.partition("\t")
        mode, _, object, size = about.split()
        if mode == _SUBMODULE:
            raise InvalidInputError(f"'{path}' of {_named(source)} is a submodule, whose code is elsewhere", _SMALLER)
        if size == _MISSING:
            raise InvalidInputError(f"'{path}' of {_named(source)} is missing from the clone", _PULL)
        if mode != _LINK:
            yield _Blob(path, object, int(size))


def _contents(answer: bytes, blobs: list[_Blob], source: Source) -> Iterator[bytes]:
    at = 0
    for blob in blobs:
        head = f"{blob.object} blob {blob.size}\n".encode()
        if answer[at : at + len(head)] != head:
            raise InvalidInputError(f"'{blob.path}' of {_named(source)} is missing from the clone", _PULL)
        at += len(head)
        yield answer[at : at + blob.size]
        at += blob.size + 1


def _git(clone: Path, *words: str, given: bytes = b"") -> bytes:
    command = ("git", "-C", str(clone), *words)
    try:
        done = subprocess.run(  # noqa: S603 - git itself, no shell
            command, input=given, capture_output=True, timeout=_SECONDS, check=True, env=_ENVIRONMENT
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise UnknownNameError(f"git cannot read {clone}: {said}", _PULL) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"git cannot read {clone}: {error}", "install git, and try again") from error
    return done.stdout
