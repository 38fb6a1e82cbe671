"""Tickets: how one is found again, what it says, and which messages make one."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.announcing import Message
from models.canonical import Frozen, replace


class Ticket(Frozen):
    """What a tracker has made of a message: its name there, and where people see it."""

    id: str
    url: str


class Marks(NamedTuple):
    """By what a ticket is found: the message that it was made of, and the thread of that, if it has one."""

    message: str
    thread: str | None


def marks(source: str, message: Message) -> Marks:
    """The marks of a message of an installation: the same for ever, and nothing that a tracker would not take."""
    return Marks(
        _mark(f"{source}/{message.key}"), _mark(f"{source} {message.thread}") if message.thread is not None else None
    )


def _mark(text: str) -> str:
    return f"modelops-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def signature(source: str, message: Message) -> str:
    """The last line of a ticket or of a comment, by which people and we know what it is about."""
    return f"[{message.topic} {source}/{message.key}]"


def lines(source: str, message: Message, longest: int) -> tuple[str, ...]:
    """What a ticket or a comment says, at most so many characters, with the signature whole."""
    end = signature(source, message)
    more = f"(and {message.more} more like this)" if message.more else ""
    said = f"{message.subject}\n{message.body}"[: longest - len(end) - len(more) - 2]
    return tuple(line for line in (*said.splitlines(), more, end) if line.strip())


def headline(message: Message, longest: int) -> str:
    """The subject in one line."""
    return " ".join(message.subject.split())[:longest]


def unaddressed(messages: Iterable[Message]) -> Iterator[Message]:
    """The same for nobody in particular: who says one thing to five people makes one ticket of it."""
    seen = set[tuple[str, str, str]]()
    for one in messages:
        entry, _, _ = one.key.partition(".")
        if (entry, one.subject, one.body) not in seen:
            seen.add((entry, one.subject, one.body))
            yield replace(one, recipient=None)
