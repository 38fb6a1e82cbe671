"""Copies of requests for a challenger, answered in the background, where nobody waits for them."""

import threading
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from worker.served_model import ServedModel

HELD_AT_MOST = 4 * 1024 * 1024
"""Bytes of copies that wait: a challenger that is too slow misses some, and nobody else is any slower."""
EVERY = 0.02
"""Seconds between two looks at what waits: to be woken by each request would slow them all."""
REST = 4
"""For how many times as long as a copy took there is none: the processor is the champion's."""
_EACH = 1024
_WITHIN = 5.0


class Copy(NamedTuple):
    """A request that the champion has answered, for a challenger."""

    challenger: ServedModel
    unit: str
    body: bytes


class Mirror:
    """Gives challengers their copies, one at a time. What is too much is dropped and counted."""

    def __init__(self, give: Callable[[Copy], None]) -> None:
        self._give = give
        self._waiting: deque[Copy] = deque()
        self._held = 0
        self._change = threading.Condition()
        self._stopping = False
        self._worker = threading.Thread(target=self._work, name="mirror", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()

    def stop(self) -> None:
        """End after the copy at hand; those that wait are given to nobody."""
        with self._change:
            self._stopping = True
            self._change.notify()
        self._worker.join(_WITHIN)

    def add(self, copy: Copy) -> None:
        """Have a copy answered some time."""
        with self._change:
            if self._held + _size(copy) > HELD_AT_MOST:
                self.dropped += 1
                return
            self._waiting.append(copy)
            self._held += _size(copy)

    def _work(self) -> None:
        while not self._stopping:
            rest = EVERY
            if copy := self._next():
                began = perf_counter()
                self._give(copy)
                rest = REST * (perf_counter() - began)
            with self._change:
                self._change.wait_for(lambda: self._stopping, rest)

    def _next(self) -> Copy | None:
        with self._change:
            if self._stopping or not self._waiting:
                return None
            copy = self._waiting.popleft()
            self._held -= _size(copy)
            return copy


def _size(copy: Copy) -> int:
    return len(copy.body) + len(copy.unit) + _EACH
