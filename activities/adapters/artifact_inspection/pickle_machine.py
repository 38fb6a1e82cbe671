"""The pickle machine over inert values: it follows every opcode as unpickling would, and imports and calls nothing.

What happens to stack and memo is what the standard library's `pickle` does.
"""

from collections.abc import Callable
from typing import Any

from activities.adapters.artifact_inspection.allowed_names import Kind, Name
from activities.adapters.artifact_inspection.calls import is_data, may_call
from activities.adapters.artifact_inspection.inert import (
    REFUSED,
    WEIGHT_AT_MOST,
    Group,
    Items,
    Made,
    Mapping,
    Refused,
    is_callee,
)
from activities.adapters.artifact_inspection.states import why_not
from activities.adapters.artifact_inspection.tracing import Notes

MARK = object()
_MEMO_AHEAD = 1_000
_KEEPS_ITEMS: tuple[str, ...] = (
    "collections.deque",
    "collections.OrderedDict",
    "collections.defaultdict",
    "sklearn.utils._bunch.Bunch",
)
_KEEPS_ITEMS += ("builtins.list", "builtins.set", "builtins.dict")

Persistent = Callable[[object], Made | None]


class Machine:
    """One pickle's stack and memo. ValueError where unpickling would fail."""

    def __init__(self, notes: Notes, stored: Persistent | None = None) -> None:
        self.notes = notes
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.at = 0
        self.opcodes = 0
        self.protocol = 0
        self._stored = stored

    def result(self) -> object:
        """What the pickle builds."""
        value = self.pop()
        self.check_kept(value)
        if self.stack:
            self.notes.add(self.at, "would leave values behind that are in nothing")
        return value

    def pop(self) -> Any:
        """Take what is on top of the stack."""
        if not self.stack or self.stack[-1] is MARK:
            raise ValueError("the stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        """What is on top of the stack."""
        if not self.stack or self.stack[-1] is MARK:
            raise ValueError("the stack is empty")
        return self.stack[-1]

    def to_mark(self) -> list[Any]:
        """Take everything down to the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise ValueError("there is no mark")

    def put(self, index: int) -> None:
        """Remember what is on top of the stack."""
        if not 0 <= index <= self.opcodes + _MEMO_AHEAD:
            self.notes.add(self.at, "would need memory for places that it does not use")
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        """Put on the stack what was remembered."""
        if index not in self.memo:
            raise ValueError("nothing is remembered there")
        self.stack.append(self.memo[index])

    def look_up(self, module: object, name: object) -> None:
        """Put a name on the stack, or what is left of one that is not on the list."""
        if module is REFUSED or name is REFUSED:
            self.notes.add(self.at, "would import a name put together while loading", code=True)
            self.stack.append(REFUSED)
            return
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name is a text")
        self.stack.append(self.notes.name(self.at, module, name, self.protocol) or REFUSED)

    def extension(self, code: int) -> None:
        """A name by its number in a register that this file does not bring along."""
        self.notes.add(self.at, f"would look up 'copyreg.extension-{code}'", code=True)
        self.stack.append(REFUSED)

    def call(self, callee: object, arguments: object) -> None:
        """Put on the stack what calling would make."""
        made = self._called(callee, arguments)
        self.stack.append(REFUSED if made is None else made)

    def _called(self, callee: object, arguments: object) -> Made | bytes | None:
        if callee is REFUSED or arguments is REFUSED:
            return None
        if not isinstance(callee, Name):
            self.notes.add(self.at, "would call something that is not a function by its name", code=True)
            return None
        if not isinstance(arguments, Group) or not may_call(callee, arguments.items):
            if not (isinstance(arguments, Group) and REFUSED in arguments.items):
                self.notes.add(self.at, f"would call '{callee}' in a way in which its library does not")
            return None
        if str(callee) in ("_codecs.encode", "builtins.bytes"):
            return _bytes_of(arguments)
        if callee.name == "_reconstructor" or callee.name == "newObj" or callee.name.startswith("__pyx_unpickle_"):
            named = arguments.items[0]
            return Made(named if isinstance(named, Name) else callee, arguments.items[1:])
        return Made(callee, arguments.items)

    def new(self, cls: object, arguments: object) -> None:
        """Put an instance on the stack that is made without its constructor."""
        if cls is REFUSED or arguments is REFUSED:
            self.stack.append(REFUSED)
        elif (
            isinstance(cls, Name)
            and cls.kind in (Kind.CLASS, Kind.COMPILED)
            and isinstance(arguments, Group)
            and (not arguments.items or (cls.kind is Kind.COMPILED and all(map(is_data, arguments.items))))
        ):
            self.stack.append(Made(cls, arguments.items))
        else:
            self.notes.add(self.at, f"would make an instance of '{cls}' as its library does not")
            self.stack.append(REFUSED)

    def put_in(self, target: object, items: list[Any]) -> None:
        """Put items into a list or a set, or into an instance that is one."""
        self._check_target(target, Items)
        for item in items:
            self.check_kept(item)
        if isinstance(target, Items):
            target.size += len(items)

    def set_items(self, target: object, items: list[Any]) -> None:
        """Put pairs into a dictionary, or into an instance that is one."""
        self._check_target(target, Mapping)
        if len(items) % 2 or (isinstance(target, Mapping) and target.closed):
            self.notes.add(self.at, "would change a dictionary of which something was made already", code=True)
            return
        for item in items:
            self.check_kept(item)
        if isinstance(target, Mapping):
            target.pairs += zip(items[::2], items[1::2], strict=True)

    def _check_target(self, target: object, kind: type) -> None:
        named = isinstance(target, Made) and target.is_by(*_KEEPS_ITEMS)
        if not isinstance(target, kind | Refused) and not named:
            self.notes.add(self.at, "would put items into something that keeps none", code=True)

    def check_kept(self, value: object) -> None:
        """Note a function that would be kept, although it may only be called, and what would take for ever to hash."""
        if is_callee(value):
            self.notes.add(self.at, "would keep a function that only rebuilds data", code=True)
        if isinstance(value, Group) and value.weight == WEIGHT_AT_MOST:
            self.notes.add(self.at, "would take for ever: tuples hold one another again and again")

    def persistent(self, identity: object) -> None:
        """Put on the stack what stands outside the pickle, in the one format that has such things."""
        found = self._stored(identity) if self._stored else None
        if found is None and identity is not REFUSED:
            self.notes.add(self.at, "would ask for an object that is outside of it")
        self.stack.append(found or REFUSED)

    def build(self) -> object:
        """Give the new instance on top of the stack its state."""
        state, made = self.pop(), self.top()
        if made is REFUSED or state is REFUSED:
            return made
        if not isinstance(made, Made) or made.built:
            self.notes.add(self.at, "would change something that is no new instance", code=True)
            return made
        if reason := why_not(made, state):
            self.notes.add(self.at, reason)
        made.state, made.built = state, True
        for one in (state, *(state.items if isinstance(state, Group) else ())):
            if isinstance(one, Mapping):
                one.closed = True
        return made


def _bytes_of(arguments: Group) -> bytes:
    """Bytes as the protocols write them that have no opcode for bytes."""
    return str(arguments.items[0]).encode("latin-1") if arguments.items else b""
