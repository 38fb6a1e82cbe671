"""A report explains a model to whoever decides about its risk, and does nothing but show."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.charts import Bar, Dot, bar_chart, line_chart, sparkline, timeline
from client.report import Sources, write_report
from client.story import Line
from client.verification import Verification
from client.views import Held, Looked
from models.evidence import EvaluationReport, GroupRate, WindowReport
from models.inventory import ModelFacts, RiskTier
from models.state import Phase
from models.verdict import Comparison, Kpi, Reading, Verdict
from tests.contract.story import small_plan
from tests.temporal.house import facts_of

AT = datetime(2026, 5, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FINITE = st.floats(-1e12, 1e12)
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """What a browser would make of a page: its elements and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Some text."""
        self.text += data


def looked(number: int, value: float, verdict: Verdict) -> Looked:
    """A look at a window, a day after the one before."""
    return Looked(
        monitor="drift",
        window=f"w{number}",
        version=1,
        verdict=verdict,
        reasons=(HOSTILE,),
        readings=(Reading(name="auc", value=value, count=500), Reading(name="unjudged", value=number, count=1)),
        at=AT + timedelta(days=number),
    )


def verification(*problems: str) -> Verification:
    """A record of three entries."""
    return Verification(entries=3, head="sha256:00", events=1, problems=problems, replay=(), rows=())


def sources(facts: ModelFacts | None = None, **changes: object) -> Sources:
    """Of a model that fares worse and worse, and whose people wrote what they should not."""
    facts = facts or facts_of("loan", RiskTier.HIGH).model_copy(update={"title": HOSTILE, "intended_use": HOSTILE})
    window = WindowReport(window="may.csv", rows=300, readings=(), psi={"income": 0.3, HOSTILE: 0.01})
    groups = (
        GroupRate(column="sex", group="f", selected=0.4, count=90),
        GroupRate(column="sex", group="m", selected=0.6, count=110),
    )
    line = Line(position=1, at=AT, kind="event", text=HOSTILE)
    kpis = (Kpi(name="auc", passes=Comparison(operator=">=", bound=0.7), fails=Comparison(operator="<", bound=0.6)),)
    given = Sources(
        facts=facts,
        regulations=("GDPR",),
        held=Held(
            model="loan",
            title=facts.title,
            tier=RiskTier.HIGH,
            owner="olga",
            use_case="lending",
            stage="production",
            phase=Phase.STEADY,
            champion=1,
            health=Verdict.FAIL,
            measured_at=AT,
            value={},
            obligations_overdue=2,
            contradictions=0,
        ),
        plan=small_plan().model_copy(update={"kpis": kpis}),
        looks=[looked(1, 0.8, Verdict.PASS), looked(2, 0.65, Verdict.INCONCLUSIVE), looked(3, 0.5, Verdict.FAIL)],
        window=window.model_dump_json().encode(),
        evaluation=EvaluationReport(rows=200, readings=(), groups=groups).model_dump_json().encode(),
        lines=(line,),
        verification=verification(),
        at=AT,
    )
    return given._replace(**changes)  # type: ignore[arg-type]  # tests name fields that there are


def test_it_shows_readings_drift_fairness_and_the_story() -> None:
    """One chart for each reading, one for drift, one for each protected column, one for what happened."""
    page = Page(write_report(sources()))
    pictures = [tag for tag, _ in page.elements if tag == "svg"]
    assert len(pictures) == 2 + 1 + 1 + 1
    for words in ("auc", "passes >= 0.7, fails < 0.6", "not judged", "may.csv", "of 90", "2 obligations", "GDPR"):
        assert words in page.text
    assert "The audit trail holds: a chain of 3 entries" in page.text


def test_it_loads_and_runs_nothing_whatever_people_wrote() -> None:
    """No script, no image, no link: what was written stands there as text, and the browser is told to allow nothing."""
    page = Page(write_report(sources()))
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "a", "form", "object"})
    assert not [
        name for _, given in page.elements for name in given if name.startswith("on") or name in ("src", "href")
    ]
    assert page.text.count(HOSTILE) >= 4
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"},
    ) in page.elements


def test_a_record_that_does_not_hold_is_said_to() -> None:
    """Whoever reads the page learns it before relying on it."""
    page = Page(write_report(sources(verification=verification("entry 2: changed"))))
    assert "Does not hold: entry 2: changed" in page.text
    assert "The audit trail holds" not in page.text


def test_a_model_of_which_nothing_is_known_yet_has_a_report() -> None:
    """It says so, instead of drawing nothing."""
    page = Page(write_report(sources(plan=None, looks=[], window=None, evaluation=b"no report", lines=())))
    assert "Nothing was measured yet." in page.text
    assert "Drift by input" not in page.text


@given(st.lists(FINITE, min_size=1, max_size=80))
def test_a_sparkline_has_a_bar_for_each_value_and_keeps_their_order(values: list[float]) -> None:
    """At most forty, the latest; a higher value never has a lower bar."""
    drawn = sparkline(values)
    shown = values[-40:]
    assert len(drawn) == len(shown)
    for (one, bar), (other, beside) in zip(
        zip(shown, drawn, strict=True), list(zip(shown, drawn, strict=True))[1:], strict=False
    ):
        assert (one > other) <= (bar >= beside)


@given(st.lists(FINITE, min_size=1, max_size=20), FINITE, FINITE)
def test_every_dot_of_a_line_is_on_the_sheet(values: list[float], low: float, high: float) -> None:
    """Whatever the values and the bounds are; the picture is well-formed, and each dot says what it is."""
    dots = [Dot(AT + timedelta(hours=hour), value, Verdict.PASS) for hour, value in enumerate(values)]
    fails, passes = Comparison(operator="<", bound=low), Comparison(operator=">=", bound=high)
    drawn = fromstring(line_chart("a & b", dots, passes, fails))
    circles = drawn.findall(f"{SVG}circle")
    assert len(circles) == len(values)
    for circle in circles:
        assert 0 <= float(circle.get("cx", "-1")) <= 720
        assert 0 <= float(circle.get("cy", "-1")) <= 190
        assert re.match(r"2026-05-0\d \d\d:00 UTC: ", circle.findtext(f"{SVG}title") or "")


@pytest.mark.parametrize("bound", [None, 0.25])
def test_bars_grow_with_their_values(bound: float | None) -> None:
    """The longest bar is the largest value; an interval is a line from its lower to its upper end."""
    drawn = fromstring(bar_chart("drift", [Bar("a", 0.1), Bar("b", 0.4, "of 9", 0.3, 0.5), Bar("c", 0)], bound))
    widths = [float(box.get("width", "")) for box in drawn.findall(f"{SVG}rect")]
    assert widths[1] == max(widths) == pytest.approx(4 * widths[0], abs=0.3)
    assert widths[2] == 0
    lines = drawn.findall(f"{SVG}line")
    assert len(lines) == 1 + (bound is not None)
    assert float(lines[0].get("x1", "")) < float(lines[0].get("x2", ""))


def test_a_timeline_has_a_lane_for_each_kind() -> None:
    """In the order in which they began; of nothing there is an empty picture."""
    drawn = fromstring(
        timeline("t", [(AT, "people", "x"), (AT + timedelta(days=2), "steps", "y"), (AT, "people", "z")])
    )
    assert [one.text for one in drawn.findall(f"{SVG}text")][:2] == ["people", "steps"]
    assert len(drawn.findall(f"{SVG}circle")) == 3
    assert fromstring(timeline("t", [])).findall(f"{SVG}circle") == []
