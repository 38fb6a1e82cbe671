"""Trains by running a program as a child process: `python PROGRAM --request REQUEST.json --output DIR`."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from activities.adapters.child_process import die_with_parent
from activities.adapters.file_digests import pinned
from models.errors import TrainingError, UnknownNameError
from models.evidence import EffectKey
from models.inventory import Submission
from models.training import accept, request_of

_POLL_SECONDS = 0.2
_LAST_LINES = 20
_LAST_CHARACTERS = 2_000
_PROGRESS_BYTES = 400
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}


def _ignore(progress: str) -> None:
    """What hears of progress when nobody listens."""


class ProcessTrainer:
    """Fits the Trainer port.

    `programs` maps a trainer's name to its file, `workspace` receives one folder per run, `python` is the interpreter,
    `timeout` is in seconds, and `beat` is called a few times a second with the last line that the program has printed:
    whatever it raises ends the run.
    """

    def __init__(
        self,
        programs: Mapping[str, Path],
        workspace: Path,
        python: str,
        timeout: float,
        beat: Callable[[str], None] = _ignore,
    ) -> None:
        self._programs = programs
        self._workspace = workspace
        self._python = python
        self._timeout = timeout
        self._beat = beat

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Make a challenger of `previous` from its training data and the window; TrainingError, UnknownNameError.

        Nothing of a run outlives this process, so one that was interrupted begins anew, whatever its `key`.
        """
        program = self._program(trainer)
        self._workspace.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{trainer}-", dir=self._workspace)).resolve()
        request, output = folder / "request.json", folder / "output"
        output.mkdir()
        asked = request_of(trainer, previous, pinned(window) if window else None)
        request.write_text(asked.model_dump_json(indent=2), encoding="utf-8")
        command = [self._python, str(program.resolve()), "--request", str(request), "--output", str(output)]
        self._run(trainer, command, folder)
        return accept(trainer, previous, _result(trainer, output / "result.json"))

    def _program(self, trainer: str) -> Path:
        if trainer not in self._programs:
            known = ", ".join(sorted(self._programs)) or "none"
            raise UnknownNameError(
                f"trainer '{trainer}' is not registered with this worker; known: {known}",
                remedy="Name a known trainer in the template, or register the program in the worker's settings.",
            )
        return self._programs[trainer]

    def _run(self, trainer: str, command: list[str], folder: Path) -> None:
        """Run to the end in a session of its own; on any interruption the whole process group is killed.

        If this process itself is killed, the program dies with it (on Linux), but not what the program started.
        """
        environment = _ENVIRONMENT | {"HOME": str(folder), "TMPDIR": str(folder)}
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            child = subprocess.Popen(  # noqa: S603 (a registered program, no shell)
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, signal.SIGKILL),
            )
            try:
                self._wait(trainer, child, folder)
            finally:
                code = _end(child)
        if code != 0:
            raise TrainingError(f"trainer '{trainer}' ended with code {code}: {_last_lines(folder)}", _remedy(folder))

    def _wait(self, trainer: str, child: subprocess.Popen[bytes], folder: Path) -> None:
        deadline = time.monotonic() + self._timeout
        while not _has_ended(child):
            if time.monotonic() >= deadline:
                problem = f"trainer '{trainer}' did not finish within {self._timeout:g} s: {_last_lines(folder)}"
                raise TrainingError(problem, _remedy(folder))
            self._beat(_progress(folder / "stdout"))
            time.sleep(_POLL_SECONDS)


def _result(trainer: str, path: Path) -> Submission:
    try:
        return Submission.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(f"trainer '{trainer}' wrote no {path}: {error.strerror}", _remedy(path.parent)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"trainer '{trainer}': {path}: {place}: {first['msg']}", _remedy(path.parent)) from error


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the leader ended, leaving it uncollected: until then nobody else can receive its group's number."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _end(child: subprocess.Popen[bytes]) -> int:
    """Kill what is left of the group, the leader's own children too; the leader's exit code."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


def _progress(printed: Path) -> str:
    """The last whole line that was printed."""
    with printed.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _PROGRESS_BYTES))
        lines = file.read().decode("utf-8", "replace").rpartition("\n")[0].split("\n")
    return "".join(character for character in lines[-1] if character.isprintable())


def _last_lines(folder: Path) -> str:
    text = (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()
    return "\n".join(text.splitlines()[-_LAST_LINES:])[-_LAST_CHARACTERS:] or "it wrote nothing to stderr"


def _remedy(folder: Path) -> str:
    return f"See request.json, stdout and stderr of the run in {folder}."
