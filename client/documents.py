"""What people hand in: facts of models and of versions, in YAML or JSON, strictly read."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.canonical import Frozen, Slug
from models.errors import InvalidInputError
from models.inventory import ModelFacts, Submission
from models.source.yaml_source import Source, Tree, parse_yaml, spell_path

Value = TypeVar("Value", bound=Frozen)

_TYPES = {
    "string_type": "text (write it in quotes)",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "tuple_type": "a list",
}
_NAME = "a name: lower-case letters, digits, - and _, beginning with a letter"
_DIGEST = "a digest: sha256: and 64 lower-case hexadecimal digits"


def read_facts(path: Path) -> ModelFacts:
    """The facts of a model. InvalidInputError names each mistake with its line and column."""
    return _read(path, ModelFacts, {})


def read_submission(path: Path, submitter: Slug) -> Submission:
    """The facts of a version, handed in by `submitter`, whoever the file names. InvalidInputError as above."""
    return _read(path, Submission, {"submitter": submitter})


def read_text(path: Path) -> bytes:
    """A file's bytes; InvalidInputError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", "check the path") from error


def write_text(path: Path, text: str) -> None:
    """Write a file, UTF-8; InvalidInputError if it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}", "check the path") from error


@contextmanager
def in_plain_words(what: str) -> Iterator[None]:
    """Raise InvalidInputError for values that do not fit."""
    try:
        yield
    except ValidationError as error:
        mistakes = "; ".join(f"{spell_path(one['loc'])}: {_say(one)}" for one in _details(error))
        raise InvalidInputError(f"{what}: {mistakes}") from error


def _read(path: Path, kind: type[Value], given: dict[str, Tree]) -> Value:
    text = read_text(path)
    source = _parse_json(text, path) if path.suffix == ".json" else parse_yaml(text, str(path))
    if source.diagnostics:
        _refuse(path, [str(found) for found in source.diagnostics])
    tree = {**source.tree, **given} if isinstance(source.tree, dict) else source.tree
    try:
        return kind.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        _refuse(path, [_locate(one, source) for one in _details(error)])


def _refuse(path: Path, mistakes: list[str]) -> NoReturn:
    problems = "1 problem" if len(mistakes) == 1 else f"{len(mistakes)} problems"
    raise InvalidInputError("\n".join([f"{path}: {problems}", *mistakes]), "mend the file where it says")


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _locate(details: ErrorDetails, source: Source) -> str:
    path = details["loc"]
    what = f"{spell_path(path)}: {_say(details)}".removeprefix(": ")
    if not source.values:
        return f"{source.file}: {what}"
    missing = details["type"] == "missing"
    place = source.place(path[:-1] if missing else path, key=missing or details["type"] == "extra_forbidden")
    return f"{source.file}:{place.line}:{place.column}: {what}"


def _say(details: ErrorDetails) -> str:
    context, value = details.get("ctx", {}), f"'{str(details['input'])[:80]}'"
    match details["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not known here"
        case "string_too_short" | "too_short":
            return "is empty"
        case "enum" | "literal_error":
            choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            return f"{value} is not one of: {', '.join(choices)}"
        case "string_pattern_mismatch":
            return f"{value} is not {_DIGEST if 'sha256' in str(context.get('pattern')) else _NAME}"
        case "value_error":
            return str(context.get("error", details["msg"]))
        case kind if kind in _TYPES:
            return f"{value} should be {_TYPES[kind]}"
        case _:
            return f"{value}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _parse_json(text: bytes, path: Path) -> Source:
    try:
        tree = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not plain JSON: {error}", "mend the file where it says") from error
    return Source(str(path), tree, complete=True)


def _once(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(name for name in names if names.count(name) > 1)}' is written twice")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")
