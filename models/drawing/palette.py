"""Colours of the drawings: by environment and by verdict."""

from models.inventory import Environment
from models.verdict import Verdict

_NOWHERE = ("#f6f8fa", "#8c959f")
_ENVIRONMENTS = {
    Environment.DEV: ("#ddf4ff", "#218bff"),
    Environment.TEST: ("#fbefff", "#a475f9"),
    Environment.PROD: ("#dafbe1", "#2da44e"),
}
_VERDICTS = {Verdict.PASS: "#1a7f37", Verdict.FAIL: "#cf222e", Verdict.INCONCLUSIVE: "#9a6700"}
EVENT = "#57606a"
GATE = ("#fff8e6", "#9a6700")
INK = "#1f2328"
PAPER = "#ffffff"


def colours(environment: Environment | None) -> tuple[str, str]:
    """What a stage is filled and framed with."""
    return _ENVIRONMENTS[environment] if environment else _NOWHERE


def stroke_of(verdicts: tuple[Verdict, ...]) -> str:
    """The colour of an arrow, by the first verdict that leads along it; an event's if there is none."""
    return _VERDICTS[verdicts[0]] if verdicts else EVENT
