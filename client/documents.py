"""What people hand in: facts of models and of versions, in YAML or JSON, strictly read."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.canonical import Frozen, Slug
from models.errors import InvalidInputError
from models.inventory import ModelFacts, RiskTier, Submission
from models.policy import Policy
from models.signing import Envelope
from models.source.yaml_source import Source, Tree, parse_yaml, spell_path
from models.tiering import Objection, objections

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


def _nobody(model: Slug) -> None:
    """No model is registered."""


def read_facts(path: Path, policy: Policy, registered: Callable[[Slug], ModelFacts | None] = _nobody) -> ModelFacts:
    """The facts of a model, with the tier that its answers give under a policy.

    Of a model that is registered with just these facts, they are those that are `registered`, whatever is asked today.
    InvalidInputError names each mistake with its line and column.
    """
    source = _parse(path)
    declared = isinstance(source.tree, dict) and "risk_tier" in source.tree
    facts = _fit(source, ModelFacts, {} if declared else {"risk_tier": RiskTier.LOW.value})
    known = registered(facts.id)
    if known and known == (facts if declared else facts.model_copy(update={"risk_tier": known.risk_tier})):
        return known
    policy = policy._replace(facts=facts)
    if found := list(objections(policy.questionnaires(), facts, facts.risk_tier if declared else None)):
        _refuse(path, [_object(one, source) for one in found])
    rating = policy.rating()
    return facts.model_copy(update={"risk_tier": rating.tier}) if rating else facts


def read_submission(path: Path, submitter: Slug) -> Submission:
    """The facts of a version, handed in by `submitter`, whoever the file names. InvalidInputError as above."""
    return _fit(_parse(path), Submission, {"submitter": submitter})


def read_version(path: Path) -> Submission:
    """The facts of a version, handed in by whoever the file names. InvalidInputError as above."""
    return _fit(_parse(path), Submission, {})


def read_envelope(path: Path) -> Envelope:
    """Something signed, as JSON; InvalidInputError as above."""
    return _fit(_parse(path), Envelope, {})


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


def _parse(path: Path) -> Source:
    text = read_text(path)
    source = _parse_json(text, path) if path.suffix == ".json" else parse_yaml(text, str(path))
    if source.diagnostics:
        _refuse(path, [str(found) for found in source.diagnostics])
    return source


def _fit(source: Source, kind: type[Value], given: dict[str, Tree]) -> Value:
    tree = {**source.tree, **given} if isinstance(source.tree, dict) else source.tree
    try:
        return kind.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        _refuse(Path(source.file), [_locate(one, source) for one in _details(error)])


def _refuse(path: Path, mistakes: list[str]) -> NoReturn:
    problems = "1 problem" if len(mistakes) == 1 else f"{len(mistakes)} problems"
    raise InvalidInputError("\n".join([f"{path}: {problems}", *mistakes]), "mend the file where it says")


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _locate(details: ErrorDetails, source: Source) -> str:
    path = details["loc"]
    missing = details["type"] == "missing"
    at = path[:-1] if missing else path
    return _place(source, at, missing or details["type"] == "extra_forbidden") + _about(path, _say(details))


def _object(found: Objection, source: Source) -> str:
    suggestion = f"\n    {found.suggestion}" if found.suggestion else ""
    return _place(source, found.path, key=False) + _about(found.path, found.message) + suggestion


def _about(path: tuple[str | int, ...], what: str) -> str:
    return f"{spell_path(path)}: {what}".removeprefix(": ")


def _place(source: Source, path: tuple[str | int, ...], key: bool) -> str:
    if not source.values:
        return f"{source.file}: "
    place = source.place(path, key=key)
    return f"{source.file}:{place.line}:{place.column}: "


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
        case "string_pattern_mismatch" if "^F" in str(context.get("pattern")):
            return f"{value} is not the name of a finding, as in F1"
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
