"""What kills whoever uses a target, between two of its calls: the call is made, its answer never comes."""

from threading import Lock

BLOWN = 418
"""What a dead caller is told: an answer that nobody retries."""


class Fuse:
    """Counts the requests that reach a target. Set to n, it lets n through, and answers none from the last on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: int | None = None
        self.burnt = 0

    def set(self, requests: int | None) -> None:
        """After so many requests the caller is dead; None: it lives."""
        with self._lock:
            self._left, self.burnt = requests, 0

    @property
    def blown(self) -> bool:
        """Whether the caller is dead."""
        return self._left == 0

    def burn(self) -> None:
        """One request more has been carried out."""
        with self._lock:
            self.burnt += 1
            if self._left:
                self._left -= 1
