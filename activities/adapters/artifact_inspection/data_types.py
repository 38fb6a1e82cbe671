"""Data types of NumPy arrays, as pickles and .npy files write them: how many bytes does an item take?"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from activities.adapters.artifact_inspection.inert import Group, Made, Mapping

_CODE = re.compile(r"[<>|=]?([biufcmMSUVO?])(\d{0,9})(\[[\w/]{1,12}\])?", re.ASCII)
_SIZES = {"?": {1}, "b": {1}, "i": {1, 2, 4, 8}, "u": {1, 2, 4, 8}, "f": {2, 4, 8, 12, 16}, "c": {8, 16, 24, 32}}
_DATES = {"m": {8}, "M": {8}}
_WIDE = 4
_OBJECT_FLAGS = 63
_PLAIN_FLAGS = (0, 8, 16, 128, 144)
_FIELDS_AT_MOST = 1_000


class ItemType(NamedTuple):
    """Bytes of one item; `objects` if it is a reference to an object, which a pickle alone can hold."""

    size: int
    objects: bool = False


def of_code(code: object) -> ItemType | None:
    """The type that a code such as `<f8` names; None if it names none of a fixed layout."""
    found = _CODE.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        return None
    kind, size = found[1], int(found[2] or 0)
    if kind == "O":
        return ItemType(8, objects=True)
    if kind == "?":
        return ItemType(1) if not size else None
    if kind in "SUV":
        return ItemType(size * (_WIDE if kind == "U" else 1))
    return ItemType(size) if size in (_SIZES | _DATES)[kind] else None


def of_description(described: object) -> ItemType | None:
    """The type that the header of a .npy file describes: a code, or pairs of a field's name and its code."""
    if not isinstance(described, list):
        return of_code(described)
    if not 0 < len(described) <= _FIELDS_AT_MOST:
        return None
    size = 0
    for field in described:
        found = of_code(field[1]) if isinstance(field, tuple) and len(field) == 2 else None
        if found is None or found.objects:
            return None
        size += found.size
    return ItemType(size)


def of_pickled(made: object) -> ItemType | None:
    """The type that a pickled `numpy.dtype` is; None unless every part is as NumPy writes it."""
    if not isinstance(made, Made) or not made.is_by("numpy.dtype"):
        return None
    found = of_code(made.arguments[0])
    if found is None or made.state is None:
        return None if found is None or found.objects else found
    state = made.state.items if isinstance(made.state, Group) else ()
    if len(state) not in (8, 9) or state[2] is not None:
        return None
    names, fields, size, flags = state[3], state[4], state[5], state[7]
    if flags != _OBJECT_FLAGS if found.objects else flags not in _PLAIN_FLAGS:
        return None
    if size != -1 and size != found.size:
        return None
    return found if names is None and fields is None else _structured(found, names, fields)


def _structured(whole: ItemType, names: object, fields: object) -> ItemType | None:
    if whole.objects or not isinstance(names, Group) or not isinstance(fields, Mapping):
        return None
    known = fields.texts()
    if known is None or len(known) > _FIELDS_AT_MOST or set(known) != set(names.items):
        return None
    return whole if all(_fits(placed, whole.size) for placed in known.values()) else None


def _fits(placed: object, size: int) -> bool:
    if not isinstance(placed, Group) or len(placed.items) != 2:
        return False
    found, offset = of_pickled(placed.items[0]), whole(placed.items[1])
    return found is not None and not found.objects and offset is not None and offset + found.size <= size


def whole(value: object) -> int | None:
    """A value that is a whole number of at least 0, and not a truth value."""
    return value if type(value) is int and value >= 0 else None


def bytes_of(shape: object, item: ItemType) -> int | None:
    """Bytes of an array; None if its shape is none. Counted without the overflow that NumPy's own product has."""
    sizes: Sequence[object] = shape.items if isinstance(shape, Group) else shape if isinstance(shape, tuple) else (-1,)
    total = item.size
    for one in sizes:
        size = whole(one)
        if size is None:
            return None
        total *= size
    return total
