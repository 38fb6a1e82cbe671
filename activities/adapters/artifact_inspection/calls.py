"""With which arguments each rebuilding function may be called: those that the libraries themselves write."""

from collections.abc import Callable
from typing import TypeGuard

from activities.adapters.artifact_inspection.allowed_names import Kind, Name
from activities.adapters.artifact_inspection.data_types import bytes_of, of_pickled, whole
from activities.adapters.artifact_inspection.inert import WEIGHT_AT_MOST, Group, Items, Made, Mapping, is_callee

Arguments = tuple[object, ...]
_FACTORIES = ("builtins.list", "builtins.dict", "builtins.int", "builtins.float", "builtins.set", "builtins.str")
_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_BIT_GENERATOR = "numpy.random._pickle.__bit_generator_ctor"


def is_plain(value: object) -> bool:
    """Whether a value is a number, a text, bytes, or a tuple of such."""
    if isinstance(value, Group):
        return value.weight < WEIGHT_AT_MOST and all(map(is_plain, value.items))
    return value is None or isinstance(value, bool | int | float | str | bytes)


def is_data(value: object) -> bool:
    """Whether a value is plain, or an array, a container or an instance: anything but a name."""
    return not isinstance(value, Name) and not is_callee(value)


def _is_class(value: object) -> TypeGuard[Name]:
    return isinstance(value, Name) and value.kind in (Kind.CLASS, Kind.COMPILED)


def _is_named(value: object, *names: str) -> bool:
    return isinstance(value, Name) and str(value) in names


def _is_numbers(value: object) -> bool:
    item = of_pickled(value)
    return item is not None and not item.objects


def _encode(args: Arguments) -> bool:
    return len(args) == 2 and isinstance(args[0], str) and args[1] in ("latin1", "latin-1")


def _contained(args: Arguments) -> bool:
    return not args or (len(args) == 1 and isinstance(args[0], Items | Group | Mapping) and not is_callee(args[0]))


def _bytearray(args: Arguments) -> bool:
    return not args or isinstance(args[0], bytes) or (len(args) == 2 and isinstance(args[0], str))


def _plain(args: Arguments) -> bool:
    return all(map(is_plain, args))


def _defaultdict(args: Arguments) -> bool:
    return not args or (args[0] is None and len(args) == 1) or (len(args) == 1 and _is_named(args[0], *_FACTORIES))


def _reconstructor(args: Arguments) -> bool:
    return len(args) == 3 and _is_class(args[0]) and _is_named(args[1], "builtins.object") and args[2] is None


def _moment(args: Arguments) -> bool:
    return bool(args) and all(is_plain(one) or (isinstance(one, Made) and one.is_by(*_ZONES)) for one in args)


_ZONES = ("datetime.timezone", "datetime.timedelta")


def _dtype(args: Arguments) -> bool:
    return 1 <= len(args) <= 3 and isinstance(args[0], str) and all(is_plain(one) for one in args[1:])


def _reconstruct(args: Arguments) -> bool:
    return len(args) == 3 and _is_named(args[0], "numpy.ndarray") and _is_nothing(args[1], args[2])


def _is_nothing(shape: object, code: object) -> bool:
    return isinstance(shape, Group) and shape.items == (0,) and code in ("b", b"b")


def _mareconstruct(args: Arguments) -> bool:
    masked = len(args) == 4 and _is_named(args[0], "numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray")
    return masked and _is_named(args[1], "numpy.ndarray") and _is_nothing(args[2], args[3])


def _scalar(args: Arguments) -> bool:
    item = of_pickled(args[0]) if len(args) == 2 else None
    return item is not None and not item.objects and isinstance(args[1], bytes) and len(args[1]) == item.size


def _frombuffer(args: Arguments) -> bool:
    item = of_pickled(args[1]) if len(args) == 4 else None
    if item is None or item.objects or not isinstance(args[0], bytes):
        return False
    return bytes_of(args[2], item) == len(args[0]) and args[3] in ("C", "F")


def _bit_generator(args: Arguments) -> bool:
    one = args[0] if len(args) == 1 else None
    return (isinstance(one, Name) and one.name in _GENERATORS) or one in _GENERATORS


def _random(args: Arguments) -> bool:
    made = bool(args) and isinstance(args[0], Made) and args[0].is_by(_BIT_GENERATOR)
    by_name = len(args) == 2 and args[0] in _GENERATORS and _is_named(args[1], _BIT_GENERATOR)
    return (made and len(args) == 1) or by_name


def _compiled(args: Arguments) -> bool:
    return len(args) == 1 and isinstance(args[0], Name) and args[0].kind is Kind.COMPILED


def _unpickled(args: Arguments) -> bool:
    return len(args) == 3 and _compiled(args[:1]) and whole(args[1]) is not None and is_data(args[2])


def _tensor(args: Arguments) -> bool:
    stored = len(args) >= 4 and isinstance(args[0], Made) and args[0].by is None
    hooks = all(isinstance(one, Made | Mapping | bool) or one is None for one in args[4:])
    return stored and all(is_plain(one) for one in args[1:4]) and hooks


def _parameter(args: Arguments) -> bool:
    tensor = len(args) == 3 and isinstance(args[0], Made) and args[0].by is not None
    return tensor and type(args[1]) is bool and isinstance(args[2], Made | Mapping)


_CALLS: dict[str, Callable[[Arguments], bool]] = {
    "_codecs.encode": _encode,
    "builtins.bytearray": _bytearray,
    "builtins.bytes": lambda args: not args,
    "builtins.complex": lambda args: len(args) == 2 and _plain(args),
    "builtins.slice": _plain,
    "collections.OrderedDict": _contained,
    "collections.defaultdict": _defaultdict,
    "collections.deque": lambda args: _contained(args[:1]) and _plain(args[1:]),
    "copyreg._reconstructor": _reconstructor,
    "numpy.dtype": _dtype,
    "numpy.ma.core._mareconstruct": _mareconstruct,
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence": _unpickled,
    "numpy.random._pickle.__bit_generator_ctor": _bit_generator,
    "numpy.random._pickle.__generator_ctor": _random,
    "numpy.random._pickle.__randomstate_ctor": _random,
    "torch.Size": lambda args: len(args) == 1 and is_plain(args[0]),
    "torch.device": _plain,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
}
for _name in ("dict", "frozenset", "list", "set", "tuple"):
    _CALLS[f"builtins.{_name}"] = _contained
for _name in ("date", "datetime", "time", "timedelta", "timezone"):
    _CALLS[f"datetime.{_name}"] = _moment
for _core in ("numpy.core", "numpy._core"):
    _CALLS[f"{_core}.multiarray._reconstruct"] = _reconstruct
    _CALLS[f"{_core}.multiarray.scalar"] = _scalar
    _CALLS[f"{_core}.numeric._frombuffer"] = _frombuffer


def may_call(name: Name, arguments: Arguments) -> bool:
    """Whether loading may call a listed name with these arguments."""
    if known := _CALLS.get(str(name)):
        return known(arguments)
    if name.kind is Kind.REBUILDER:
        return _compiled(arguments) if name.name == "newObj" else _unpickled(arguments)
    return name.kind is Kind.COMPILED and all(map(is_data, arguments))
