"""What each pickle opcode does to the machine; their names and arguments are those of `pickletools`."""

from collections.abc import Callable
from typing import Any

from activities.adapters.artifact_inspection.inert import Items, Mapping, group
from activities.adapters.artifact_inspection.pickle_machine import MARK, Machine

Effect = Callable[[Machine, Any], None]


def _nothing(_: Machine, __: object) -> None:
    """The opcode only concerns how the stream is read."""


def _push(machine: Machine, argument: object) -> None:
    machine.stack.append(argument)


def _constant(value: object) -> Effect:
    return lambda machine, _: machine.stack.append(value)


def _tuple_of(count: int) -> Effect:
    def effect(machine: Machine, _: object) -> None:
        items = [machine.pop() for _ in range(count)]
        machine.stack.append(group(items[::-1]))

    return effect


def _protocol(machine: Machine, number: int) -> None:
    machine.protocol = number


def _pop(machine: Machine, _: object) -> None:
    if not machine.stack:
        raise ValueError("the stack is empty")
    machine.stack.pop()


def _list(machine: Machine, _: object) -> None:
    _filled(machine, Items(), machine.to_mark())


def _filled(machine: Machine, target: Items, items: list[Any]) -> None:
    machine.put_in(target, items)
    machine.stack.append(target)


def _dict(machine: Machine, _: object) -> None:
    items, target = machine.to_mark(), Mapping()
    machine.set_items(target, items)
    machine.stack.append(target)


def _append(machine: Machine, _: object) -> None:
    item = machine.pop()
    machine.put_in(machine.top(), [item])


def _appends(machine: Machine, _: object) -> None:
    items = machine.to_mark()
    machine.put_in(machine.top(), items)


def _set_item(machine: Machine, _: object) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items(machine.top(), [key, value])


def _set_items(machine: Machine, _: object) -> None:
    items = machine.to_mark()
    machine.set_items(machine.top(), items)


def _global(machine: Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    machine.look_up(module, name)


def _stack_global(machine: Machine, _: object) -> None:
    name, module = machine.pop(), machine.pop()
    machine.look_up(module, name)


def _inst(machine: Machine, argument: str) -> None:
    items = machine.to_mark()
    _global(machine, argument)
    machine.call(machine.pop(), group(items))


def _obj(machine: Machine, _: object) -> None:
    items = machine.to_mark()
    if not items:
        raise ValueError("there is no class")
    machine.call(items[0], group(items[1:]))


def _reduce(machine: Machine, _: object) -> None:
    arguments, callee = machine.pop(), machine.pop()
    machine.call(callee, arguments)


def _new(machine: Machine, _: object) -> None:
    arguments, cls = machine.pop(), machine.pop()
    machine.new(cls, arguments)


def _new_with_names(machine: Machine, _: object) -> None:
    names, arguments, cls = machine.pop(), machine.pop(), machine.pop()
    empty = isinstance(names, Mapping) and not names.pairs
    machine.new(cls, arguments if empty else names)


def _buffer(machine: Machine, _: object) -> None:
    machine.persistent("a buffer")


EFFECTS: dict[str, Effect] = {
    **dict.fromkeys(("PROTO",), _protocol),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"), _push),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _push),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _push),
    "BYTEARRAY8": lambda machine, data: machine.stack.append(bytes(data)),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": _constant(MARK),
    "EMPTY_TUPLE": _tuple_of(0),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "TUPLE": lambda machine, _: machine.stack.append(group(machine.to_mark())),
    "EMPTY_LIST": lambda machine, _: machine.stack.append(Items()),
    "EMPTY_SET": lambda machine, _: machine.stack.append(Items()),
    "EMPTY_DICT": lambda machine, _: machine.stack.append(Mapping()),
    "LIST": _list,
    "FROZENSET": _list,
    "DICT": _dict,
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "POP": _pop,
    "POP_MARK": lambda machine, _: machine.to_mark().clear(),
    "DUP": lambda machine, _: machine.stack.append(machine.top()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.get),
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "INST": _inst,
    "OBJ": _obj,
    "REDUCE": _reduce,
    "NEWOBJ": _new,
    "NEWOBJ_EX": _new_with_names,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), Machine.extension),
    "PERSID": Machine.persistent,
    "BINPERSID": lambda machine, _: machine.persistent(machine.pop()),
    "NEXT_BUFFER": _buffer,
    "READONLY_BUFFER": _nothing,
}
