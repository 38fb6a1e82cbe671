"""A report explains a model to whoever decides about its risk, and does nothing but show."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.charts import Bar, Dot, Mark, bar_chart, line_chart, small_chart, sparkline, timeline
from client.milestones import Milestone
from client.report import Sources, write_report
from client.seen import course_of
from client.story import Line
from client.verification import Verification
from client.views import Held, Looked
from models.evidence import EvaluationReport, GroupRate, GroupReport, WindowReport
from models.inventory import ModelFacts, RiskTier
from models.plan import Brakes, MonitorPlan, Remedy
from models.state import Phase
from models.verdict import Comparison, Kpi, Reading, Verdict
from tests.contract.story import small_plan
from tests.temporal.house import facts_of

AT = datetime(2026, 5, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
PASS = Verdict.PASS
BRAKES = Brakes(cooldown=0, at_most=1, per=1, otherwise=Remedy.ESCALATE)
FINITE = st.floats(-1e12, 1e12)
SVG = "{http://www.w3.org/2000/svg}"
LIVE = (
    GroupReport(column="sex", group="m", selected=(60, 100), true_positive=(1, 2), false_positive=(1, 2), ratio=1),
    GroupReport(
        column="sex",
        group=HOSTILE,
        selected=(30, 100),
        true_positive=(1, 2),
        false_positive=(1, 2),
        ratio=0.5,
        ratio_between=(0.36, 0.7),
    ),
)


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
        readings=(
            Reading(name="live_auc", value=value, count=500),
            Reading(name="estimated_auc", value=value + 0.01, count=900),
            Reading(name="live_selection_rate", value=0.4, count=1_000),
            Reading(name="unjudged", value=number, count=1),
        ),
        at=AT + timedelta(days=number),
        looked=AT + timedelta(days=number),
    )


def verification(*problems: str) -> Verification:
    """A record of three entries."""
    return Verification(entries=3, head="sha256:00", events=1, problems=problems, replay=(), rows=())


def sources(facts: ModelFacts | None = None, **changes: object) -> Sources:
    """Of a model that fares worse and worse, and whose people wrote what they should not."""
    facts = facts or facts_of("loan", RiskTier.HIGH).model_copy(update={"title": HOSTILE, "intended_use": HOSTILE})
    window = WindowReport(window="may.csv", rows=300, readings=(), psi={"income": 0.3, HOSTILE: 0.01}, groups=LIVE)
    groups = (
        GroupRate(column="sex", group="f", selected=0.4, count=90),
        GroupRate(column="sex", group="m", selected=0.6, count=110),
    )
    line = Line(position=1, at=AT, kind="event", text=HOSTILE)
    kpis = (
        Kpi(name="live_auc", passes=Comparison(operator=">=", bound=0.7), fails=Comparison(operator="<", bound=0.6)),
    )
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
        milestones=(
            Milestone(AT + timedelta(days=2), "champions", "Version 2 is champion", Verdict.PASS),
            Milestone(AT - timedelta(days=200), "breaches", HOSTILE, Verdict.FAIL),
        ),
        lines=(line,),
        verification=verification(),
        since=AT - timedelta(days=90),
        at=AT,
    )
    return given._replace(**changes)  # type: ignore[arg-type]  # tests name fields that there are


def test_it_shows_readings_drift_fairness_and_the_story() -> None:
    """One large chart for what is judged, small ones for the rest, drift, groups live and held out, the timeline."""
    page = Page(write_report(sources()))
    pictures = [tag for tag, _ in page.elements if tag == "svg"]
    assert len(pictures) == 1 + 2 + 1 + 2 + 1 + 1
    for words in (
        "Live AUC",
        "passes >= 0.7, fails < 0.6; dashed",
        "dashed: as it was estimated before outcomes were known",
        "Other readings, which nothing judges",
        "may.csv",
        "of 90",
        "Ratio to the reference group by sex",
        "four fifths",
        "2 obligations",
        "GDPR",
        "Version 2 is champion",
    ):
        assert words in page.text
    assert "The audit trail holds: a chain of 3 entries" in page.text


def test_what_fails_stands_first() -> None:
    """Before what is inconclusive and what passes, whatever the order in the template."""
    plan = sources().plan
    assert plan
    passes, fails = Comparison(operator="<=", bound=0.5), Comparison(operator=">", bound=0.6)
    first = Kpi(name="live_selection_rate", passes=passes, fails=fails)
    page = Page(write_report(sources(plan=plan.model_copy(update={"kpis": (first, *plan.kpis)}))))
    assert page.text.index("Live AUC\n") < page.text.index("Live selection rate\n")


def test_every_value_says_where_it_comes_from() -> None:
    """Window, cases, version, monitor and moment of the newest; all of them in a table; how many outcomes are known."""
    page = Page(write_report(sources()))
    newest = "Latest: 0.5, of 500 cases, window w3, version 1, as of 2026-05-04 00:00 UTC by monitor 'drift'."
    assert newest in page.text
    assert "Outcomes are known of 50% of its 1,000 cases." in page.text
    assert "Every value of Live AUC: 3" in page.text


def test_it_begins_with_what_matters() -> None:
    """Whether it is healthy and why, what is open, what has happened lately and not long ago."""
    page = Page(write_report(sources()))
    assert page.text.index("Not healthy: version 1 serves") < page.text.index("Used for")
    assert f"Monitor 'drift', on 2026-05-04 00:00 UTC: {HOSTILE}." in page.text
    assert "Monitor 'drift' has not passed since it failed." in page.text
    assert "2 obligations are overdue." in page.text
    assert "Since 2026-01-31: 1 change of champion." in page.text
    held = sources().held.model_copy(update={"health": Verdict.PASS, "obligations_overdue": 0})
    well = Page(write_report(sources(held=held, looks=[looked(1, 0.8, Verdict.PASS)], milestones=())))
    for words in ("Healthy: version 1 serves", "The monitor passed at the last look: drift.", "Nothing is open."):
        assert words in well.text
    assert "nothing was decided, and nothing happened." in well.text
    assert "has not passed since" not in well.text
    alone = Page(write_report(sources(held=held.model_copy(update={"health": None}), milestones=())))
    assert "Not measured" in alone.text
    assert "nothing was read of the model itself" in alone.text
    assert "nothing was read of the model itself" not in well.text


def test_a_window_that_two_monitors_looked_at_is_one_value() -> None:
    """That of the monitor which judges it; of several looks of the same one the newest, as labels arrive late."""
    monitor = MonitorPlan(
        id="performance", checks=("live_auc",), every=1, breaches=1, then=Remedy.ESCALATE, brakes=BRAKES
    )
    plan = sources().plan
    assert plan
    first = looked(1, 0.9, Verdict.PASS)
    judging = first.model_copy(update={"monitor": "performance", "at": AT, "readings": looked(1, 0.7, PASS).readings})
    later = judging.model_copy(update={"at": AT + timedelta(hours=1), "readings": looked(1, 0.71, PASS).readings})
    given = sources(plan=plan.model_copy(update={"monitors": (monitor,)}), looks=[judging, later, first])
    page = Page(write_report(given))
    assert "Every value of Live AUC: 1" in page.text
    assert "Latest: 0.71, of 500 cases, window w1" in page.text


def test_it_can_be_read_without_seeing_on_paper_and_in_the_dark() -> None:
    """Each picture has a name, words and a place in the order of the keyboard; no colour is fixed."""
    text = write_report(sources())
    page = Page(text)
    pictures = [given for tag, given in page.elements if tag == "svg"]
    assert all(given["role"] == "img" and given["aria-label"] and given["tabindex"] == "0" for given in pictures)
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text
    body = text[text.index("<body>") :]
    assert not re.search(r"#[0-9a-f]{6}", body)


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


@pytest.mark.parametrize(
    ("values", "bounds", "drawn"),
    [
        ([0.5], (), "▅"),
        ([0.0, 1.0], (), "▁█"),
        ([0.02], (0.1, 0.25), "▁"),
        ([0.02, None, 0.25], (0.1, 0.25), "▁·█"),
        ([None, None], (), "··"),
        ([None, 0.5], (), "·▅"),
        ([float(value) for value in range(100)], (200,), "▁" * 11 + "▂" * 19 + "▃" * 10),
    ],
)
def test_a_sparkline_stands_between_bounds_and_shows_gaps(
    values: list[float | None], bounds: tuple[float, ...], drawn: str
) -> None:
    """One value, two, a hundred, and looks at which nothing was read."""
    assert sparkline(values, bounds) == drawn


def test_a_look_that_read_nothing_is_a_gap() -> None:
    """Of the monitor that judges it; what others did not read is none."""
    plan = sources().plan
    assert plan
    monitor = MonitorPlan(id="drift", checks=("live_auc",), every=1, breaches=1, then=Remedy.ESCALATE, brakes=BRAKES)
    plan = plan.model_copy(update={"monitors": (monitor,)})
    blind = looked(2, 0, Verdict.FAIL).model_copy(update={"readings": ()})
    course = course_of([looked(1, 0.8, PASS), blind, looked(3, 0.7, PASS)], "live_auc", plan)
    assert [one.value if one else None for one in course] == [0.8, None, 0.7]
    other = blind.model_copy(update={"monitor": "value"})
    assert None not in course_of([looked(1, 0.8, PASS), other], "live_auc", plan)


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
    """The longest bar is the largest value; an interval is a line from its lower to its upper end, with two caps."""
    drawn = fromstring(bar_chart("drift", [Bar("a", 0.1), Bar("b", 0.4, "of 9", 0.3, 0.5), Bar("c", 0)], bound))
    widths = [float(box.get("width", "")) for box in drawn.findall(f"{SVG}rect")]
    assert widths[1] == max(widths) == pytest.approx(4 * widths[0], abs=0.3)
    assert widths[2] == 0
    lines = drawn.findall(f"{SVG}line")
    assert len(lines) == 3 + (bound is not None)
    assert float(lines[0].get("x1", "")) < float(lines[0].get("x2", ""))


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_a_small_chart_keeps_every_value_on_its_sheet(values: list[float]) -> None:
    """However few there are, and however alike."""
    drawn = fromstring(small_chart("a & b", values))
    points = (drawn.find(f"{SVG}polyline") or [drawn.find(f"{SVG}polyline")])[0]
    assert points is not None
    for point in (points.get("points") or "").split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 160
        assert 0 <= y <= 30


@pytest.mark.parametrize(
    ("days", "lines"), [([0], 0), ([0, 1], 1), ([0, 90], 1), ([0, 1, 2, 3, 40, 41, 42], 2), ([0, 1, 2, 3, 40], 1)]
)
def test_where_nothing_was_read_for_long_no_line_is_drawn(days: list[int], lines: int) -> None:
    """Much longer than usual, that is; every value keeps its dot."""
    drawn = fromstring(line_chart("t", [Dot(AT + timedelta(days=day), day) for day in days]))
    assert len(drawn.findall(f"{SVG}polyline")) == lines
    assert len(drawn.findall(f"{SVG}circle")) == len(days)


@given(FINITE, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_whisker_reaches_from_the_lower_to_the_upper_end(value: float, below: float, above: float) -> None:
    """In the same place as its dot, which is between both."""
    dots = [Dot(AT, value, None, value - below, value + above)]
    drawn = fromstring(line_chart("t", dots))
    circle = drawn.findall(f"{SVG}circle")[0]
    whisker = next(line for line in drawn.findall(f"{SVG}line") if line.get("class") == "whisker")
    assert whisker.get("x1") == whisker.get("x2") == circle.get("cx")
    low, high = float(whisker.get("y1", "")), float(whisker.get("y2", ""))
    assert high <= float(circle.get("cy", "")) <= low


def test_bounds_are_labelled_and_a_change_of_champion_is_a_line_across() -> None:
    """In words, within the time that is drawn."""
    dots = [Dot(AT, 0.7), Dot(AT + timedelta(days=9), 0.6)]
    passes, fails = Comparison(operator=">=", bound=0.64), Comparison(operator="<", bound=0.63)
    inside, outside = Mark(AT + timedelta(days=1), "champions", "Version 2"), Mark(AT - timedelta(1), "", "Version 1")
    drawn = fromstring(line_chart("t", dots, passes, fails, [inside, outside], beside=[Dot(AT, 0.65)]))
    said = [one.text for one in drawn.findall(f"{SVG}text")]
    assert {"passes >= 0.64", "fails < 0.63", "Version 2"} <= set(said)
    assert "Version 1" not in said
    assert [one.get("class") for one in drawn.findall(f"{SVG}circle")].count("dot hollow") == 1


def test_a_timeline_has_a_lane_for_each_kind() -> None:
    """Those that are named in their order, then in that in which they began; of nothing there is an empty picture."""
    marks = [Mark(AT, "people", "x"), Mark(AT + timedelta(days=2), "steps", "y"), Mark(AT, "people", "z")]
    drawn = fromstring(timeline("t", marks))
    assert [one.text for one in drawn.findall(f"{SVG}text")][:2] == ["people", "steps"]
    assert len(drawn.findall(f"{SVG}circle")) == 3
    first = fromstring(timeline("t", marks, ("none", "steps"))).findall(f"{SVG}text")[0]
    assert first.text == "steps"
    assert fromstring(timeline("t", [])).findall(f"{SVG}circle") == []
