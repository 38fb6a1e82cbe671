"""What an inspection concludes, in sentences for the person who submitted the file."""

from typing import Literal, NamedTuple

DO_NOT_LOAD = "Do not load this file: train the model again from its source, export it to ONNX and submit that."
FORMATS = "Submit a model as ONNX (or as safetensors, skops, .keras, GGUF, or a pickle of listed names)."
_ORDER = ("malicious", "error", "unknown", "clean")


Word = Literal["clean", "malicious", "unknown", "error"]


class Finding(NamedTuple):
    """The format, the verdict and why. Only `clean` passes."""

    format: str
    verdict: Word
    reasons: tuple[str, ...] = ()


def worst(findings: list[Finding]) -> Finding:
    """The first of those with the worst verdict."""
    return min(findings, key=lambda finding: _ORDER.index(finding.verdict))


def shown(text: str | bytes, limit: int = 100) -> str:
    """Text out of a stranger's file as short printable ASCII, safe in a report, a log and a web page."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    plain = "".join(c if c.isascii() and c.isprintable() and c not in "<>`" else "?" for c in text[: limit + 1])
    return plain if len(plain) <= limit else plain[:limit] + "..."
