"""The reference of the kernel: a state machine that is a dictionary of functions, and checks nothing."""

from collections.abc import Callable, Sequence

from models.messages import Body, Event

Place = dict[str, object]
Move = Callable[[Place, Body], Place]
Table = dict[tuple[str, str], Move]


def table_of(events: Sequence[Event]) -> Table:
    """Place and event to a function that returns the next place."""
    return {(str(index), event.body.event): _to(str(index + 1), index + 1) for index, event in enumerate(events)}


def dispatch(table: Table, events: Sequence[Event]) -> None:
    """Every event, one after the other."""
    place: Place = {"name": "0", "seq": 0, "last": None}
    for event in events:
        place = table[str(place["name"]), event.body.event](place, event.body)


def _to(name: str, seq: int) -> Move:
    def move(place: Place, body: Body) -> Place:
        return {**place, "name": name, "seq": seq, "last": body}

    return move
