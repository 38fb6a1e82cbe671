"""Drift and performance without outcomes, beside evidently, nannyml, alibi-detect and river, on the same data.

Seconds are without imports, and with reading both windows; ratios are of the processor's, which other programs on the
machine do not lengthen; the peak is of the whole process. What has another convention is printed beside ours and held
to nothing: `tests/unit/test_statistics_vectors.py` names each of those.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bench.drift_rivals import Answer, NoAnswer, answer_of, ask
from tests.bench.scaled import CATEGORIES, NUMBERS, names, write_decisions, write_windows
from tests.bench.table import show

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3_600)]

ROWS = 1_000_000
BATCH = ("evidently", "nannyml", "alibi-detect")
"""Who reads a whole window, as we do; river looks at one number after the other, and raises alarms."""

Figures = Mapping[str, float]
Read = Callable[[Figures], float]


class Same(NamedTuple):
    """A figure that both have by one convention: how to read it there and here, and how far they may be apart."""

    measure: str
    library: str
    columns: tuple[str, ...]
    theirs: Read
    ours: Read
    within: float


def at(name: str) -> Read:
    """A figure by its name."""
    return lambda figures: figures[name]


def v_of(figures: Figures) -> float:
    """Cramer's V of a table of two rows; ours is corrected for its bias, here by some hundred-thousandths."""
    return sqrt(figures["chi2"] / figures["cases"])


def in_nats(figures: Figures) -> float:
    """The Jensen-Shannon distance as scipy has it."""
    return figures["drift_jensen_shannon"] * sqrt(log(2))


KS = at("drift_kolmogorov_smirnov")
SPREAD = tuple(name for name in NUMBERS if name != "one_outlier")
"""From 10,000 rows on, nannyml has as many bins, of equal width from least to most: an outlier leaves it one of use."""
FIGURES = (
    Same("Kolmogorov-Smirnov", "nannyml", SPREAD, at("kolmogorov_smirnov"), KS, 0.005),
    Same("Kolmogorov-Smirnov", "alibi-detect", NUMBERS, at("ks"), KS, 0.005),
    Same("Wasserstein, normed", "evidently", NUMBERS, at("wasserstein"), at("drift_wasserstein"), 0.01),
    Same("Cramer's V", "alibi-detect", CATEGORIES, v_of, at("drift_cramers_v"), 1e-4),
    Same("stability index, categories", "evidently", CATEGORIES, at("psi"), at("drift_known"), 1e-3),
    Same("Jensen-Shannon, categories", "evidently", CATEGORIES, at("jensenshannon"), in_nats, 1e-3),
    Same("Jensen-Shannon, categories", "nannyml", CATEGORIES, at("jensen_shannon"), at("drift_jensen_shannon"), 1e-3),
)
OTHERWISE = (
    Same("Kolmogorov-Smirnov, its bins", "nannyml", ("one_outlier",), at("kolmogorov_smirnov"), KS, 0.0),
    Same("stability index, its bins", "evidently", NUMBERS, at("psi"), at("drift_known"), 0.0),
    Same("Jensen-Shannon, its bins", "evidently", NUMBERS, at("jensenshannon"), in_nats, 0.0),
    Same("Jensen-Shannon, its bins", "nannyml", NUMBERS, at("jensen_shannon"), at("drift_jensen_shannon"), 0.0),
)


def ours(kind: str, windows: Mapping[str, Path]) -> Answer:
    """What we say."""
    given = [str(windows["reference"]), str(windows["current"])]
    said = answer_of([sys.executable, "-m", "tests.bench.drift_reading", kind, *given])
    assert isinstance(said, Answer), said
    return said


def told(kind: str, tools: Iterable[str], windows: dict[str, Path]) -> tuple[Answer, dict[str, Answer]]:
    """What we and those of the others say who say anything, as soon as they do; a table of what it took."""
    mine = ours(kind, windows)
    heads = ("seconds", "CPU seconds", "ours / theirs", "peak MiB", "ours / theirs")
    show(f"{kind}, {ROWS:,} rows in each window", heads, [("modelops, both windows", _took(mine, mine))])
    show("", (), [("of it, the window", ("", f"{mine.window:.1f}"))])
    answers = dict[str, Answer]()
    for tool in tools:
        said = ask(tool, kind, windows, names(NUMBERS), names(CATEGORIES))
        if isinstance(said, NoAnswer):
            show("", (), [(f"{tool} says nothing: {said.why}", ())])
        else:
            answers[tool] = said
            show("", (), [(f"{tool} {said.version}", _took(mine, said))])
    return mine, answers


def _took(mine: Answer, said: Answer) -> tuple[str, ...]:
    times = f"{said.seconds:.1f}", f"{said.cpu:.1f}", f"{mine.cpu / said.cpu:.3f}"
    return (*times, f"{said.peak / 2**20:.0f}", f"{mine.peak / said.peak:.2f}")


def compare(mine: Answer, others: Mapping[str, Answer], same: Iterable[Same]) -> list[str]:
    """A table of figures side by side; those that are further apart than they may be."""
    rows, apart = list[tuple[str, tuple[str, ...]]](), list[str]()
    for one in same:
        if one.library not in others:
            continue
        for column in one.columns:
            here, there = one.ours(mine.figures[column]), one.theirs(others[one.library].figures[column])
            rows.append((f"{one.measure}: {column}", (one.library, f"{here:.4f}", f"{there:.4f}")))
            if one.within and abs(here - there) > one.within:
                apart.append(f"{one.measure} of {column}: ours {here:.5f}, {one.library} {there:.5f}")
    show("figures side by side", ("", "ours", "theirs"), rows)
    return apart


def test_drift_of_twenty_columns(tmp_path: Path) -> None:
    """One pass over Parquet takes less time and memory than any of them, and says the same by the same convention."""
    mine, others = told("drift", (*BATCH, "river"), write_windows(tmp_path, ROWS))
    assert compare(mine, others, FIGURES) == []
    compare(mine, others, OTHERWISE)
    if "river" in others:
        alarms = others["river"].figures
        rows = [
            (name, (f"{alarms[name]['alarms_before']:.0f}", f"{alarms[name]['first_after']:.0f}")) for name in NUMBERS
        ]
        show("river's ADWIN, one number after the other", ("false alarms", "rows until the alarm"), rows)
    for tool in BATCH:
        if tool in others:
            assert mine.cpu < others[tool].cpu, tool
            assert mine.peak < others[tool].peak, tool


def test_performance_without_outcomes(tmp_path: Path) -> None:
    """Estimated from calibrated scores as nannyml does, beside what it really was."""
    mine, others = told("decisions", ("nannyml",), write_decisions(tmp_path, ROWS))
    both = tuple(
        Same(f"area under the curve, {name}", "nannyml", ("auc",), at(name), at(name), 0.002)
        for name in ("estimated", "real")
    )
    assert compare(mine, others, both) == []
    for said in others.values():
        assert mine.cpu < said.cpu
        assert mine.peak < said.peak
