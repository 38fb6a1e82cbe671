"""Chat templates: is this a Jinja template that only lays out messages?

Some programs run these templates outside of Jinja's sandbox, where an attribute such as `__class__` leads to code
(CVE-2024-34359). So what a template may call and reach is listed.
"""

from collections.abc import Iterator

import jinja2.debug  # noqa: F401 - Jinja loads it when a template is wrong, and by then nothing can be loaded
from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols

_LENGTH_AT_MOST = 100_000
_FUNCTIONS = {"range", "namespace", "raise_exception", "strftime_now", "dict"}
_METHODS = {"append", "capitalize", "count", "endswith", "find", "get", "index", "items", "join", "keys", "lower"}
_METHODS |= {"lstrip", "pop", "replace", "rstrip", "split", "startswith", "strip", "title", "upper", "update", "values"}
_FILTERS = {"abs", "capitalize", "default", "d", "dictsort", "e", "escape", "first", "float", "indent", "int", "items"}
_FILTERS |= {"join", "last", "length", "count", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace"}
_FILTERS |= {"reverse", "round", "safe", "select", "selectattr", "sort", "string", "sum", "title", "tojson", "trim"}
_FILTERS |= {"unique", "upper"}
_REACHING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_NAMING = {"map", "selectattr", "rejectattr", "sort", "unique", "sum"}


class _Generation(Environment):
    """Knows the marks by which some templates say what the model itself wrote."""

    def parse(self, source: str, name: str | None = None, filename: str | None = None) -> nodes.Template:
        """The template, with the marks `generation` left out."""
        for mark in ("generation", "endgeneration"):
            for opening in ("{%-", "{%"):
                for closing in ("-%}", "%}"):
                    source = source.replace(f"{opening} {mark} {closing}", "")
        return super().parse(source, name, filename)


def looks_like_template(text: str) -> bool:
    """Whether a text has Jinja's marks in it."""
    return "{{" in text or "{%" in text


def why_unsafe(text: str) -> str | None:
    """Why a template is not a mere layout of messages, as the rest of a sentence; None if it is."""
    if len(text) > _LENGTH_AT_MOST:
        return "is longer than any chat template"
    try:
        tree = _Generation(extensions=[loopcontrols], autoescape=True).parse(text)
    except (TemplateError, RecursionError) as error:
        return f"cannot be read as a template ({type(error).__name__})"
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    return next(_faults(tree, macros), None)


def _faults(tree: nodes.Template, macros: set[str]) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        if isinstance(node, _REACHING):
            yield "brings in another template"
        elif isinstance(node, nodes.Name) and node.ctx == "store" and node.name in _FUNCTIONS | macros:
            yield f"gives another meaning to '{node.name}'"
        elif isinstance(node, nodes.Getattr) and _is_inner(node.attr):
            yield f"reaches the attribute '{node.attr}', from which code can be run"
        elif isinstance(node, nodes.Const) and isinstance(node.value, str) and _spells_inner(node.value):
            yield "spells the name of an attribute from which code can be run"
        elif isinstance(node, nodes.Call):
            yield from _call_faults(node, macros)
        elif isinstance(node, nodes.Filter):
            yield from _filter_faults(node)
        elif isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Const):
            yield "puts a name together letter by letter"


def _is_inner(name: str) -> bool:
    return name.startswith("_") or name in {"mro", "gi_frame", "gi_code", "cr_frame", "f_globals", "func_globals"}


def _spells_inner(text: str) -> bool:
    return "__" in text or (text.startswith("_") and text.strip().isidentifier()) or text.strip("_") == "" != text


def _call_faults(call: nodes.Call, macros: set[str]) -> Iterator[str]:
    if isinstance(call.node, nodes.Name):
        if call.node.name not in _FUNCTIONS | macros | {"caller"}:
            yield f"calls '{call.node.name}'"
    elif not isinstance(call.node, nodes.Getattr) or call.node.attr not in _METHODS:
        yield "calls something that a layout of messages has no use for"
    elif isinstance(call.node.node, nodes.Name) and call.node.node.name in {"self", "cycler", "lipsum", "joiner"}:
        yield f"calls '{call.node.node.name}.{call.node.attr}'"


def _filter_faults(one: nodes.Filter) -> Iterator[str]:
    if one.name not in _FILTERS:
        yield f"uses the filter '{one.name}'"
    elif one.name in _NAMING and not all(isinstance(value, nodes.Const) for value in one.args[:1]):
        yield f"puts a name together for the filter '{one.name}'"
    elif one.name == "map" and any(
        isinstance(value, nodes.Const) and value.value not in _FILTERS for value in one.args[:1]
    ):
        yield "uses a filter that is not listed"
