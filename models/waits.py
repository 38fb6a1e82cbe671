"""How long something is waited for, and which of two waits is the shorter one."""

from typing import Annotated

from pydantic import StringConstraints

BusinessDays = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}bd$")]
"""So many days on which people work, as in `5bd`."""

Wait = int | BusinessDays
"""Whole seconds, or business days of a calendar."""

_DAY = 86_400
_SHORTER = 7_200
"""By how many seconds a wait of whole days can be shorter than that because clocks are changed."""


def at_least(wait: Wait) -> int:
    """The seconds that a wait lasts at least: a business day later is a day later, or more."""
    return wait if isinstance(wait, int) else int(wait.removesuffix("bd")) * _DAY - _SHORTER


def never_later(one: Wait, other: Wait) -> bool:
    """Whether a wait never lasts longer than another, whenever both begin."""
    comparable = isinstance(one, int) or isinstance(other, str)
    return one == other or (comparable and at_least(one) <= at_least(other))
