"""The files that stand around one that is looked at: a model may keep its weights in one of them."""

from collections.abc import Mapping


class Surroundings:
    """Regular files in the same folder, with their sizes in bytes, and which of them a model claims as its weights."""

    def __init__(self, sizes: Mapping[str, int] | None = None) -> None:
        self._sizes = sizes or {}
        self.claimed = set[str]()

    def claims(self, name: str, offset: str, length: str) -> bool:
        """Claim bytes of a file; False if there are none such."""
        if not (offset.isdecimal() and length.isdecimal() and name in self._sizes):
            return False
        if int(offset) + int(length) > self._sizes[name]:
            return False
        self.claimed.add(name)
        return True
