"""Pictures of numbers: small ones for terminals, and SVG for pages, where everything can also be read as text.

What is drawn has classes and no colours: a page says how they look, in light, in the dark and on paper.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf, isfinite
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from models.verdict import Comparison, Verdict

_BARS = "▁▂▃▄▅▆▇█"
_ABSENT = "·"
_LONGEST = 40
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 200.0, 64.0, 104.0, 22.0, 30.0
_ROW, _NAMES = 24.0, 190.0
_SMALL, _LOW, _EDGE = 160.0, 30.0, 3.0
_APART = 12.0
_LONGEST_NAME = 26
_MANY = 40
_GAP = 4


class Dot(NamedTuple):
    """A value at a moment (UTC), what was concluded from it, if anything, and between which bounds it is uncertain."""

    at: datetime
    value: float
    verdict: Verdict | None = None
    low: float | None = None
    high: float | None = None


class Bar(NamedTuple):
    """A named value, what stands beside it, and the interval that it is uncertain within, if it is."""

    name: str
    value: float
    note: str = ""
    low: float | None = None
    high: float | None = None


class Mark(NamedTuple):
    """Something that happened at a moment (UTC): a line across a chart, or a dot on a lane of a timeline."""

    at: datetime
    lane: str
    words: str
    verdict: Verdict | None = None


def sparkline(values: Sequence[float | None], bounds: Sequence[float] = ()) -> str:
    """The latest values as bars between the extremes of values and bounds; a dot where there was no value."""
    shown = values[-_LONGEST:]
    ends = [value for value in (*shown, *bounds) if value is not None]
    if not ends:
        return _ABSENT * len(shown)
    low, span = min(ends), max(ends) - min(ends)

    def bar(value: float | None) -> str:
        if value is None:
            return _ABSENT
        return _BARS[round((value - low) / span * (len(_BARS) - 1))] if span else _BARS[len(_BARS) // 2]

    return "".join(map(bar, shown))


class _Scale(NamedTuple):
    """From values to places on the sheet; of a single value to the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.low == self.high:
            return (self.start + self.end) / 2
        held = min(max(value, self.low), self.high)
        return self.start + (held - self.low) / (self.high - self.low) * (self.end - self.start)


class _Axes(NamedTuple):
    """Of a chart over time: `along` takes seconds, `up` values."""

    along: _Scale
    up: _Scale

    def place(self, dot: Dot) -> tuple[float, float]:
        return self.along(dot.at.timestamp()), self.up(dot.value)


def line_chart(
    title: str,
    dots: Sequence[Dot],
    passes: Comparison | None = None,
    fails: Comparison | None = None,
    marks: Iterable[Mark] = (),
    beside: Sequence[Dot] = (),
) -> str:
    """Values over time, what passes and what fails, as SVG; at least one dot.

    `beside` is drawn dashed: what the same was estimated to be. `marks` are lines across, within the time of the dots.
    """
    axes = _axes([*dots, *beside], [one.bound for one in (passes, fails) if one])
    words = f"{len(dots)} values from {_at(dots[0].at)} to {_at(dots[-1].at)} UTC; the latest is {dots[-1].value:.4g}"
    sheet = _sheet(title, _HEIGHT, words)
    for region, kind in ((passes, "pass"), (fails, "fail")):
        if region:
            _band(sheet, axes.up, region, kind)
    _ticks(sheet, axes.up, passes, fails, [dot.value for dot in dots])
    for mark in marks:
        if axes.along.low <= mark.at.timestamp() <= axes.along.high:
            _across(sheet, axes.along(mark.at.timestamp()), mark)
    _series(sheet, axes, beside, "estimate")
    _series(sheet, axes, dots, "series")
    _dates(sheet, axes.along, dots[0].at, dots[-1].at, _HEIGHT)
    return tostring(sheet, encoding="unicode")


def bar_chart(title: str, bars: Sequence[Bar], bound: float | None = None, label: str = "") -> str:
    """Named values from zero on, with their intervals, against a labelled bound, as SVG; at least one bar."""
    ends = [end for bar in bars for end in (bar.value, _finite(bar.high))] + [bound or 0]
    along = _Scale(0, max(ends) or 1, _NAMES, _WIDTH - 150)
    above = _ROW if bound is not None and label else 0.0
    sheet = _sheet(title, len(bars) * _ROW + 10 + above, f"{len(bars)} bars; each says its name and value")
    for index, bar in enumerate(bars):
        _bar(sheet, along, bar, above + index * _ROW + 5)
    if bound is not None:
        _line(sheet, along(bound), above and _ROW - 8, along(bound), len(bars) * _ROW + 10 + above, "limit")
        _text(sheet, along(bound), 12, label, "middle", "fail") if label else None
    return tostring(sheet, encoding="unicode")


def timeline(title: str, marks: Iterable[Mark], lanes: Sequence[str] = ()) -> str:
    """What happened when, as SVG: a lane for each kind, those named in that order, then those that come."""
    known = sorted(marks, key=lambda mark: mark.at)
    present = dict.fromkeys(mark.lane for mark in known)
    rows = [lane for lane in lanes if lane in present] + [lane for lane in present if lane not in lanes]
    moments = [mark.at.timestamp() for mark in known]
    along = _Scale(min(moments, default=0), max(moments, default=0), _NAMES, _WIDTH - 16)
    height = len(rows) * _ROW + _BOTTOM
    sheet = _sheet(title, height, "; ".join(f"{sum(m.lane == lane for m in known)} {lane}" for lane in rows))
    for index, lane in enumerate(rows):
        y = index * _ROW + _ROW / 2
        _text(sheet, _NAMES - 10, y + 4, lane, "end")
        _line(sheet, _NAMES, y, _WIDTH - 16, y, "rule")
    for mark in known:
        y = rows.index(mark.lane) * _ROW + _ROW / 2
        _dot(sheet, along(mark.at.timestamp()), y, mark.verdict or "plain", f"{_at(mark.at)} UTC: {mark.words}")
    if known:
        _dates(sheet, along, known[0].at, known[-1].at, height)
    return tostring(sheet, encoding="unicode")


def small_chart(title: str, values: Sequence[float]) -> str:
    """Values in their order, without axes, as SVG; at least one."""
    up = _Scale(min(values), max(values), _LOW - _EDGE, _EDGE)
    along = _Scale(0, len(values) - 1, _EDGE, _SMALL - _EDGE)
    words = f"{len(values)} values between {min(values):.4g} and {max(values):.4g}"
    sheet = _sheet(title, _LOW, words, _SMALL)
    path = " ".join(f"{along(place):.1f},{up(value):.1f}" for place, value in enumerate(values))
    SubElement(sheet, "polyline", {"points": path, "class": "series"})
    _dot(sheet, along(len(values) - 1), up(values[-1]), "plain", f"{values[-1]:.4g}", 2.5)
    return tostring(sheet, encoding="unicode")


def _axes(dots: Sequence[Dot], bounds: Sequence[float]) -> _Axes:
    ends = [end for dot in dots for end in (dot.low, dot.high) if end is not None and isfinite(end)]
    values = [*(dot.value for dot in dots), *bounds, *ends]
    margin = (max(values) - min(values)) * 0.1 or abs(values[0]) * 0.1 or 1
    moments = [dot.at.timestamp() for dot in dots]
    return _Axes(
        _Scale(min(moments), max(moments), _LEFT, _WIDTH - _RIGHT),
        _Scale(min(values) - margin, max(values) + margin, _HEIGHT - _BOTTOM, _TOP),
    )


def _series(sheet: Element, axes: _Axes, dots: Sequence[Dot], kind: str) -> None:
    for part in _unbroken(dots):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(axes.place, part))
        SubElement(sheet, "polyline", {"points": path, "class": kind})
    radius = 3.5 if len(dots) <= _MANY else 2.2
    for dot in dots:
        x, y = axes.place(dot)
        between = ""
        if dot.low is not None and dot.high is not None:
            _whisker(sheet, (x, axes.up(dot.low)), (x, axes.up(dot.high)))
            between = f", between {dot.low:.4g} and {dot.high:.4g}"
        verdict = dot.verdict or ("hollow" if kind == "estimate" else "plain")
        said = "estimated " if kind == "estimate" else ""
        _dot(sheet, x, y, verdict, f"{_at(dot.at)} UTC: {said}{dot.value:.4g}{between}", radius)


def _unbroken(dots: Sequence[Dot]) -> Iterator[Sequence[Dot]]:
    """Where nothing was read for much longer than usual, nothing is drawn: the parts with two dots or more."""
    steps = [later.at - earlier.at for earlier, later in pairwise(dots)]
    usual = sorted(steps)[len(steps) // 2] if steps else timedelta()
    ends = [place for place, apart in enumerate(steps, 1) if len(steps) > 2 and apart > usual * _GAP]
    for start, end in pairwise([0, *ends, len(dots)]):
        if end - start > 1:
            yield dots[start:end]


def _bar(sheet: Element, along: _Scale, bar: Bar, y: float) -> None:
    shown = bar.name if len(bar.name) <= _LONGEST_NAME else f"{bar.name[: _LONGEST_NAME - 1]}…"
    _text(sheet, _NAMES - 8, y + 14, shown, "end")
    box = _box(sheet, _NAMES, y + 3, along(bar.value) - _NAMES, _ROW - 9, "bar")
    said = f"{bar.value:.3g} {bar.note}".strip()
    SubElement(box, "title").text = f"{bar.name}: {said}"
    if bar.low is not None and bar.high is not None:
        _whisker(sheet, (along(bar.low), y + _ROW / 2 - 2), (along(bar.high), y + _ROW / 2 - 2))
    _text(sheet, along(max(bar.value, _finite(bar.high))) + 8, y + 14, said, "start")


def _whisker(sheet: Element, one: tuple[float, float], other: tuple[float, float]) -> None:
    """From an end to the other, with a cap at both."""
    _line(sheet, *one, *other, "whisker")
    across = (3.0, 0.0) if one[0] == other[0] else (0.0, 3.0)
    for x, y in (one, other):
        _line(sheet, x - across[0], y - across[1], x + across[0], y + across[1], "whisker")


def _ticks(
    sheet: Element, up: _Scale, passes: Comparison | None, fails: Comparison | None, values: Sequence[float]
) -> None:
    """Lines at both bounds, with what they mean, and at the ends of the values, unless that is too near."""
    taken = list[float]()
    for word, kind, bound in (("passes", "pass", passes), ("fails", "fail", fails)):
        if bound:
            y = up(bound.bound)
            _line(sheet, _LEFT, y, _WIDTH - _RIGHT, y, f"bound {kind}")
            lower = bound.operator.startswith("<")
            _text(sheet, _WIDTH - _RIGHT + 6, y + (11 if lower else -3), f"{word} {bound}", "start", kind)
            if y not in taken:
                _text(sheet, _LEFT - 6, y + (11 if lower else -1), f"{bound.bound:.3g}", "end")
            taken.append(y)
    for value in (max(values), min(values)):
        y = up(value)
        if all(abs(y - other) >= _APART + 2 for other in taken):
            taken.append(y)
            _line(sheet, _LEFT, y, _WIDTH - _RIGHT, y, "rule")
            _text(sheet, _LEFT - 6, y + 4, f"{value:.3g}", "end")


def _across(sheet: Element, x: float, mark: Mark) -> None:
    line = _line(sheet, x, _TOP - 8, x, _HEIGHT - _BOTTOM, "mark")
    SubElement(line, "title").text = f"{_at(mark.at)} UTC: {mark.words}"
    _text(sheet, x, _TOP - 10, mark.words, "end" if x > _WIDTH / 2 else "start")


def _dates(sheet: Element, along: _Scale, first: datetime, last: datetime, height: float) -> None:
    """The first and the last moment; of a single one, the middle."""
    if first == last:
        _text(sheet, along(first.timestamp()), height - 8, _at(first), "middle")
        return
    near = last - first < timedelta(days=2)
    for moment, anchor in ((first, "start"), (last, "end")):
        _text(sheet, along(moment.timestamp()), height - 8, _at(moment) if near else f"{moment:%Y-%m-%d}", anchor)


def _sheet(title: str, height: float, words: str, width: float = _WIDTH) -> Element:
    frame = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:g} {height:g}"}
    sheet = Element("svg", frame | {"role": "img", "aria-label": f"{title}: {words}", "tabindex": "0"})
    SubElement(sheet, "title").text = title
    SubElement(sheet, "desc").text = words
    return sheet


def _band(sheet: Element, up: _Scale, region: Comparison, kind: str) -> None:
    low, high = region.low[0], region.high[0]
    bottom, top = up(up.low if low == -inf else low), up(up.high if high == inf else high)
    _box(sheet, _LEFT, top, _WIDTH - _RIGHT - _LEFT, max(bottom - top, 1), f"band {kind}")


def _box(sheet: Element, x: float, y: float, width: float, height: float, kind: str) -> Element:
    place = {"x": x, "y": y, "width": max(width, 0), "height": height}
    return SubElement(sheet, "rect", {name: f"{value:.1f}" for name, value in place.items()} | {"class": kind})


def _line(sheet: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return SubElement(sheet, "line", {name: f"{value:.1f}" for name, value in ends.items()} | {"class": kind})


def _dot(sheet: Element, x: float, y: float, kind: str, words: str, radius: float = 3.5) -> None:
    dot = SubElement(sheet, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:g}", "class": f"dot {kind}"})
    SubElement(dot, "title").text = words


def _text(sheet: Element, x: float, y: float, words: str, anchor: str, kind: str = "ink") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": "11", "class": kind}
    SubElement(sheet, "text", place).text = words


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _finite(value: float | None) -> float:
    return value if value is not None and isfinite(value) else 0.0
