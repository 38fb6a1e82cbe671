"""Definitions of decision models: rules, what a vendor runs, an agent. Nothing in one acts; it is read strictly."""

from typing import get_args

from pydantic import ValidationError

from activities.adapters.artifact_inspection.findings import Finding, shown
from models.bundle.definitions import DEFINITIONS, parse_definition

_FORMS = {get_args(kind.model_fields["format"].annotation)[0]: form for form, kind in DEFINITIONS.items()}

# pydantic builds what reads them when it is first needed: the inspection may open no file any more by then.
for _kind in DEFINITIONS.values():
    _kind.model_rebuild()


def inspect_definition(value: object, data: bytes) -> Finding | None:
    """The finding on a JSON text that says it is such a definition, or None. `value` is what it holds."""
    said = value.get("format") if isinstance(value, dict) else None
    form = _FORMS.get(said) if isinstance(said, str) else None
    if form is None:
        return None
    try:
        parse_definition(form, data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        reason = f"The file says that it is '{said}' and is not: {place}: {first['msg']}. Correct it there."
        return Finding(form, "unknown", (shown(reason, 300),))
    return Finding(form, "clean")
