"""What an inspection concludes, in sentences for the person who submitted the file."""

from typing import Literal, NamedTuple

EXPORT = (
    "pickle is not a format this installation serves; export to ONNX "
    "(skl2onnx for scikit-learn, torch.onnx for PyTorch)."
)
DO_NOT_LOAD = "Do not load this file: train the model again from its source, export it to ONNX and submit that."
ONNX_ONLY = "This installation serves ONNX models only: export the model to ONNX and submit the .onnx file."


class Finding(NamedTuple):
    """The format, the verdict and why. Only `clean` passes."""

    format: str
    verdict: Literal["clean", "malicious", "unknown", "error"]
    reasons: tuple[str, ...] = ()


def shown(text: str | bytes, limit: int = 100) -> str:
    """Text out of a stranger's file as short printable ASCII, safe in a report, a log and a web page."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    plain = "".join(c if c.isascii() and c.isprintable() and c not in "<>`" else "?" for c in text[: limit + 1])
    return plain if len(plain) <= limit else plain[:limit] + "..."
