"""Who answers a request that names no version: the champion, or the challenger for its share of the units.

A challenger that fails costs nobody an answer: the champion gives it. What either says is put into the traffic log.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from time import perf_counter_ns
from typing import NamedTuple

from models.errors import InvalidInputError
from models.traffic import Answer, is_challenged
from worker.inference_protocol import Array, InferRequest, answer, parse_request, read_columns
from worker.mirror import Copy, Mirror
from worker.model_repository import Route
from worker.served_model import ServedModel
from worker.traffic_log import TrafficLog

LOGGED_ROWS = 100
_LONGEST_ERROR = 300


class Reply(NamedTuple):
    """The body of an answer, and the copy that the challenger is still to be given."""

    body: bytes
    copy: Copy | None = None


class Router:
    """Has requests answered by the right version."""

    def __init__(self, log: TrafficLog) -> None:
        self._log = log
        self.mirror = Mirror(self._give)

    def answer(self, route: Route, body: bytes) -> Reply:
        """The answer to a request; InvalidInputError, ModelopsError if the champion itself fails."""
        request = parse_request(body)
        unit, (champion, challenger, split) = unit_of(request), route
        if challenger is None or split is None:
            return Reply(self._ask(champion, request, unit))
        if is_challenged(unit, split):
            return Reply(self._challenge(challenger, champion, request, unit))
        copy = Copy(challenger, unit, body) if split.mirrored else None
        return Reply(self._ask(champion, request, unit), copy)

    def _challenge(self, challenger: ServedModel, champion: ServedModel, request: InferRequest, unit: str) -> bytes:
        """Whatever is wrong with the challenger, the champion answers; if both refuse, the request is wrong."""
        began = perf_counter_ns()
        try:
            return self._ask(challenger, request, unit)
        except Exception as error:
            reply = self._ask(champion, request, unit, instead=True)
            if isinstance(error, InvalidInputError):
                self._failed(challenger, unit, began, error)
            return reply

    def _give(self, copy: Copy) -> None:
        began = perf_counter_ns()
        try:
            self._ask(copy.challenger, parse_request(copy.body), copy.unit, mirrored=True)
        except Exception as error:
            if isinstance(error, InvalidInputError):
                self._failed(copy.challenger, copy.unit, began, error, mirrored=True)

    def _ask(
        self, model: ServedModel, request: InferRequest, unit: str, *, mirrored: bool = False, instead: bool = False
    ) -> bytes:
        """Its answer; what it fails on is logged, but not that it refuses a request."""
        began = perf_counter_ns()
        try:
            outputs = model.predict(read_columns(request, model.columns))
            body = answer(request, model.name, model.version, outputs)
        except InvalidInputError:
            raise
        except Exception as error:
            self._failed(model, unit, began, error, mirrored)
            raise
        said = partial(_answer, datetime.now(UTC), unit, model.version, _since(began), mirrored, instead, outputs)
        self._log.add(model.name, said)
        return body

    def _failed(self, model: ServedModel, unit: str, began: int, error: Exception, mirrored: bool = False) -> None:
        words, took = (str(error) or type(error).__name__)[:_LONGEST_ERROR], _since(began)
        now = datetime.now(UTC)
        failed = Answer(at=now, unit=unit, version=model.version, microseconds=took, mirrored=mirrored, error=words)
        self._log.add(model.name, lambda: failed)


def unit_of(request: InferRequest) -> str:
    """What a request is about: its parameter `unit`, else its id, else something that no other request is about."""
    return (request.parameters and request.parameters.unit) or request.id or secrets.token_hex(8)


def _answer(
    at: datetime,
    unit: str,
    version: int,
    took: int,
    mirrored: bool,
    instead: bool,
    outputs: Mapping[str, Array],
) -> Answer:
    """A line of the traffic log; it is made when it is written, not while somebody waits for the answer."""
    scores, labels = outputs["score"], outputs["label"]
    return Answer(
        at=at,
        unit=unit,
        version=version,
        microseconds=took,
        mirrored=mirrored,
        instead=instead,
        rows=len(scores),
        scores=tuple(score if isfinite(score) else None for score in scores[:LOGGED_ROWS].tolist()),
        labels=tuple(labels[:LOGGED_ROWS].tolist()),
    )


def _since(began: int) -> int:
    return (perf_counter_ns() - began) // 1000
