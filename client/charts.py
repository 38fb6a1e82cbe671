"""Pictures of numbers: small ones for terminals, and SVG for pages, where everything can also be read as text."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from models.verdict import Comparison, Verdict

_BARS = "▁▂▃▄▅▆▇█"
_LONGEST = 40
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 190.0, 64.0, 16.0, 14.0, 30.0
_ROW, _NAMES = 24.0, 190.0
_COLOURS = {Verdict.PASS: "#1a7f37", Verdict.FAIL: "#cf222e", Verdict.INCONCLUSIVE: "#9a6700"}
_INK, _FAINT, _LINE = "#57606a", "#d8dee4", "#0969da"


class Dot(NamedTuple):
    """A value at a moment (UTC), and what was concluded from it (None: nothing)."""

    at: datetime
    value: float
    verdict: Verdict | None = None


class Bar(NamedTuple):
    """A named value, what stands beside it, and the interval that it is uncertain within, if it is."""

    name: str
    value: float
    note: str = ""
    low: float | None = None
    high: float | None = None


def sparkline(values: Sequence[float]) -> str:
    """The latest values as bars, the lowest and the highest of them at the ends of the scale."""
    shown = values[-_LONGEST:]
    low, span = min(shown), max(shown) - min(shown)
    if span == 0:
        return _BARS[len(_BARS) // 2] * len(shown)
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in shown)


class _Scale(NamedTuple):
    """From values to places on the sheet."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        held = min(max(value, self.low), self.high)
        return self.start + (held - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)


def line_chart(title: str, dots: Sequence[Dot], passes: Comparison | None, fails: Comparison | None) -> str:
    """Values over time against what passes (green) and what fails (red), as SVG; at least one dot."""
    bounds = [one.bound for one in (passes, fails) if one]
    values = [dot.value for dot in dots] + bounds
    margin = (max(values) - min(values)) * 0.1 or abs(values[0]) * 0.1 or 1
    up = _Scale(min(values) - margin, max(values) + margin, _HEIGHT - _BOTTOM, _TOP)
    moments = [dot.at.timestamp() for dot in dots]
    along = _Scale(min(moments), max(moments), _LEFT, _WIDTH - _RIGHT)
    sheet = _sheet(title, _HEIGHT)
    for region, colour in ((passes, "#dafbe1"), (fails, "#ffebe9")):
        if region:
            _band(sheet, up, region, colour)
    for value in {up.low + margin, up.high - margin, *bounds}:
        _line(sheet, _LEFT, up(value), _WIDTH - _RIGHT, up(value), _FAINT)
        _text(sheet, _LEFT - 6, up(value) + 4, f"{value:.3g}", "end")
    places = [(along(moment), up(dot.value)) for moment, dot in zip(moments, dots, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    SubElement(sheet, "polyline", {"points": path, "fill": "none", "stroke": _LINE, "stroke-width": "1.5"})
    for dot, (x, y) in zip(dots, places, strict=True):
        _dot(
            sheet,
            x,
            y,
            _COLOURS[dot.verdict] if dot.verdict else _LINE,
            f"{dot.at:%Y-%m-%d %H:%M} UTC: {dot.value:.4g}",
        )
    for dot, anchor in {dots[0]: "start", dots[-1]: "end"}.items():
        _text(sheet, along(dot.at.timestamp()), _HEIGHT - 8, f"{dot.at:%Y-%m-%d}", anchor)
    return tostring(sheet, encoding="unicode")


def bar_chart(title: str, bars: Sequence[Bar], bound: float | None = None) -> str:
    """Named values from zero on, with their intervals, against a bound (dashed), as SVG; at least one bar."""
    ends = [end for bar in bars for end in (bar.value, bar.high or 0)] + [bound or 0]
    along = _Scale(0, max(ends) or 1, _NAMES, _WIDTH - 90)
    sheet = _sheet(title, len(bars) * _ROW + 10)
    for index, bar in enumerate(bars):
        y = index * _ROW + 5
        _text(sheet, _NAMES - 8, y + 14, bar.name, "end")
        _box(sheet, _NAMES, y + 3, along(bar.value) - _NAMES, _ROW - 9, "#54aeff")
        if bar.low is not None and bar.high is not None:
            _line(sheet, along(bar.low), y + _ROW / 2 - 2, along(bar.high), y + _ROW / 2 - 2, "#1f2328")
        _text(sheet, along(max(bar.value, bar.high or 0)) + 6, y + 14, f"{bar.value:.3g} {bar.note}".strip(), "start")
    if bound is not None:
        rule = _line(sheet, along(bound), 0, along(bound), len(bars) * _ROW + 10, _COLOURS[Verdict.FAIL])
        rule.set("stroke-dasharray", "4 3")
    return tostring(sheet, encoding="unicode")


def timeline(title: str, marks: Iterable[tuple[datetime, str, str]]) -> str:
    """What happened when: (moment, lane, words), a lane for each kind in the order of its first mark, as SVG."""
    known = list(marks)
    lanes = list(dict.fromkeys(lane for _, lane, _ in known))
    moments = [at.timestamp() for at, _, _ in known]
    along = _Scale(min(moments, default=0), max(moments, default=0), _NAMES, _WIDTH - _RIGHT)
    height = len(lanes) * _ROW + _BOTTOM
    sheet = _sheet(title, height)
    for index, lane in enumerate(lanes):
        y = index * _ROW + _ROW / 2
        _text(sheet, _NAMES - 10, y + 4, lane, "end")
        _line(sheet, _NAMES, y, _WIDTH - _RIGHT, y, _FAINT)
    for at, lane, words in known:
        y = lanes.index(lane) * _ROW + _ROW / 2
        _dot(sheet, along(at.timestamp()), y, _LINE, f"{at:%Y-%m-%d %H:%M} UTC: {words}")
    if known:
        _text(sheet, _NAMES, height - 8, f"{known[0][0]:%Y-%m-%d}", "start")
        _text(sheet, _WIDTH - _RIGHT, height - 8, f"{known[-1][0]:%Y-%m-%d}", "end")
    return tostring(sheet, encoding="unicode")


def _sheet(title: str, height: float) -> Element:
    sheet = Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {_WIDTH:g} {height:g}", "role": "img"}
    )
    SubElement(sheet, "title").text = title
    return sheet


def _band(sheet: Element, up: _Scale, region: Comparison, colour: str) -> None:
    low, high = region.low[0], region.high[0]
    bottom, top = up(up.low if low == -inf else low), up(up.high if high == inf else high)
    _box(sheet, _LEFT, top, _WIDTH - _RIGHT - _LEFT, max(bottom - top, 1), colour)


def _box(sheet: Element, x: float, y: float, width: float, height: float, colour: str) -> None:
    place = {"x": x, "y": y, "width": max(width, 0), "height": height}
    SubElement(sheet, "rect", {name: f"{value:.1f}" for name, value in place.items()} | {"fill": colour})


def _line(sheet: Element, x1: float, y1: float, x2: float, y2: float, colour: str) -> Element:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return SubElement(sheet, "line", {name: f"{value:.1f}" for name, value in ends.items()} | {"stroke": colour})


def _dot(sheet: Element, x: float, y: float, colour: str, words: str) -> None:
    dot = SubElement(sheet, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3.5", "fill": colour})
    SubElement(dot, "title").text = words


def _text(sheet: Element, x: float, y: float, words: str, anchor: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": "11", "fill": _INK}
    SubElement(sheet, "text", place).text = words
