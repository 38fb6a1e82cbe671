"""What was done is undone in reverse when a later step is turned down for good, and only then."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from activities.saga import Saga
from models.errors import SmokeTestError, UnavailableError


def story(error: BaseException | None, undone: list[str], second: Callable[[], object] | None = None) -> None:
    """Two effects, and how it ends."""
    with Saga() as saga:
        saga.did(lambda: undone.append("first"))
        saga.did(second or (lambda: undone.append("second")))
        if error:
            raise error


@pytest.mark.parametrize(
    ("error", "undone"),
    [
        (None, []),
        (SmokeTestError("it answers nonsense"), ["second", "first"]),
        (UnavailableError("nobody answers"), []),
        (KeyboardInterrupt(), []),
    ],
)
def test_undone_in_reverse(error: BaseException | None, undone: list[str]) -> None:
    """Another attempt goes on from where an outage stopped this one."""
    found: list[str] = []
    with suppress(SmokeTestError, UnavailableError, KeyboardInterrupt):
        story(error, found)
    assert found == undone


def test_what_cannot_be_undone_now_is_undone_by_the_next_attempt() -> None:
    """The outage is what is told, so that there is a next attempt; the rest is undone all the same."""
    undone: list[str] = []

    def fail() -> None:
        raise UnavailableError("nobody answers")

    with pytest.raises(UnavailableError):
        story(SmokeTestError("it answers nonsense"), undone, fail)
    assert undone == ["first"]
