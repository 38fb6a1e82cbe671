"""What state may be put into what loading made."""

from activities.adapters.artifact_inspection.allowed_names import Kind
from activities.adapters.artifact_inspection.calls import is_plain
from activities.adapters.artifact_inspection.data_types import bytes_of, of_pickled, whole
from activities.adapters.artifact_inspection.inert import Group, Items, Made, Mapping, is_callee

_ARRAYS = ("numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct")
_MASKED = "numpy.ma.core._mareconstruct"
_NO_STATE = ("builtins.", "collections.", "datetime.", "_codecs.", "torch.")


def why_not(made: Made, state: object) -> str | None:
    """Why a state must not be put into an instance, as the rest of a sentence; None if it may."""
    if is_callee(state):
        return "would keep a function that only rebuilds data"
    if made.by is None or str(made.by).startswith(_NO_STATE):
        return f"would change an instance of '{made.by}', which has no state"
    if made.is_by("numpy.dtype"):
        return None if of_pickled(Made(made.by, made.arguments, state)) else "describes no data type that NumPy writes"
    if made.is_by(*_ARRAYS):
        return None if _is_array(state, 5) else "describes no array that NumPy writes"
    if made.is_by(_MASKED):
        return None if _is_array(state, 7) else "describes no masked array that NumPy writes"
    if isinstance(state, Mapping):
        return _why_not_attributes(state)
    rebuilt = made.by.kind in (Kind.COMPILED, Kind.REBUILDER) and made.by.name != "_reconstructor"
    if rebuilt and isinstance(state, Group):
        return next(filter(None, (_why_not_attributes(one) for one in state.items if isinstance(one, Mapping))), None)
    return f"would put into '{made.by}' what is not its attributes"


def _why_not_attributes(state: Mapping) -> str | None:
    for key, value in state.pairs:
        if not isinstance(key, str):
            return "would set an attribute whose name is no text"
        if key.startswith("__"):
            return f"would set '{key}', on which Python itself acts"
        if key == "memory" and isinstance(value, str):
            return "would keep a folder from which fitting loads pickles ('memory')"
    return None


def _is_array(state: object, length: int) -> bool:
    items = state.items if isinstance(state, Group) else ()
    if len(items) != length:
        return False
    item = of_pickled(items[2])
    size = bytes_of(items[1], item) if item else None
    if item is None or size is None or not is_plain(items[3]):
        return False
    if item.objects:
        return isinstance(items[4], Items)
    return isinstance(items[4], bytes) and len(items[4]) == size and all(map(_is_mask, items[5:]))


def _is_mask(value: object) -> bool:
    return isinstance(value, bytes) or not isinstance(value, Items | Mapping)


def array_bytes(wrapper: Made) -> int | None:
    """Bytes of the array that follows joblib's wrapper, 0 of one of objects; None unless joblib writes such a one."""
    found = wrapper.state.texts() if isinstance(wrapper.state, Mapping) else None
    if found is None or found.get("numpy_array_alignment_bytes") != 16 or found.get("order") not in ("C", "F"):
        return None
    item, subclass = of_pickled(found.get("dtype")), found.get("subclass")
    if item is None or str(subclass) != "numpy.ndarray" or whole(item.size) == 0:
        return None
    size = bytes_of(found.get("shape"), item)
    return 0 if item.objects and size is not None else size
