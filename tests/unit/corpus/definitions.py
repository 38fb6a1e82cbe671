"""Definitions of decision models: rules, what a vendor runs, agents; and texts that only look like one."""

import json
from typing import Any

from tests.unit.corpus.cases import Case

_PINNED = {"uri": "file:///agreement.md", "digest": "sha256:" + "0" * 64}
_TABLE = {
    "format": "modelops/decision-table/1",
    "hit_policy": "UNIQUE",
    "rules": [
        {"when": {"income": {"at_least": 5}}, "then": 0.9, "note": "much"},
        {"when": {"income": {"below": 5}, "region": {"one_of": ["north"]}}, "then": 0.2},
    ],
    "otherwise": 0.1,
}
_VENDOR = {
    "format": "modelops/vendor/1",
    "provider": "Scores Ltd",
    "product": "Credit score",
    "release": "2026.2",
    "endpoint": "https://scores.example/v2/models/credit",
    "agreement": _PINNED,
}
_AGENT = {
    "format": "modelops/agent/1",
    "language_model": "large-1",
    "prompt": _PINNED,
    "tools": _PINNED,
    "policy": _PINNED,
}


def _text(value: dict[str, Any], **more: object) -> bytes:
    return json.dumps(value | more).encode()


def definitions() -> dict[str, bytes]:
    """Those that are strictly what they say."""
    return {"rules": _text(_TABLE), "vendor": _text(_VENDOR), "agent": _text(_AGENT)}


def definition_cases() -> dict[str, Case]:
    """Texts that say that they are one, and are not, or not only."""
    both = [{"when": {"income": {"at_least": 5}}, "then": 1}, {"when": {"income": {"at_least": 7}}, "then": 0}]
    twice = _text(_TABLE).replace(b'"otherwise"', b'"otherwise": 1, "otherwise"')
    return {
        "rules-more": Case(_text(_TABLE, hook="import os"), "unknown", "hook: Extra inputs are not permitted"),
        "rules-overlap": Case(_text(_TABLE, rules=both), "unknown", "rules 1 and 2 can both be hit"),
        "rules-text": Case(_text(_TABLE, otherwise="0.1"), "unknown", "otherwise: Input should be a valid number"),
        "rules-infinite": Case(_text(_TABLE, otherwise=float("inf")), "unknown", "otherwise"),
        "rules-twice": Case(twice, "unknown", "a key is there twice"),
        "rules-behind": Case(_text(_TABLE) + b"\nimport os", "unknown", "begins like JSON and is none"),
        "rules-lines": Case(b"# rules\n" + _text(_TABLE), "unknown", "plain text"),
        "rules-code": Case(_text(_TABLE, auto_map={"a": "b"}), "malicious", "run Python code"),
        "rules-version": Case(_text(_TABLE, format="modelops/decision-table/2"), "unknown", "It is JSON"),
        "vendor-plain": Case(_text(_VENDOR, endpoint="http://scores.example"), "unknown", "endpoint: "),
        "vendor-password": Case(_text(_VENDOR, endpoint="https://me:secret@scores.example"), "unknown", "endpoint: "),
        "vendor-moving": Case(_text(_VENDOR, agreement="file:///agreement.md"), "unknown", "mutable reference"),
        "agent-less": Case(_text({k: v for k, v in _AGENT.items() if k != "policy"}), "unknown", "policy: Field"),
        "agent-code": Case(_text(_AGENT, tools_module="tools.py"), "unknown", "tools_module: Extra"),
    }
