"""Figures as a small table on the terminal."""

import sys
from collections.abc import Sequence

_FIRST, _OTHER = 34, 18


def show(title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """One line per row; the title says what was measured, and beside what."""
    lines = [f"\n{title}", _line("", heads), *(_line(name, cells) for name, cells in rows)]
    sys.stdout.write("\n".join(lines) + "\n")


def _line(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<{_FIRST}}" + "".join(f"{cell:>{_OTHER}}" for cell in cells)
