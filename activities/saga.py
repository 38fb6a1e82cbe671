"""What was done outside is undone in reverse when something that comes later is turned down."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from models.errors import ModelopsError


class Saga:
    """Remembers how to undo each effect. At the end nothing is undone, unless it ends with an error to be settled.

    An error that another attempt may mend undoes nothing: the next attempt goes on from there, under the same keys.
    """

    def __init__(self) -> None:
        self._undo = ExitStack()

    def did(self, undo: Callable[[], object]) -> None:
        """Something was done; this undoes it."""
        self._undo.callback(undo)

    def __enter__(self) -> "Saga":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ModelopsError) and not error.retryable:
            self._undo.close()
        else:
            self._undo.pop_all()
