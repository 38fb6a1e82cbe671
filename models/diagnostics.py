"""What is wrong with something that people wrote: a code, a place, a reason in the reader's words, a way out."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from models.canonical import Frozen
from models.diagnostic_codes import EXPLANATIONS
from models.explanation import Explanation

_LONGEST_QUOTE = 60
_LONGEST_WORD = 32
_MOST_NAMES = 100


class Severity(StrEnum):
    """Whether it must be changed, or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"


class Place(NamedTuple):
    """A position in a text; both count from 1."""

    line: int
    column: int


class Diagnostic(Frozen):
    """One thing that is wrong, and where. `path` names the place from the top, as in `stages.validation.gate.sla`.

    `regulation` is what asks for it, where it is a control of a policy pack.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""
    path: str = ""
    regulation: str = ""

    def __str__(self) -> str:
        where = f" ({self.path})" if self.path else ""
        where += f" [{self.regulation}]" if self.regulation else ""
        then = f"\n    {self.suggestion}" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity} {self.code}: {self.message}{where}{then}"


def diagnose(code: str, file: str, place: Place, message: str, suggestion: str = "", path: str = "") -> Diagnostic:
    """A diagnostic of a known code; KeyError for an unknown one."""
    severity = Severity.WARNING if EXPLANATIONS[code].warning else Severity.ERROR
    return Diagnostic(
        code=code,
        severity=severity,
        file=file,
        line=place.line,
        column=place.column,
        message=message,
        suggestion=suggestion,
        path=path,
    )


def explain(code: str) -> Explanation:
    """What a code means; KeyError if there is no such code."""
    return EXPLANATIONS[code]


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each once, from the top of the text to its end."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda found: (found.line, found.column, found.code, found.message)))


def errors_of(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those that must be changed."""
    return tuple(found for found in diagnostics if found.severity is Severity.ERROR)


def render(diagnostics: Iterable[Diagnostic], at_most: int = 20) -> str:
    """The diagnostics for people, one below the other; how many were left out is said at the end."""
    lines = [str(found) for found in diagnostics]
    left = len(lines) - at_most
    return "\n".join(lines[:at_most] + ([f"... and {left} more"] if left > 0 else []))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the nearest known word; else the known words; nothing if there are none, or a great many."""
    names = sorted(known)
    if len(names) > _MOST_NAMES:
        return ""
    near = get_close_matches(word[:_LONGEST_WORD], names, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(names)}" if names else ""


def quote(value: object) -> str:
    """A value as a reader recognises it, never longer than a line."""
    text = str(value)
    return f"'{text}'" if len(text) <= _LONGEST_QUOTE else f"'{text[:_LONGEST_QUOTE]}...'"
