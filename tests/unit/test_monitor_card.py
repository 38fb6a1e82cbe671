"""What the Web UI shows of one look: the verdict, meters, and nothing that acts."""

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from models.evidence import StepResult
from models.messages import Breach
from models.monitoring import MonitorOutcome, monitor_orders
from models.verdict import Reading, Verdict
from tests.unit.card_stories import HOSTILE
from tests.unit.kernel_world import plan_of
from workflows.card import LIMIT
from workflows.monitor_card import render

ORDER = next(one for one in monitor_orders("loans", plan_of("credit-high-risk")) if one.monitor.id == "drift")
READINGS = (
    Reading(name="drift", value=0.6, count=500),
    Reading(name="live_auc", value=0.8, count=500),
    Reading(name="live_brier", value=0.17, count=500),
)


def card(summary: str = "drift fail: 0.6 > 0.25", breach: Breach | None = None) -> str:
    """The card of a look that found drift."""
    result = StepResult(verdict=Verdict.FAIL, summary=summary, readings=READINGS)
    return render(ORDER, MonitorOutcome(result=result, breach=breach))


def test_every_kpi_that_was_read_has_a_meter() -> None:
    """In the order of the monitor's checks, with its verdict; what is not judged is folded away."""
    rows = [line for line in card().splitlines() if "<meter" in line]
    assert [row.split()[1] for row in rows] == ["drift", "live_auc"]
    assert "❌" in rows[0]
    assert "✅" in rows[1]
    assert "<li>live_brier 0.17 <small>of 500</small></li>" in card()


def test_a_breach_says_what_it_starts() -> None:
    """Only a look that the lifecycle was told of."""
    breach = Breach(monitor="drift", window="w", reasons=("drift",))
    assert "starts retrain" in card(breach=breach).split("|")[0]
    assert "A breach:" not in card()


def test_it_leads_to_the_lifecycle_and_to_the_looks_before() -> None:
    """By the ids under which both run."""
    said = unquote(card())
    assert "/workflows/model/loans)" in said
    assert 'WorkflowId STARTS_WITH "monitor/loans/drift"' in said


def test_a_look_without_readings_still_says_why() -> None:
    """Silence has no table."""
    result = StepResult(verdict=Verdict.FAIL, summary="no new window of data")
    said = render(ORDER, MonitorOutcome(result=result))
    assert "> no new window of data" in said
    assert "<meter" not in said


def test_a_look_that_could_not_measure_says_so_first() -> None:
    """It is neither passed nor failed, and the reason is not cut off behind what was measured."""
    summary = f"not measured: the source does not answer; {'drift pass: 0.1 < 0.2; ' * 40}"
    said = render(ORDER, MonitorOutcome(result=StepResult(verdict=Verdict.INCONCLUSIVE, summary=summary)))
    assert "> not measured: the source does not answer" in said.replace("\\", "").replace("&#58;", ":")
    assert "✅" not in said.splitlines()[0]
    assert "❌" not in said.splitlines()[0]


def test_a_look_says_what_it_could_not_measure_again() -> None:
    """Beside what it has found, which stands."""
    result = StepResult(verdict=Verdict.PASS, summary="drift pass: 0.1 < 0.2")
    said = render(ORDER, MonitorOutcome(result=result, missed="b.csv is not all numbers"))
    assert " Not measured again: b.csv is not all numbers\n" in said.replace("\\", "")
    assert "Not measured again" not in render(ORDER, MonitorOutcome(result=result))


@given(st.text(max_size=300) | st.just(HOSTILE))
def test_nothing_that_was_found_acts(summary: str) -> None:
    """Whatever a source answers stands there as text, within the room that a card has."""
    said = card(summary or "-")
    assert len(said.encode()) < LIMIT
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(said)
    assert "<script" not in html
    assert html.count("<a ") == 2
