"""The objects of a JSON value, at any depth."""

from collections.abc import Iterator


def objects(value: object, at_most: int) -> Iterator[dict[str, object]]:
    """Every object in it, without recursion; ValueError if it has more parts than so many."""
    waiting, count = [value], 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > at_most:
            raise ValueError(f"it has more than {at_most} parts")
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
