"""What the two processes say to each other: a status, a length, and so many bytes."""

import struct
from enum import IntEnum
from typing import IO, NamedTuple

_HEAD = struct.Struct("<BQ")


class Status(IntEnum):
    """How something went."""

    DONE = 0
    REFUSED = 1
    NO_MEMORY = 2


class Frame(NamedTuple):
    """One message; its content is text if something was refused."""

    status: Status
    content: bytes


def send(stream: IO[bytes], content: bytes, status: Status = Status.DONE) -> None:
    """Write one message."""
    stream.write(_HEAD.pack(status, len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes], at_most: int | None = None) -> Frame | None:
    """The next message; None if the other side is gone, or says something else or more than it should."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    status, length = _HEAD.unpack(head)
    if status not in set(Status) or (at_most is not None and length > at_most):
        return None
    content = stream.read(length)
    return Frame(Status(status), content) if len(content) == length else None
