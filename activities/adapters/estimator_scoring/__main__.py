"""The child process: bound and isolate itself, load one model, answer rows until nobody asks any more.

Arguments: the model's format, the names of its inputs as JSON, then the limits on memory (bytes of address space) and
CPU (seconds, 0 for none). On stdin comes the model, then rows, again and again, each as a frame; on stdout go one frame
for the model and one for each set of rows. Rows and answers are float64 in this machine's byte order.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import IO

import numpy as np
from joblib import parallel_config

from activities.adapters.artifact_inspection.allowed_names import allowed
from activities.adapters.artifact_inspection.readiness import prepare
from activities.adapters.child_process import isolate, limit
from activities.adapters.estimator_scoring.estimator import Estimator, warm_up
from activities.adapters.estimator_scoring.frames import Status, receive, send
from models.errors import InvalidInputError
from models.formats import Format

_LONGEST = 10_000
"""Bytes of a refusal."""


def _only_listed(event: str, arguments: tuple[object, ...]) -> None:
    """A second lock beside the gate's: whoever unpickles finds listed names alone."""
    if event == "pickle.find_class" and not allowed(*map(str, arguments)):
        raise InvalidInputError(f"loading the model would import {arguments[0]}.{arguments[1]}, which is not listed")


def _own_stdout() -> IO[bytes]:
    """Stdout for answers alone: what a model prints goes where stderr goes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answered(answers: IO[bytes], do: Callable[[], bytes]) -> bool:
    try:
        send(answers, do())
    except MemoryError:
        send(answers, b"", Status.NO_MEMORY)
    except InvalidInputError as error:
        send(answers, f"{error}\n{error.remedy}".encode(errors="replace")[:_LONGEST], Status.REFUSED)
    else:
        return True
    return False


def main(form: str, names: str, memory: int, cpu: int) -> None:
    """Answer until stdin ends; at once to an end if the model cannot be used."""
    columns = json.loads(names)
    limit(memory, cpu or None)
    answers = _own_stdout()
    prepare()
    warm_up()
    given = receive(sys.stdin.buffer)
    isolate()
    sys.addaudithook(_only_listed)
    if given is None:
        return
    loaded = list[Estimator]()

    def load() -> bytes:
        loaded.append(Estimator(given.content, Format(form), columns))
        return b""

    def score(rows: bytes) -> bytes:
        return loaded[0].score(np.frombuffer(rows).reshape(-1, len(columns))).tobytes()

    # Other threads and processes would have to be opened, and there is one processor's time to have.
    parallel_config("sequential")
    if not _answered(answers, load):
        return
    while asked := receive(sys.stdin.buffer):
        content = asked.content
        _answered(answers, lambda rows=content: score(rows))  # type: ignore[misc]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
