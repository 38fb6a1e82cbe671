"""Trains by having a pipeline run elsewhere: dispatched once, waited for, and collected, whatever happens meanwhile.

The run carries a name that follows from the step's key, and is looked for by it before anything is dispatched: whoever
comes back after a crash goes on with the same run.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from models.canonical import canonical, digest_bytes
from models.errors import TrainingError, UnavailableError
from models.evidence import EffectKey
from models.inventory import Reference, Submission
from models.training import accept, request_of

RESULT = "result.json"
_APPEARS_WITHIN = 60.0


class Fate(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Run(NamedTuple):
    """A run of a pipeline: its id in that system, what became of it, and where people see it."""

    id: str
    fate: Fate
    page: str


class Pipeline(Protocol):
    """One pipeline of a CI system. Every method may raise UnavailableError, InvalidInputError."""

    def find(self, name: str) -> Run | None:
        """The newest run of that name; None if there is none yet."""

    def dispatch(self, name: str, request: str) -> Run | None:
        """Have a run begin under a name, with a request in JSON; None if it appears a little later."""

    def look(self, run: Run) -> Run:
        """The run as it is now."""

    def cancel(self, run: Run) -> None:
        """Have it end; no error if it has."""

    def collect(self, run: Run) -> bytes:
        """The bytes of its `result.json`; UnavailableError as long as they are not there."""

    def close(self) -> None:
        """Close the connections."""


class CiTrainer:
    """Fits `Trainer`. Looks every `pause` seconds for at most `timeout`; `beat` is told the run's id each time.

    Whatever `beat` raises ends the waiting; the run goes on, unless `abandoned` says that nobody wants it any more.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        timeout: float,
        beat: Callable[[str], None],
        abandoned: Callable[[], bool],
        pause: float,
    ) -> None:
        self._pipeline = pipeline
        self._timeout = timeout
        self._beat = beat
        self._abandoned = abandoned
        self._pause = pause

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Make a challenger of `previous`; TrainingError. A run that failed under the key is followed by another."""
        name = name_of(key)
        run = self._pipeline.find(name)
        if run is None or run.fate is Fate.FAILED:
            run = self._dispatched(name, canonical(request_of(trainer, previous, _pinned(window))).decode(), run)
        run = self._ended(trainer, run)
        if run.fate is Fate.FAILED:
            raise TrainingError(f"trainer '{trainer}' failed in run {run.id}", f"its log is at {run.page}")
        return accept(trainer, previous, _read(trainer, run, self._pipeline.collect(run)))

    def _dispatched(self, name: str, request: str, before: Run | None) -> Run:
        if begun := self._pipeline.dispatch(name, request):
            return begun
        give_up = time.monotonic() + _APPEARS_WITHIN
        while time.monotonic() < give_up:
            run = self._pipeline.find(name)
            if run and (before is None or run.id != before.id):
                return run
            self._beat(name)
            time.sleep(min(self._pause, 1.0))
        raise UnavailableError(f"run '{name}' was dispatched and does not appear", "it is looked for again")

    def _ended(self, trainer: str, run: Run) -> Run:
        give_up = time.monotonic() + self._timeout
        try:
            while run.fate is Fate.RUNNING:
                if time.monotonic() >= give_up:
                    self._pipeline.cancel(run)
                    raise TrainingError(f"trainer '{trainer}' did not finish within {self._timeout:g} s", run.page)
                self._beat(run.id)
                time.sleep(self._pause)
                run = self._pipeline.look(run)
        except BaseException:
            if self._abandoned():
                self._pipeline.cancel(run)
            raise
        return run


def name_of(key: EffectKey) -> str:
    """What the run of a step is called: short, and nothing that a CI system would not take."""
    return f"modelops-{key.model}-{key.visit}-{digest_bytes(str(key).encode())[7:19]}"


def _pinned(window: Path | None) -> Reference | None:
    if window is None:
        return None
    return Reference(uri=window.resolve().as_uri(), digest=digest_bytes(window.read_bytes()))


def _read(trainer: str, run: Run, result: bytes) -> Submission:
    try:
        return Submission.model_validate_json(result)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        said = f"trainer '{trainer}': {RESULT} of run {run.id} ({digest_bytes(result)}): {place}"
        raise TrainingError(f"{said}: {error.errors()[0]['msg']}", f"see {run.page}") from error
