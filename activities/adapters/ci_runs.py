"""Runs of a pipeline elsewhere: dispatched once, waited for, and collected, whatever happens meanwhile.

A run carries a name that follows from the step's key, and is looked for by it before anything is dispatched: whoever
comes back after a crash goes on with the same run.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from models.canonical import digest_bytes
from models.errors import PipelineError, TrainingError, UnavailableError
from models.evidence import EffectKey

RESULT = "result.json"
_APPEARS_WITHIN = 60.0

_Made = TypeVar("_Made")


class Fate(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Run(NamedTuple):
    """A run of a pipeline: its id in that system, what became of it, where people see it, what is said of it there."""

    id: str
    fate: Fate
    page: str
    said: str = ""


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


class CiRuns:
    """Runs of one pipeline, each looked at every `pause` seconds; `beat` is told its id and how it goes each time.

    Whatever `beat` raises ends the waiting; the run goes on, unless `abandoned` says that nobody wants it any more.
    """

    def __init__(
        self, pipeline: Pipeline, beat: Callable[[str], None], abandoned: Callable[[], bool], pause: float
    ) -> None:
        self._pipeline = pipeline
        self._beat = beat
        self._abandoned = abandoned
        self._pause = pause

    def close(self) -> None:
        """Close the connections."""
        self._pipeline.close()

    def result(self, key: EffectKey, request: str, timeout: float, accept: Callable[[Run, bytes], _Made]) -> _Made:
        """What `accept` makes of the run of a key; PipelineError, and what `accept` raises.

        Somebody who asks again after a run that failed, or left what cannot be accepted, gets another run.
        """
        name = name_of(key)
        run = self._pipeline.find(name)
        if run and run.fate is Fate.SUCCEEDED:
            try:
                return accept(run, self._pipeline.collect(run))
            except (PipelineError, TrainingError):
                pass
        run = self._followed(name, request, timeout, run)
        if run.fate is Fate.FAILED:
            why = f": {run.said}" if run.said else ""
            raise PipelineError(f"run {run.id} failed{why}", f"its log is at {run.page}; retry for another run")
        return accept(run, self._pipeline.collect(run))

    def _followed(self, name: str, request: str, timeout: float, run: Run | None) -> Run:
        """The end of the run under way, or of a new one."""
        try:
            if run is None or run.fate is not Fate.RUNNING:
                run = self._dispatched(name, request, run)
            return self._ended(run, timeout)
        except BaseException:
            if self._abandoned():
                for one in (run, self._pipeline.find(name)):
                    if one:
                        self._pipeline.cancel(one)
            raise

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

    def _ended(self, run: Run, timeout: float) -> Run:
        give_up = time.monotonic() + timeout
        while run.fate is Fate.RUNNING:
            if time.monotonic() >= give_up:
                self._pipeline.cancel(run)
                raise PipelineError(f"run {run.id} did not finish within {timeout:g} s and was cancelled", run.page)
            self._beat(f"{run.id} {run.said}".strip())
            time.sleep(self._pause)
            run = self._pipeline.look(run)
        return run


def name_of(key: EffectKey) -> str:
    """What the run of a step is called: short, and nothing that a CI system would not take."""
    return f"modelops-{key.model}-{key.visit}-{digest_bytes(str(key).encode())[7:19]}"
