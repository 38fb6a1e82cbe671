"""Texts that lie beside a model: configurations, tokenizers, notes. Data pass; code, and templates that act, do not."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import yaml

from activities.adapters.artifact_inspection.chat_template import looks_like_template, why_unsafe
from activities.adapters.artifact_inspection.definition_file import inspect_definition
from activities.adapters.artifact_inspection.findings import Finding, shown
from activities.adapters.artifact_inspection.safetensors_file import once

_DATA_NAMES = {".csv", ".jinja", ".json", ".md", ".model_card", ".toml", ".tsv", ".txt", ".yaml", ".yml"}
_BARE_NAMES = {"MLmodel", "LICENSE", "NOTICE", "README", "merges", ".gitattributes"}
_TAGS = re.compile(r"!!?python/|!<tag:yaml\.org,2002:python|tag:yaml\.org,2002:python")
_TEMPLATES = ("chat_template", "template")
_CODE = ("auto_map", "custom_pipelines")
_BEGINNING = 4_096
_PARTS_AT_MOST = 2_000_000


def is_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8 text without control characters."""
    if b"\0" in data[:_BEGINNING]:
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\f\u2028\u2029\u00a0\u00ad\u3000" for character in text)


def _values(value: object) -> Iterator[tuple[str, object]]:
    waiting, count = [("", value)], 0
    while waiting:
        key, one = waiting.pop()
        count += 1
        if count > _PARTS_AT_MOST:
            raise ValueError("it has too many parts")
        yield key, one
        if isinstance(one, dict):
            waiting += one.items()
        elif isinstance(one, list):
            waiting += ((key, item) for item in one)


def _json_fault(value: object) -> Finding | None:
    for key, one in _values(value):
        if key in _CODE and one:
            reason = f"The key '{key}' has a loader run Python code that comes with the model. Submit it without."
            return Finding("json", "malicious", (reason,))
        if key in _TEMPLATES and isinstance(one, str) and looks_like_template(one) and (why := why_unsafe(one)):
            return Finding("json", "malicious", (f"The template of '{key}' {why}.",))
    return None


def _is_tokenizer(value: object) -> bool:
    return isinstance(value, dict) and bool({"tokenizer_class", "chat_template"} & set(value))


def inspect_text(data: bytes, name: str = "") -> Finding:
    """The finding on a text. It is `clean` as a definition or a tokenizer's settings; beside a model, also as data."""
    text, suffix = data.decode(), PurePosixPath(name).suffix.lower()
    if text.startswith("#!"):
        return Finding("script", "unknown", ("The file is a script.",))
    if _TAGS.search(text):
        return Finding("yaml", "malicious", ("The text has tags by which YAML loaders make Python objects.",))
    if text.lstrip()[:1] in ("{", "[") and suffix in ("", ".json"):
        try:
            value = json.loads(text, object_pairs_hook=once)
            if fault := _json_fault(value):
                return fault
        except (ValueError, RecursionError) as error:
            return Finding("json", "unknown", (f"The text begins like JSON and is none: {shown(str(error), 100)}.",))
        if finding := inspect_definition(value, data):
            return finding
        return Finding("tokenizer", "clean") if _is_tokenizer(value) else Finding("json", "unknown", ("It is JSON.",))
    if suffix == ".jinja" and (why := why_unsafe(text)):
        return Finding("template", "malicious", (f"The template {why}.",))
    return Finding("text", "unknown", ("The file is plain text.",))


def is_companion(finding: Finding, name: str, data: bytes) -> bool:
    """Whether a text may lie beside a model: by its name it is data, and it is what its name says."""
    suffix = PurePosixPath(name).suffix.lower()
    if finding.format not in ("text", "json", "tokenizer", "empty") or finding.verdict == "malicious":
        return False
    if suffix == ".json":
        return finding.format in ("json", "tokenizer") and finding.reasons in ((), ("It is JSON.",))
    if suffix in (".yaml", ".yml"):
        return _is_yaml(data)
    return suffix in _DATA_NAMES or PurePosixPath(name).name in _BARE_NAMES


def _is_yaml(data: bytes) -> bool:
    try:
        return all(True for _ in yaml.parse(data.decode(), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, RecursionError):
        return False
