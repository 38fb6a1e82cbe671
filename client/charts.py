"""Small pictures of numbers over time, for terminals."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_LONGEST = 40


def sparkline(values: Sequence[float]) -> str:
    """The latest values as bars, the lowest and the highest of them at the ends of the scale."""
    shown = values[-_LONGEST:]
    low, span = min(shown), max(shown) - min(shown)
    if span == 0:
        return _BARS[len(_BARS) // 2] * len(shown)
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in shown)
