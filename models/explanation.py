"""What a code means."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """A code in plain words. A warning does not keep a template from compiling."""

    title: str
    text: str
    warning: bool = False
