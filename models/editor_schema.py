"""JSON Schema 2020-12 of what people write, for editors that complete and check YAML as it is typed.

A schema says what form a text has; what it means is the compiler's business. Whatever compiles, the schema accepts.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from models.inheritance import OWN
from models.meanings import MEANINGS
from models.policy import Pack
from models.template import Step, Template, Then

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SHORT: dict[str, tuple[type[BaseModel], str]] = {"Step": (Step, "run"), "Then": (Then, "pass")}
"""Mappings that may be written as the value of one of their keys."""
_EXTENDS: JsonSchemaValue = {"type": "string", "description": "The template that this one adds to or tightens."}
_PARTLY = "Partly"


def template_schema() -> JsonSchemaValue:
    """The schema of a template; one that extends another may leave out whatever it inherits."""
    whole = _schema(Template)
    whole["properties"]["kpis"]["properties"] = {name: {"description": text} for name, text in MEANINGS.items()}
    definitions: JsonSchemaValue = whole.pop("$defs")
    partial = {f"{_PARTLY}{name}": _optional(one) for name, one in definitions.items()}
    child = _optional(whole)
    child["properties"] = {"extends": _EXTENDS} | child["properties"]
    child["required"] = sorted(OWN)
    return {
        "$schema": DIALECT,
        "title": "Lifecycle template",
        "if": {"required": ["extends"]},
        "then": {"$ref": f"#/$defs/{_PARTLY}Template"},
        "else": {"$ref": "#/$defs/Template"},
        "$defs": definitions | partial | {"Template": whole, f"{_PARTLY}Template": child},
    }


def pack_schema() -> JsonSchemaValue:
    """The schema of a policy pack."""
    return {"$schema": DIALECT, **_schema(Pack)}


def _schema(of: type[BaseModel]) -> JsonSchemaValue:
    """What pydantic says of a type, and the short forms and unquoted versions that our reader takes besides."""
    schema = of.model_json_schema()
    definitions = schema["$defs"]
    for name, (model, key) in _SHORT.items():
        if name in definitions:
            short = model.model_json_schema()["properties"][key]
            definitions[name] = {"anyOf": [short, definitions[name]]}
    if "Shape" in definitions:
        properties = definitions["Shape"]["properties"]
        names = {"type": "array", "items": {"type": "string"}}
        properties["checks"] = {"anyOf": [names, properties["checks"]]}
    schema["properties"]["version"] = {"anyOf": [schema["properties"]["version"], {"type": "number"}]}
    return schema


def _optional(part: Any) -> Any:
    """The same, with nothing required, and every reference to its like."""
    if isinstance(part, list):
        return [_optional(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _optional(one) for key, one in part.items() if key != "required" or not isinstance(one, list)}
    if isinstance(target := kept.get("$ref"), str):
        kept["$ref"] = target.replace("#/$defs/", f"#/$defs/{_PARTLY}")
    return kept
