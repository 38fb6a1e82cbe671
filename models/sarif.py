"""Diagnostics in the Static Analysis Results Interchange Format (OASIS SARIF 2.1.0), for tools that review code."""

from collections.abc import Sequence

from models.diagnostic_codes import EXPLANATIONS
from models.diagnostics import Diagnostic
from models.source.yaml_source import Tree

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(diagnostics: Sequence[Diagnostic], version: str) -> Tree:
    """One run of the compiler: its rules, and a result for each diagnostic. `version` is the compiler's."""
    codes = sorted({found.code for found in diagnostics})
    rules: list[Tree] = [
        {
            "id": code,
            "shortDescription": {"text": EXPLANATIONS[code].title},
            "fullDescription": {"text": EXPLANATIONS[code].text},
            "defaultConfiguration": {"level": "warning" if EXPLANATIONS[code].warning else "error"},
        }
        for code in codes
    ]
    results: list[Tree] = [_result(found, codes.index(found.code)) for found in diagnostics]
    driver: Tree = {"name": "modelops", "semanticVersion": f"{version}.0.0", "rules": rules}
    run: Tree = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(found: Diagnostic, rule: int) -> Tree:
    then = f"; {found.suggestion}" if found.suggestion else ""
    region: Tree = {"startLine": found.line, "startColumn": found.column}
    properties: dict[str, Tree] = {"path": found.path} if found.path else {}
    if found.regulation:
        properties["regulation"] = found.regulation
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.value,
        "message": {"text": f"{found.message}{then}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": found.file}, "region": region}}],
        "properties": properties,
    }
