"""What the drawings in XML are made with: boxes, estimates of how wide a text is, elements."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from models.drawing.graph import legible

_NARROW = frozenset("fijlrtI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%")


class Box(NamedTuple):
    """A rectangle; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The x of its centre."""
        return self.x + self.width / 2


class Point(NamedTuple):
    """A place on the drawing."""

    x: float
    y: float


def width_of(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif font; rather too wide than too narrow."""
    return sum(map(_advance, text)) * size


def _advance(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.36
    return 0.9 if character in _WIDE else 0.68 if character.isupper() else 0.58


def wrap(text: str, width: float, size: float) -> Iterator[str]:
    """The text in lines that are about so wide at most; a word that is wider is broken."""
    line = ""
    for word in legible(text).split():
        for part in _pieces(word, width, size):
            longer = f"{line} {part}" if line else part
            if line and width_of(longer, size) > width:
                yield line
                line = part
            else:
                line = longer
    if line:
        yield line


def _pieces(word: str, width: float, size: float) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and width_of(piece + character, size) > width:
            yield piece
            piece = ""
        piece += character
    yield piece


def number(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{round(value, 1):g}" if abs(value) < 100_000 else f"{value:.0f}"


def add(parent: Element, tag: str, text: str | None = None, **attributes: object) -> Element:
    """A new element; `stroke_width` becomes `stroke-width`, and what is None is left out."""
    element = SubElement(parent, tag)
    dress(element, **attributes)
    element.text = legible(text) if text is not None else None
    return element


def dress(element: Element, **attributes: object) -> None:
    """More attributes of an element, written in the same way."""
    for name, value in attributes.items():
        if value is not None:
            element.set(name.replace("_", "-"), _spell(value))


def _spell(value: object) -> str:
    return number(value) if isinstance(value, int | float) else legible(str(value))


def document(root: Element) -> str:
    """The whole file."""
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"
