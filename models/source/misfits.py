"""pydantic's objections to what people wrote, as diagnostics in the reader's words."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models.diagnostics import Diagnostic, did_you_mean, quote
from models.source.yaml_source import Path, Source, spell_path

Schema = Mapping[tuple[str, ...], type[BaseModel]]
"""Which type stands where: the path of a mapping, `*` for any key or index."""

_AT_MOST = 100
_NOT_CALLED = "default_factory_not_called"

_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "tuple_type": "a list",
}


class _Misfit(NamedTuple):
    """One objection: pydantic's details, where in the text, and what is written there."""

    details: ErrorDetails
    path: Path
    source: Source
    schema: Schema

    def say(self, code: str, message: str, suggestion: str = "", *, key: bool = False) -> Diagnostic:
        return self.source.report(code, self.path, message, suggestion, key=key)

    @property
    def parent(self) -> str:
        return f"'{spell_path(self.path[:-1])}'" if len(self.path) > 1 else f"the {self.schema[()].__name__.lower()}"

    @property
    def context(self) -> Mapping[str, object]:
        return self.details.get("ctx", {})


def name_misfits(error: ValidationError, source: Source, schema: Schema) -> Iterator[Diagnostic]:
    """The objections as diagnostics, without those that only follow from what was refused before; at most 100."""
    details = error.errors(include_url=False, include_input=True)
    misfits = (_Misfit(one, _path(one), source, schema) for one in details if one["type"] != _NOT_CALLED)
    own = (misfit for misfit in misfits if not _spoilt(misfit))
    for misfit in islice(own, _AT_MOST):
        yield _SAYINGS.get(misfit.details["type"], _say_type)(misfit)


def _path(details: ErrorDetails) -> Path:
    return tuple(part for part in details["loc"] if part != "[key]")


def _spoilt(misfit: _Misfit) -> bool:
    return any(misfit.path[:length] in misfit.source.spoilt for length in range(len(misfit.path) + 1))


def _is_key(misfit: _Misfit) -> bool:
    return misfit.details["loc"][-1:] == ("[key]",)


def _say_unknown(misfit: _Misfit) -> Diagnostic:
    word = str(misfit.path[-1])
    message = f"{misfit.parent} has no key {quote(word)}"
    return misfit.say("MO201", message, did_you_mean(word, _keys(misfit)), key=True)


def _keys(misfit: _Misfit) -> list[str]:
    parent = misfit.path[:-1]
    for pattern, model in misfit.schema.items():
        if len(pattern) == len(parent) and all(p in ("*", part) for p, part in zip(pattern, parent, strict=True)):
            return [spec.alias or name for name, spec in model.model_fields.items()]
    return []


def _say_missing(misfit: _Misfit) -> Diagnostic:
    word = misfit.path[-1]
    message = f"{misfit.parent} lacks '{word}'"
    place = misfit.source.place(misfit.path[:-1], key=True)
    return misfit.source.report("MO202", misfit.path, message, f"add '{word}: ...'", at=place)


def _say_name(misfit: _Misfit) -> Diagnostic:
    value = quote(misfit.details["input"])
    if misfit.path == ("version",):
        return misfit.say("MO203", f"{value} is not a version", "write one to three numbers, as in 1.0.0")
    message = f"{value} is not a name"
    suggestion = "use lower-case letters, digits, - and _, as in 'data_science'"
    return misfit.say("MO204", message, suggestion, key=_is_key(misfit))


def _say_length(misfit: _Misfit) -> Diagnostic:
    if "max_length" in misfit.context and misfit.context["max_length"] == _LONGEST_NAME:
        return _say_name(misfit)
    return misfit.say("MO208", _lower(misfit.details["msg"]), key=_is_key(misfit))


def _say_range(misfit: _Misfit) -> Diagnostic:
    return misfit.say("MO208", f"{quote(misfit.details['input'])}: {_lower(misfit.details['msg'])}")


def _say_choice(misfit: _Misfit) -> Diagnostic:
    choices = re.findall(r"'([^']+)'", str(misfit.context.get("expected", "")))
    value = misfit.details["input"]
    message = f"{quote(value)} is not one of: {', '.join(choices)}"
    suggestion = did_you_mean(str(value), choices)
    return misfit.say("MO207", message, "" if suggestion.startswith("known") else suggestion)


def _say_as_is(code: str) -> Callable[[_Misfit], Diagnostic]:
    def say(misfit: _Misfit) -> Diagnostic:
        return misfit.say(code, f"{quote(misfit.details['input'])}: {misfit.details['msg']}")

    return say


def _say_type(misfit: _Misfit) -> Diagnostic:
    wanted = _TYPES.get(misfit.details["type"])
    message = f"this should be {wanted}" if wanted else _lower(misfit.details["msg"])
    value = misfit.details["input"]
    shown = f", and is {quote(value)}" if isinstance(value, str | int | float) else ""
    hint = f'write it in quotes: "{value}"' if wanted == "text" and isinstance(value, int | float) else ""
    return misfit.say("MO203", message + shown, hint)


def _lower(text: str) -> str:
    text = text.replace("Input should", "it should").replace("Tuple should", "the list should")
    return text.replace("Dictionary should", "the mapping should").replace("String should", "the text should")


_LONGEST_NAME = 63

_SAYINGS: dict[str, Callable[[_Misfit], Diagnostic]] = {
    "extra_forbidden": _say_unknown,
    "missing": _say_missing,
    "string_pattern_mismatch": _say_name,
    "string_too_long": _say_length,
    "string_too_short": _say_length,
    "too_short": _say_length,
    "too_long": _say_length,
    "greater_than_equal": _say_range,
    "less_than_equal": _say_range,
    "enum": _say_choice,
    "literal_error": _say_choice,
    "duration": _say_as_is("MO205"),
    "comparison": _say_as_is("MO206"),
    "day": _say_as_is("MO203"),
    "place": _say_as_is("MO203"),
    "zone": _say_as_is("MO203"),
    "hours": _say_as_is("MO203"),
    "reserved": _say_as_is("MO210"),
}
