"""What a pickle would import, read off its opcodes: the pickle machine, run with inert values only.

Opcodes and their effects on stack and memo are those of the standard library's `pickletools`; nothing is called.
"""

import io
import pickletools
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from activities.adapters.artifact_inspection.findings import DO_NOT_LOAD, EXPORT, Finding, shown

_MARK = object()
_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_EXTENSIONS = {"EXT1", "EXT2", "EXT4"}
_WRAPPER = "joblib.numpy_pickle NumpyArrayWrapper"
_COMPUTED = "(a name put together while loading)"
_NAMED_AT_MOST = 5

_BUILTINS = "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"
_ARRAYS = "_reconstruct scalar"
_HARMLESS = {
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS + " long unicode",
    "collections": "OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "copy_reg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "uuid": "UUID",
    "_codecs": "encode",
    "numpy": "ndarray dtype bool_ float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64",
    "numpy.core.multiarray": _ARRAYS,
    "numpy._core.multiarray": _ARRAYS,
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64",
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "torch": "FloatStorage DoubleStorage HalfStorage BFloat16Storage IntStorage LongStorage ByteStorage BoolStorage",
    "torch._utils": "_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter",
}
_CLASSES = ("sklearn.", "xgboost.", "lightgbm.", "scipy.sparse.", "pandas.core.", "numpy.random.", "torch.nn.modules.")
_CLASS = re.compile(r"(?:_*[A-Z]|__pyx_unpickle_)\w*", re.ASCII)

_HIDDEN_GLOBAL = re.compile(rb"[ci]([A-Za-z_][\w.]{0,99})\n([A-Za-z_][\w.]{0,99})\n(?=[(q\x94)rpX\x8cSUV\]}N])")
_HIDDEN_STACK_GLOBAL = re.compile(rb"\x8c.([\w.]{1,99})(?:\x94|q.)?\x8c.([\w.]{1,99})(?:\x94|q.)?\x93", re.DOTALL)


class Import(NamedTuple):
    """A name that loading would look up: `module name`, and the offset of the opcode that does it."""

    name: str
    offset: int

    @property
    def harmless(self) -> bool:
        """Whether the name only rebuilds data. (Being so makes no pickle acceptable.)"""
        module, _, name = self.name.partition(" ")
        if name in _HARMLESS.get(module, "").split():
            return True
        return module.startswith(_CLASSES) and bool(_CLASS.fullmatch(name))


class Trace(NamedTuple):
    """What was read of pickles, one behind the other, up to `end`: the first byte that is not part of a whole one."""

    imports: tuple[Import, ...]
    opcodes: int
    end: int


class _Machine:
    """One pickle's stack and memo. A value is the text that it surely is, a mark, or None for anything else."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}

    def looks_up(self, opcode: str, argument: object) -> str | None:
        """The `module name` that an opcode would import."""
        if opcode == "GLOBAL" or (opcode == "INST" and _MARK in self.stack):
            return str(argument)
        if opcode in _EXTENSIONS:
            return f"copyreg extension-{argument}"
        if opcode != "STACK_GLOBAL":
            return None
        texts = [part for part in self.stack[-2:] if isinstance(part, str)]
        return " ".join(texts) if len(texts) == 2 else _COMPUTED

    def apply(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        """Move the stack and the memo as the opcode does; ValueError where unpickling would fail."""
        if opcode.name in _TEXTS:
            self.stack.append(argument)
        elif opcode.name in _GETS and isinstance(argument, int):
            self.stack.append(self.memo.get(argument))
        elif opcode.name in _PUTS and isinstance(argument, int):
            self.memo[argument] = self._top()
        elif opcode.name == "MEMOIZE":
            self.memo[len(self.memo)] = self._top()
        elif opcode.name == "DUP":
            self.stack.append(self._top())
        else:
            self._shift(opcode.stack_before, opcode.stack_after)

    def _top(self) -> object:
        if not self.stack:
            raise ValueError("the stack is empty")
        return self.stack[-1]

    def _pop(self) -> object:
        top = self._top()
        self.stack.pop()
        return top

    def _shift(self, before: list[pickletools.StackObject], after: list[pickletools.StackObject]) -> None:
        if pickletools.markobject in before:
            while self._pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._pop()
        self.stack += [_MARK if item is pickletools.markobject else None for item in after]


def _trace_one(data: bytes, start: int) -> tuple[Trace, bool]:
    """One pickle from `start`, with those that joblib writes inside it; whether it is whole."""
    stream = io.BytesIO(data)
    stream.seek(start)
    machines, imports, opcodes, joblib, position = [_Machine()], list[Import](), 0, False, start
    try:
        while machines:
            for opcode, argument, at in pickletools.genops(stream):
                position, opcodes = at or 0, opcodes + 1
                if opcode.name == "PROTO" and joblib:
                    machines.append(_Machine())
                if name := machines[-1].looks_up(opcode.name, argument):
                    imports.append(Import(name, position))
                    joblib = joblib or name == _WRAPPER
                machines[-1].apply(opcode, argument)
            machines.pop()
            if machines:
                machines[-1].stack.append(None)
    except ValueError:
        return Trace(tuple(imports), opcodes, position + 1), False
    return Trace(tuple(imports), opcodes, stream.tell()), True


def trace(data: bytes) -> tuple[Trace, int]:
    """All pickles from the first byte on, and how many of them are whole; odd escapes in their texts are no news."""
    imports, opcodes, start, whole = list[Import](), 0, 0, 0
    complete = True
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        while complete and start < len(data):
            part, complete = _trace_one(data, start)
            imports += part.imports
            opcodes, start, whole = opcodes + part.opcodes, part.end, whole + complete
    return Trace(tuple(imports), opcodes, start), whole


def _hidden(data: bytes, start: int) -> Iterator[Import]:
    """Imports behind the point up to which the opcodes could be followed, found by their spelling."""
    for pattern in (_HIDDEN_GLOBAL, _HIDDEN_STACK_GLOBAL):
        for match in pattern.finditer(data, start):
            yield Import(f"{match[1].decode('latin-1')} {match[2].decode('latin-1')}", match.start())


def inspect_pickle(data: bytes, where: str = "") -> Finding | None:
    """The finding on a pickle, or None if the bytes do not begin as one. `where` ends each place, as in ` of x.pkl`."""
    seen, whole = trace(data)
    begun = data[:1] == b"\x80" and data[1:2] <= b"\x05" and seen.opcodes > 1
    if not (whole or begun or (seen.imports and seen.opcodes > 2)):
        return None
    imports = sorted({*seen.imports, *_hidden(data, seen.end)}, key=lambda found: found.offset)
    dangerous = [found for found in imports if not found.harmless]
    if dangerous:
        named = tuple(
            f"Loading this file would import '{shown(found.name.replace(' ', '.', 1))}', which can run code: "
            f"see byte {found.offset}{where}."
            for found in dangerous[:_NAMED_AT_MOST]
        )
        more = len(dangerous) - _NAMED_AT_MOST
        rest = (f"It would import {more} more such names.",) if more > 0 else ()
        return Finding("pickle", "malicious", (*named, *rest, DO_NOT_LOAD))
    unread = len(data) - seen.end
    note = f"{unread} bytes from byte {seen.end}{where} could not be followed as pickle."
    return Finding("pickle", "unknown", (EXPORT, note) if unread else (EXPORT,))
