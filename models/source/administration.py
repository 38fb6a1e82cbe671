"""Files in which administrators say what an installation has around it."""

from typing import TypeVar

from pydantic import ValidationError

from models.canonical import Frozen
from models.diagnostics import render
from models.errors import InvalidInputError
from models.source.yaml_source import parse_yaml

Said = TypeVar("Said", bound=Frozen)


def load_said(kind: type[Said], text: bytes, file: str, remedy: str) -> Said:
    """What a file says; InvalidInputError names the first place that does not fit, and shows nothing that is there."""
    source = parse_yaml(text, file)
    if source.diagnostics:
        raise InvalidInputError(f"{file} is not plain YAML:\n{render(source.diagnostics)}", remedy)
    try:
        return kind.model_validate(source.tree)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidInputError(f"{file}: {place}: {said}", remedy) from None
