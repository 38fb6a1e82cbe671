"""Secrets in a text: keys and tokens by the form that their issuers give them, passwords by where they stand."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from models.supply.reports import Secret


class _Form(NamedTuple):
    """How a kind of secret looks, what every text with one contains, and in which files it is looked for."""

    contains: str
    pattern: re.Pattern[str]
    files: re.Pattern[str]


def _form(contains: str, pattern: str, files: str = "") -> _Form:
    return _Form(contains, re.compile(pattern), re.compile(files))


_FORMS = {
    "private key": _form(
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\s|\\n|[\"'+,]|(?:Proc-Type|DEK-Info|Version|Comment):[^\n]*)*[A-Za-z0-9+/=]{16}",
    ),
    "AWS access key": _form("A", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    "GitHub token": _form("gh", r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    "GitHub fine-grained token": _form("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{60}"),
    "GitLab token": _form("gl", r"\bgl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20}"),
    "Slack token": _form("xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
    "Slack address": _form("hooks.slack.com", r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16}"),
    "Google API key": _form("AIza", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    "Stripe key": _form("k_live_", r"\b[rs]k_live_[A-Za-z0-9]{16}"),
    "OpenAI key": _form("T3BlbkFJ", r"\bsk-[A-Za-z0-9_-]{20,200}T3BlbkFJ[A-Za-z0-9_-]{20}"),
    "Anthropic key": _form("sk-ant-", r"\bsk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_-]{20}"),
    "Hugging Face token": _form("hf_", r"\bhf_[A-Za-z]{34}\b"),
    "PyPI token": _form("pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{50}"),
    "npm token": _form("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    "Databricks token": _form("dapi", r"\bdapi[0-9a-f]{32}\b"),
    "Azure storage key": _form("AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    "JSON Web Token": _form("eyJ", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20}"),
    "password in an address": _form(
        "://", r"://[^\s:/@'\"<>{}$]{0,100}:(?P<address>[^\s@/'\"<>{}$]{3,200})@[A-Za-z0-9\[]"
    ),
    "password": _form(
        "",
        r"(?i)(?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?)\w{0,40}"
        r"[\"']?\]?[ \t]{0,20}(?::[ \t]*[\w.\[\]| ]{1,60}=|=>|:=|=|:)[ \t]{0,20}[bu]?"
        r"(?P<quote>[\"'])(?P<value>[^\"'\s]{8,200})(?P=quote)",
    ),
    "password in a setting": _form(
        "",
        r"(?im)^[ \t-]{0,40}(?:export )?[\w.-]{0,60}(?:passw(?:or)?d|passphrase|secret|token|api_?key|secret_?key)"
        r"[ \t]{0,20}[=:][ \t]{0,20}(?P<value>[\w+/=.!@%^&*~-]{8,200})[ \t]*(?:#.*)?\r?$",
        files=r"(?i)(^|/)\.env|\.(env|ini|cfg|conf|properties|ya?ml)$",
    ),
}
_PLACEHOLDER = re.compile(
    r"(?i)example|change.?me|placeholder|dummy|your[-_]|redacted|^([x*.])\1+$|\$\{|\{\{|^<.*>$|^%\(|^(pass(word)?|secret|token)$"
)
_WORDS = re.compile(r"[A-Za-z]+([-_.:/][A-Za-z]+)*")
_BITS = 3.0
"""Of entropy per character: what people type at random is above it, words and paths of code seldom are."""
_SHOWN = 12


def find_secrets(path: str, text: str) -> Iterator[Secret]:
    """Each line and kind of secret once. The secret itself is in no report."""
    for kind, form in _FORMS.items():
        starts = form.pattern.finditer(text) if form.contains in text and form.files.search(path) else ()
        for start in dict.fromkeys(_start_of_line(text, match.start()) for match in starts if _is_secret(match)):
            line = text[start : _end_of_line(text, start)]
            fingerprint = hashlib.sha256(f"{path}\0{kind}\0{_blanked(line)}".encode(errors="replace")).hexdigest()
            yield Secret(path=path, line=text.count("\n", 0, start) + 1, kind=kind, fingerprint=fingerprint[:_SHOWN])


def _start_of_line(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _is_secret(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    if "address" in groups:
        return not _PLACEHOLDER.search(groups["address"])
    if "value" not in groups:
        return True
    value = groups["value"]
    return not (_PLACEHOLDER.search(value) or _WORDS.fullmatch(value)) and entropy(value) >= _BITS


def entropy(text: str) -> float:
    """Bits per character, by how often each character stands in the text (Shannon 1948)."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _blanked(line: str) -> str:
    for form in _FORMS.values():
        line = form.pattern.sub(_without, line)
    return line


def _without(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return match[0].replace(groups.get("value") or groups.get("address") or match[0], "")
