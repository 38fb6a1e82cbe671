"""The pictures of a model's report, each with what it is held against and where it comes from."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import NamedTuple

from pydantic import ValidationError

from client.charts import Bar, Dot, Mark, bar_chart, line_chart, small_chart
from client.seen import Seen, seen_of
from client.views import Looked
from models.evidence import EvaluationReport, GroupRate, GroupReport, WindowReport
from models.plan import Plan
from models.statistics.intervals import wilson
from models.verdict import Kpi, Verdict, judge

_MOST = 20
_URGENT = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
_SHARES = frozenset({"live_accuracy", "live_selection_rate"})
"""Readings that are a part of a whole, so that the number of cases tells how uncertain they are."""

_WHISKERS = "the whiskers are intervals of 95 % confidence"
_CASES = "live_selection_rate"
"""Its count is that of all cases of a window, whether or not their outcome is known."""


class Row(NamedTuple):
    """One value of a chart, for whoever reads instead of looking, and where it comes from."""

    at: str
    value: str
    cases: int
    window: str
    version: int | None
    monitor: str
    verdict: str


class Chart(NamedTuple):
    """A picture with its name, what it is to be held against, where its newest value is from, and all of its values."""

    name: str
    picture: str
    bounds: str = ""
    source: str = ""
    rows: Sequence[Row] = ()


class Small(NamedTuple):
    """A reading that nothing judges: a small picture, its newest value and where that is from."""

    name: str
    picture: str
    value: str
    source: str


def judged(looks: Sequence[Looked], plan: Plan | None, marks: Sequence[Mark]) -> Iterator[Chart]:
    """What has bounds, over time, what fails now first; beside what was realised, what it had been estimated to be."""
    found = [(kpi, seen) for kpi in (plan.kpis if plan else ()) if (seen := seen_of(looks, kpi.name, plan))]
    for kpi, seen in sorted(found, key=lambda one: _URGENT.index(judge(one[0], (one[1][-1].reading,)).verdict)):
        yield _chart(kpi, seen, seen_of(looks, _estimate_of(kpi.name), plan), marks)


def others(looks: Sequence[Looked], plan: Plan | None) -> Iterator[Small]:
    """What has no bounds, each by its latest values."""
    kpis = [kpi.name for kpi in plan.kpis] if plan else []
    drawn = {*kpis, *map(_estimate_of, kpis)}
    for name in sorted({reading.name for look in looks for reading in look.readings} - drawn):
        seen = seen_of(looks, name, plan)
        words = _plain(name)
        picture = small_chart(words, [one.reading.value for one in seen])
        yield Small(words, picture, f"{seen[-1].reading.value:.4g}", _origin(seen[-1]))


def drift(window: WindowReport | None, plan: Plan | None) -> Chart | None:
    """The stability index of each input of the newest window, the largest first."""
    if window is None or not window.psi:
        return None
    worst = sorted(window.psi.items(), key=lambda one: -one[1])[:_MOST]
    bound = next((kpi.fails.bound for kpi in plan.kpis if kpi.name == "drift"), None) if plan else None
    name = "Population stability index of each input"
    bars = [Bar(feature, value) for feature, value in worst]
    picture = bar_chart(name, bars, bound, f"fails above {bound:g}" if bound is not None else "")
    left = f"; the {_MOST} largest of {len(window.psi)}" if len(window.psi) > _MOST else ""
    return Chart(name, picture, f"against the training data{left}", f"Window {window.window}, {window.rows:,} rows.")


def fairness(window: WindowReport | None, evaluation: EvaluationReport | None) -> Iterator[Chart]:
    """Selection rates by group, in production and on the data held out, and their ratios to the reference group."""
    groups = window.groups if window else ()
    source = f"Window {window.window}, cases whose outcome is known." if window else ""
    for column in dict.fromkeys(one.column for one in groups):
        rates = [_rate(one.group, *one.selected) for one in groups if one.column == column]
        name = f"Share selected by {column}, in production"
        yield Chart(name, bar_chart(name, rates), f"beside each how many were looked at; {_WHISKERS}", source)
        ratios = [bar for one in groups if one.column == column for bar in _ratio(one)]
        if ratios:
            name = f"Ratio to the reference group by {column}, in production"
            picture = bar_chart(name, ratios, 0.8, "four fifths")
            yield Chart(name, picture, f"below four fifths, adverse impact is suspected; {_WHISKERS}", source)
    held_out = evaluation.groups if evaluation else ()
    for column in dict.fromkeys(one.column for one in held_out):
        name = f"Share selected by {column}, on the data held out"
        bars = [_held_out(one) for one in held_out if one.column == column]
        told = f"{evaluation.rows:,} rows that were held out when the version was evaluated." if evaluation else ""
        yield Chart(name, bar_chart(name, bars), f"beside each how many were looked at; {_WHISKERS}", told)


def read_window(report: bytes | None) -> WindowReport | None:
    """A report as it was kept; None if there is none, or one of another kind."""
    try:
        return WindowReport.model_validate_json(report) if report else None
    except ValidationError:
        return None


def read_evaluation(report: bytes | None) -> EvaluationReport | None:
    """A report as it was kept; None if there is none, or one of another kind."""
    try:
        return EvaluationReport.model_validate_json(report) if report else None
    except ValidationError:
        return None


def _estimate_of(name: str) -> str:
    """What a realised value is estimated as, by name; of anything else itself."""
    return name.replace("live_", "estimated_", 1)


def _chart(kpi: Kpi, seen: Sequence[Seen], estimated: Sequence[Seen], marks: Sequence[Mark]) -> Chart:
    dots = [_dot(kpi, one) for one in seen]
    beside = _beside(seen, estimated) if _estimate_of(kpi.name) != kpi.name else []
    bounds = [f"passes {kpi.passes}, fails {kpi.fails}"]
    bounds += [f"with fewer than {kpi.at_least:,} cases it is inconclusive"] if kpi.at_least > 1 else []
    bounds += ["dashed: as it was estimated before outcomes were known"] if beside else []
    bounds += [_WHISKERS] if kpi.name in _SHARES else []
    share = kpi.attained(seen[-1].reading.value)
    bounds += [f"the latest is {share:.0%} of the target"] if share is not None else []
    name = _plain(kpi.name)
    picture = line_chart(name, dots, kpi.passes, kpi.fails, marks, beside)
    return Chart(name, picture, "; ".join(bounds), f"Latest: {_latest(seen[-1])}", [_row(kpi, one) for one in seen])


def _beside(seen: Sequence[Seen], estimated: Sequence[Seen]) -> list[Dot]:
    """Each estimate where the realised value of the same window is, if there is one."""
    places = {(one.look.window, one.look.version): one.look.at for one in seen}
    return [Dot(places.get((one.look.window, one.look.version), one.look.at), one.reading.value) for one in estimated]


def _dot(kpi: Kpi, one: Seen) -> Dot:
    verdict = judge(kpi, (one.reading,)).verdict
    if one.reading.name not in _SHARES:
        return Dot(one.look.at, one.reading.value, verdict)
    low, high = wilson(round(one.reading.value * one.reading.count), one.reading.count)
    return Dot(one.look.at, one.reading.value, verdict, low, high)


def _row(kpi: Kpi, one: Seen) -> Row:
    return Row(
        at=f"{one.look.at:%Y-%m-%d %H:%M}",
        value=f"{one.reading.value:.4g}",
        cases=one.reading.count,
        window=_window(one.look.window),
        version=one.look.version,
        monitor=one.look.monitor,
        verdict=judge(kpi, (one.reading,)).verdict,
    )


def _latest(one: Seen) -> str:
    cases = next((reading.count for reading in one.look.readings if reading.name == _CASES), 0)
    waiting = one.reading.name.startswith("live_") and one.reading.count < cases
    mature = f" Outcomes are known of {one.reading.count / cases:.0%} of its {cases:,} cases." if waiting else ""
    return f"{one.reading.value:.4g}, {_source(one)}.{mature}"


def _source(one: Seen) -> str:
    version = f", version {one.look.version}" if one.look.version else ""
    return f"{_origin(one)}{version}, as of {one.look.at:%Y-%m-%d %H:%M} UTC by monitor '{one.look.monitor}'"


def _origin(one: Seen) -> str:
    cases = f"of {one.reading.count:,} cases" if one.reading.count > 1 else "from the record"
    return f"{cases}, window {_window(one.look.window)}"


def _window(name: str) -> str:
    return name.removeprefix("sha256:")[:12] if name.startswith("sha256:") else name


def _plain(name: str) -> str:
    words = name.replace("_", " ").replace("auc", "AUC")
    return words[:1].upper() + words[1:]


def _rate(group: str, part: int, whole: int) -> Bar:
    low, high = wilson(part, whole)
    return Bar(group, part / whole if whole else 0.0, f"of {whole:,}", low, high)


def _held_out(rate: GroupRate) -> Bar:
    return _rate(rate.group, round(rate.selected * rate.count), rate.count)


def _ratio(group: GroupReport) -> Iterator[Bar]:
    if group.ratio is not None and isfinite(group.ratio):
        low, high = group.ratio_between or (None, None)
        yield Bar(group.group, group.ratio, f"of {group.selected[1]:,}", low, high)
