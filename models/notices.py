"""Messages to people that wait to be told. All of them travel as one payload: of a flood of the like, a few wait."""

from collections.abc import Collection, Iterable

from models.canonical import Slug, replace
from models.evidence import EffectKey
from models.messages import Notify

WAITING = 100
"""So many wait one by one; of a thread of which more have come, the newest stands for those before it."""

_FOLDED = "; there were more like this, which are all on record"


def put(waiting: list[Notify], message: Notify) -> None:
    """One more that waits, in the place of one of its thread if there are too many. The first ones stay as they are."""
    crowd = range(WAITING, len(waiting)) if message.thread else ()
    place = next((place for place in crowd if waiting[place].thread == message.thread), None)
    if place is None:
        waiting.append(message)
    else:
        waiting[place] = replace(message, subject=f"{message.subject}{_FOLDED}")


def untold(model: Slug, messages: Iterable[Notify], told: Collection[EffectKey]) -> tuple[Notify, ...]:
    """What waits yet, of all messages in their order: whoever has heard a newer one of a thread has heard of it."""
    waiting = list[Notify]()
    for message in messages:
        if message.key(model) not in told:
            put(waiting, message)
        elif message.thread:
            waiting = [one for one in waiting if one.thread != message.thread]
    return tuple(waiting)
