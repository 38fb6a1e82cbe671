"""Callers that send predictions as fast as they are answered, over connections that stay open."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

from tests.contract.serving import request_of

ROW: list[float | None] = [1.0, 2.0, 3.0]


class Call(NamedTuple):
    """One request: about whom, from when to when (seconds of `time.perf_counter`), how it was answered and by whom."""

    unit: str
    began: float
    ended: float
    status: int
    version: str


class Caller:
    """One connection."""

    def __init__(self, port: int, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._path = path

    def send(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._connection.request("POST", self._path, body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@contextmanager
def calling(port: int, path: str, callers: int, unit: Callable[[int], str]) -> Iterator[list[Call]]:
    """Calls from some threads at once, for as long as the block lasts; `unit` names whom each is about."""
    calls: list[Call] = []
    numbers, stop = count(), threading.Event()

    def call() -> None:
        caller = Caller(port, path)
        while not stop.is_set():
            about, began = unit(next(numbers)), time.perf_counter()
            status, answer = caller.send(json.dumps({**request_of([ROW]), "id": about}).encode())
            version = json.loads(answer).get("model_version", "")
            calls.append(Call(about, began, time.perf_counter(), status, version))
        caller.close()

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        stop.set()
        for thread in threads:
            thread.join()
