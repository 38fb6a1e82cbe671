"""How the card is written, so that the Web UI shows what is meant and nothing that people wrote acts.

One renderer of the Web UI lets raw HTML through, another drops it: what matters is Markdown, HTML only adorns.
Styles and scripts are forbidden there, every element's font size is reset, and line breaks show as they are.
"""

import string
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from models.verdict import Kpi

_PLAIN = frozenset(string.ascii_letters + string.digits + " .,;-+%='?")
_ROOM = "\u00a0\u00a0"
_COLUMN, _LABEL, _MOST, _LEAST = 120, 14, 8, 5


class Mark(Enum):
    """How a stop of the strip looks: its sign and its colour."""

    DONE = ("✓", "#059669")
    AHEAD = ("", "#9ca3af")
    WAITS = (" ", "#d97706")
    WORKS = (" ", "#2563eb")
    FAILED = ("!", "#dc2626")
    RESTS = ("★", "#059669")


class Stop(NamedTuple):
    """A stage in the strip, and a word below its name."""

    name: str
    mark: Mark
    note: str = ""

    @property
    def present(self) -> bool:
        """Whether the lifecycle is here."""
        return self.mark not in (Mark.DONE, Mark.AHEAD)


def plain(text: str, limit: int) -> str:
    """Text on one line of at most `limit` characters, without what cannot be printed."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def safe(text: str, limit: int = 120) -> str:
    """What people wrote, as plain text in which no mark of Markdown or HTML is left.

    Numeric references are read alike by every renderer; named ones are shown as they stand by one of them.
    """
    return "".join(c if c in _PLAIN or not c.isascii() else f"&#{ord(c)};" for c in plain(text, limit))


def some(names: Sequence[str], limit: int = 6) -> str:
    """The first few of many names."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def quote(lines: Sequence[str]) -> str:
    """The box that stands out."""
    return "\n".join(f"> {line}" for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; nothing without rows. Between columns stands the room that the Web UI does not give."""
    if not rows:
        return ""
    first, *rest = [" | ".join(cell + _ROOM for cell in line) for line in (head, *rows)]
    return "\n".join(f"| {line} |" for line in (first, " | ".join([":--"] * len(head)), *rest))


def folded(title: str, lines: Sequence[str]) -> str:
    """A list of HTML that opens when its title is clicked."""
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"


def meter(kpi: Kpi, value: float) -> str:
    """A bar that is green where the KPI passes, red where it fails and yellow in between."""
    low, high = sorted((kpi.passes.bound, kpi.fails.bound))
    least, most = min(0.0, low, value), max(1.0 if high <= 1 else 2 * high, value)
    best = most if kpi.passes.operator in (">=", ">") else least
    scale = f"min={least:.4g} max={most:.4g} low={low:.4g} high={high:.4g} optimum={best:.4g}"
    return f"<meter {scale} value={value:.4g}></meter>"


def strip(stops: Sequence[Stop]) -> str:
    """Stops on a line, as in a timetable; of very many, those around the present one."""
    present = next((index for index, stop in enumerate(stops) if stop.present), 0)
    first = max(0, min(present - _MOST // 2, len(stops) - _MOST))
    shown = stops[first : first + _MOST]
    drawn = "".join(_stop(index, stop) for index, stop in enumerate(shown))
    box = f"0 0 {max(len(shown), _LEAST) * _COLUMN} {84 if any(stop.note for stop in shown) else 64}"
    rail = f'<path d="M{_COLUMN // 2} 16H{len(shown) * _COLUMN - _COLUMN // 2}" stroke="#9ca3af"/>'
    return f'<svg width="100%" viewBox="{box}">{rail}<g text-anchor="middle" fill="currentColor">{drawn}</g></svg>'


def _stop(index: int, stop: Stop) -> str:
    x = index * _COLUMN + _COLUMN // 2
    sign, colour = stop.mark.value
    halo = f'<circle cx="{x}" cy="16" r="15" fill="{colour}" opacity=".3"/>' if stop.present else ""
    drawn = f'{halo}<circle cx="{x}" cy="16" r="11" fill="{colour}"/>'
    if sign.strip():
        drawn += f'<text x="{x}" y="22" fill="#fff">{sign}</text>'
    weight = ' font-weight="bold"' if stop.present else ""
    drawn += f'<text x="{x}" y="54"{weight}>{plain(stop.name, _LABEL)}</text>'
    return drawn + (f'<text x="{x}" y="76" opacity=".6">{stop.note}</text>' if stop.note else "")
