"""Checkpoints as the commits of a git repository: whoever has pulled it has a copy that nobody can take back."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from models.checkpoint import read_checkpoint
from models.errors import ConflictError, UnavailableError
from models.signing import Envelope

_BRANCH = "refs/heads/checkpoints"
_NAME = "checkpoint.json"
_NOTHING = "0" * 40
_SECONDS = 60
_WHO = ("-c", "user.name=notary", "-c", "user.email=notary@modelops.invalid", "-c", "commit.gpgsign=false")


class GitCheckpoints:
    """Fits `Checkpoints`. A bare repository, made when there is none; pushing it is left to git."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    def append(self, envelope: Envelope) -> None:
        """One commit more; ConflictError if its number is not the next one, UnavailableError if git fails."""
        if not self._repository.exists():
            self._git("init", "--quiet", "--bare", str(self._repository))
        number, commits = read_checkpoint(envelope).number, self._commits()
        parent = commits[-1] if commits else None
        if number != len(commits) + 1:
            raise ConflictError(f"checkpoint {number} does not follow the last one in {self._repository}")
        blob = self._git("hash-object", "-w", "--stdin", given=envelope.model_dump_json().encode()).decode().strip()
        tree = self._git("mktree", given=f"100644 blob {blob}\t{_NAME}\n".encode()).decode().strip()
        parents = ("-p", parent) if parent else ()
        commit = self._git("commit-tree", tree, *parents, "-m", f"Checkpoint {number}").decode().strip()
        # Moves the branch only from where it was: of two notaries at once, one is told to look again.
        try:
            self._git("update-ref", _BRANCH, commit, parent or _NOTHING)
        except UnavailableError as error:
            if self._commits() == commits:
                raise
            raise ConflictError(f"checkpoint {number} came second in {self._repository}") from error

    def last(self) -> bytes | None:
        """The checkpoint of the last commit; UnavailableError if git fails."""
        return next(iter(self._read(self._commits()[-1:])), None)

    def all(self) -> Sequence[bytes]:
        """The checkpoint of every commit, oldest first; UnavailableError if git fails."""
        return self._read(self._commits())

    def _read(self, commits: Sequence[str]) -> Sequence[bytes]:
        wanted = "".join(f"{commit}:{_NAME}\n" for commit in commits)
        answer, found = self._git("cat-file", "--batch", given=wanted.encode()) if commits else b"", list[bytes]()
        while answer:
            about, _, rest = answer.partition(b"\n")
            size = int(about.split()[-1]) if about.split()[-1].isdigit() else -1
            found.append(rest[:size] if size >= 0 else b"")
            answer = rest[size + 1 :]
        return found

    def _commits(self) -> list[str]:
        if not self._repository.exists() or not self._git("for-each-ref", _BRANCH):
            return []
        return self._git("rev-list", "--reverse", "--first-parent", _BRANCH).decode().split()

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        command = ("git", f"--git-dir={self._repository}", *_WHO, *words)
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS, check=True)  # noqa: S603 - git itself, no shell
        except subprocess.CalledProcessError as error:
            raise self._unavailable(error.stderr.decode(errors="replace").strip()) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._unavailable(str(error)) from error
        return done.stdout

    def _unavailable(self, said: str) -> UnavailableError:
        remedy = "check MODELOPS_CHECKPOINTS, and that git is installed and may write there"
        return UnavailableError(f"git fails in {self._repository}: {said}", remedy)
