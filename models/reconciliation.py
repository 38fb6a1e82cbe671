"""Where record, executions, environments and workers contradict one another: each contradiction is a finding.

Pure: what was observed is compared here, and nothing is looked up.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from models.canonical import Digest, Frozen
from models.inventory import Environment


class FindingKind(StrEnum):
    """What contradicts what."""

    EXECUTION_GONE = "execution_gone"
    RECORD_GONE = "record_gone"
    STATE_DIFFERS = "state_differs"
    SERVING_DIFFERS = "serving_differs"
    ALIAS_MOVED = "alias_moved"
    UNKNOWN_WORKER = "unknown_worker"
    SILENT = "silent"
    UNDELIVERED = "undelivered"
    MONITOR_PAUSED = "monitor_paused"
    MONITOR_DIFFERS = "monitor_differs"


class Finding(Frozen):
    """One contradiction. `about` is what it is found at: a model, an environment or a worker's identity.

    `model` is None if it concerns none. A finding whose text changes is another finding.
    """

    kind: FindingKind
    model: str | None
    about: str
    text: str


class Discovery(Frozen):
    """What is recorded of a finding: that it was seen for the first time, or that it holds no more."""

    finding: Finding
    holds: bool


class Place(NamedTuple):
    """Where a lifecycle is, by its record or by its execution."""

    stage: str
    visit: int
    seq: int
    ended: bool


class Execution(NamedTuple):
    """What the engine says of an execution: its fate (`running`, `terminated`, ...), when its run began, and its place.

    `place` is None of one that does not run, is not asked, or does not answer (`silent`).
    """

    fate: str
    begun: datetime
    place: Place | None = None
    silent: bool = False

    @property
    def runs(self) -> bool:
        """Whether it is open."""
        return self.fate == "running"


class Served(NamedTuple):
    """What serves a model: a version, from a bundle."""

    version: int
    bundle: Digest


Shelf = Mapping[str, Served]
"""What serves in one environment, by model."""


class Observation(NamedTuple):
    """All that was looked at, at a moment. An environment that does not answer is None in `serving`."""

    at: datetime
    places: Mapping[str, Place]
    executions: Mapping[str, Execution]
    recorded: Mapping[Environment, Shelf]
    serving: Mapping[Environment, Shelf | None]
    pollers: Collection[str]


class Expected(NamedTuple):
    """What is in order: beginnings of the identities of actuators, and how long a lifecycle may be without a record."""

    actuators: tuple[str, ...]
    newborn: timedelta


def findings(seen: Observation, expected: Expected) -> frozenset[Finding]:
    """Everything that contradicts."""
    return frozenset(
        (
            *_without_execution(seen),
            *_without_record(seen, expected.newborn),
            *_elsewhere(seen),
            *_served_otherwise(seen),
            *_strangers(seen.pollers, expected.actuators),
        )
    )


class Turned(NamedTuple):
    """What a look changes: findings that are new, that still hold, and that hold no more."""

    opened: frozenset[Finding]
    still: frozenset[Finding]
    resolved: frozenset[Finding]


def turn(known: frozenset[Finding], seen: frozenset[Finding]) -> Turned:
    """What becomes of the findings that are known; where nothing answered, nobody saw that one holds no more."""
    silent = {one.about for one in seen if one.kind is FindingKind.SILENT}
    hidden = {one for one in known if one.about in silent and one.kind in _HIDDEN}
    return Turned(opened=seen - known, still=known & (seen | hidden), resolved=known - seen - hidden)


def settled(known: frozenset[Finding], first: frozenset[Finding], second: frozenset[Finding]) -> frozenset[Finding]:
    """What two looks, some time apart, have seen: something new counts if both did, something known if one did."""
    return (first & second) | (known & (first | second))


_HIDDEN = (FindingKind.STATE_DIFFERS, FindingKind.SERVING_DIFFERS, FindingKind.ALIAS_MOVED)
"""What cannot be seen of what does not answer."""


def _without_execution(seen: Observation) -> Iterator[Finding]:
    for model, place in seen.places.items():
        execution = seen.executions.get(model)
        if place.ended or (execution and execution.runs):
            continue
        fate = f"the execution of '{model}' is over ({execution.fate})" if execution else f"'{model}' has no execution"
        text = f"{fate}, and its record has not ended: `modelops rebuild {model}`"
        yield Finding(kind=FindingKind.EXECUTION_GONE, model=model, about=model, text=text)


def _without_record(seen: Observation, newborn: timedelta) -> Iterator[Finding]:
    """An execution is without a record while its plan is being proved."""
    for model, execution in seen.executions.items():
        if execution.runs and model not in seen.places and seen.at - execution.begun > newborn:
            text = f"an execution drives '{model}', of which the inventory has no lifecycle"
            yield Finding(kind=FindingKind.RECORD_GONE, model=model, about=model, text=text)


def _elsewhere(seen: Observation) -> Iterator[Finding]:
    for model, place in seen.places.items():
        execution = seen.executions.get(model)
        if execution is None or not execution.runs:
            continue
        if execution.silent:
            text = f"the execution of '{model}' does not answer: the worker's log and its history say why"
            yield Finding(kind=FindingKind.SILENT, model=model, about=model, text=text)
        elif execution.place and execution.place != place:
            text = f"the execution of '{model}' is {_spell(execution.place)}; by the record it is {_spell(place)}"
            yield Finding(kind=FindingKind.STATE_DIFFERS, model=model, about=model, text=text)


def _spell(place: Place) -> str:
    ended = ", ended" if place.ended else ""
    return f"in stage '{place.stage}', visit {place.visit}, after event {place.seq}{ended}"


def _served_otherwise(seen: Observation) -> Iterator[Finding]:
    for environment, shelf in seen.serving.items():
        recorded = seen.recorded.get(environment, {})
        if shelf is None:
            text = f"the inference server of {environment} does not answer: nobody knows what it serves"
            yield Finding(kind=FindingKind.SILENT, model=None, about=environment.value, text=text)
            continue
        for model in sorted(recorded.keys() | shelf.keys()):
            should, does = recorded.get(model), shelf.get(model)
            if should != does:
                text = f"{environment} serves {_name(does)} of '{model}'; the record says {_name(should)}"
                yield Finding(kind=FindingKind.SERVING_DIFFERS, model=model, about=environment.value, text=text)


def _name(served: Served | None) -> str:
    return f"version {served.version} from bundle {served.bundle[7:19]}" if served else "nothing"


def _strangers(pollers: Collection[str], actuators: tuple[str, ...]) -> Iterator[Finding]:
    for identity in pollers:
        if not identity.startswith(actuators):
            text = (
                f"'{identity}' takes promotions from the actuator's task queue, and is no actuator that is configured"
            )
            yield Finding(kind=FindingKind.UNKNOWN_WORKER, model=None, about=identity, text=text)
