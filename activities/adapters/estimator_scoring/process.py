"""The side that asks: starts a child process for one model, asks it, and starts another one if it was lost."""

import contextlib
import json
import subprocess
import threading
import weakref
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from activities.adapters.child_process import start_module
from activities.adapters.estimator_scoring.frames import Frame, Status, receive, send
from models.errors import InvalidInputError
from models.formats import Format

Values = NDArray[np.float64]

_CHILD = "activities.adapters.estimator_scoring"
_SMALLER = "Submit a smaller model, or have the limit raised."
_INSTALL = "install the extra: pip install 'modelops[sklearn]'"
_START = 120.0
_PATIENCE = 5.0
_LONGEST_REFUSAL = 1 << 20


class EstimatorProcess:
    """One model in a process without files and network, which ends when nobody holds this any more.

    It is bound in memory, and in time by whoever asks: what does not answer within its seconds is ended.
    """

    def __init__(
        self,
        model: bytes,
        form: Format,
        names: Sequence[str],
        timeout: float = 10.0,
        memory: int = 4 << 30,
        cpu: int = 0,
    ) -> None:
        """Start it and have the model loaded; InvalidInputError if it cannot be used.

        `names` are those of its inputs, `timeout` the seconds for each set of rows, `memory` bytes of address space,
        `cpu` the seconds of processor time that it has altogether, 0 for no limit.
        """
        if missing := [name for name in ("sklearn", "skops") if find_spec(name) is None]:
            raise InvalidInputError(f"a model as {form} needs {' and '.join(missing)}, not installed here", _INSTALL)
        self._model = model
        self._arguments = [form.value, json.dumps(list(names)), str(memory), str(cpu)]
        self._timeout = timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = self._started()

    def score(self, rows: Values) -> Values:
        """One number per row of [n, k]; InvalidInputError if there is no answer, MemoryError."""
        with self._lock:
            if self._process is None:
                self._process = self._started()
            given = np.ascontiguousarray(rows, dtype=np.float64)
            answer = _exchange(self._process, given.tobytes(), self._timeout, given.itemsize * len(rows))
            if answer is None:
                self._process = None
        if answer is None:
            reason = f"the model did not answer {len(rows)} rows within {self._timeout:g} seconds, or ended abnormally"
            raise InvalidInputError(reason, _SMALLER)
        return np.frombuffer(_content(answer), dtype=np.float64)

    def _started(self) -> subprocess.Popen[bytes]:
        process = start_module(_CHILD, self._arguments)
        weakref.finalize(self, _end, process)
        answer = _exchange(process, self._model, _START)
        if answer is None:
            reason = f"the model could not be loaded within {_START:g} seconds, or loading it ended abnormally"
            raise InvalidInputError(reason, _SMALLER)
        _content(answer)
        return process


def _exchange(process: subprocess.Popen[bytes], content: bytes, seconds: float, expected: int = 0) -> Frame | None:
    """The answer to some bytes; None, and no process any more, if there was none in time that it could be."""
    if process.stdin is None or process.stdout is None:
        return None
    late = threading.Timer(seconds, process.kill)
    late.start()
    try:
        send(process.stdin, content)
        answer = receive(process.stdout, max(expected, _LONGEST_REFUSAL))
        if answer and answer.status is Status.DONE and len(answer.content) != expected:
            answer = None
    except OSError:
        answer = None
    finally:
        late.cancel()
    if answer is None:
        _end(process)
    return answer


def _content(answer: Frame) -> bytes:
    if answer.status is Status.NO_MEMORY:
        raise MemoryError("there is not enough memory for the model")
    if answer.status is Status.REFUSED:
        message, _, remedy = answer.content.decode().partition("\n")
        raise InvalidInputError(message, remedy)
    return answer.content


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end by itself, or else end it."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
