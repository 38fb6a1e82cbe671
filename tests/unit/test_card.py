"""The model card: what it says in each situation, that its JSON works, and that it is never too long or unsafe."""

import html
import re
import shlex
from datetime import timedelta

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.core import TyperGroup

from client.cli import app
from models.admission import refuse
from models.canonical import digest_bytes
from models.evidence import Evidence
from models.messages import Action, Decided, Event, Failure, Request, Requested, TimerFired
from models.state import Phase
from models.status import Asked
from models.verdict import Comparison, Kpi
from tests.unit.card_stories import (
    GOLDEN,
    HOSTILE,
    STORIES,
    asking,
    awaiting,
    card_of,
    half_approved,
    status_of,
    stuck,
    unreviewed,
)
from tests.unit.kernel_world import World, happening, plan_of
from tests.unit.small_plans import SMALL, waiving
from workflows.card import LIMIT, moved_on, render
from workflows.card_markup import Mark, Stop, meter, plain, safe, strip

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
ANYTHING = st.text(max_size=300) | st.text("<>[]()`|*_#&;!$~{}\\\n\"' :/-=ab1", max_size=300) | st.just(HOSTILE)
FENCE = re.compile(r"```\n(.*?)\n```", re.DOTALL)


def command_on(card: str) -> list[str]:
    """The words of the command that a card shows."""
    found = FENCE.search(card)
    assert found is not None, card
    words = shlex.split(found[1])
    assert words[0] == "modelops"
    return words[1:]


def admitted(world: World, body: Decided | Requested) -> str | None:
    """Why the lifecycle refuses something; None if it does not."""
    return refuse(world.plan, world.state, Event(at=world.now, body=body))


@pytest.mark.parametrize("name", STORIES)
def test_the_card_tells_the_story(name: str) -> None:
    """Each situation has the card that was reviewed; `python -m tests.unit.card_stories` draws them anew."""
    assert card_of(STORIES[name]()) == (GOLDEN / f"{name}.md").read_text()


def test_the_card_says_how_to_decide() -> None:
    """The command is about the gate that is open, and the client understands it."""
    words = command_on(card_of(half_approved()))
    assert words == ["decide", "loans", "independent-validation", "approve", "--as", "YOU", "--reason", "WHY"]
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    parsed = group.commands["decide"].make_context("decide", words[1:])
    assert (parsed.params["model"], parsed.params["gate"], parsed.params["person"]) == (*words[1:3], "YOU")


def test_stuck_can_be_retried_or_abandoned() -> None:
    """The card of a stuck step says cause and remedy; its command retries, and with the word it names abandons."""
    world = stuck()
    card = card_of(world)
    assert "DEV does not answer" in card
    assert "start it, then retry" in card
    assert "`abandon`" in card
    assert command_on(card)[0] == "retry"
    for action in (Action.RETRY, Action.ABANDON):
        assert admitted(world, Requested(action=action, request=Request(person="sam", reason="it is back"))) is None


def test_a_version_is_asked_for() -> None:
    """The card of a lifecycle that waits for a version says how one is handed in."""
    assert command_on(card_of(awaiting()))[:2] == ["submit", "loans"]


def test_nobody_may_decide() -> None:
    """A role without people is shown as what it is, with what to do about it."""
    world = asking()
    status = status_of(world)
    assert status.gate is not None
    gate = status.gate.model_copy(update={"asked": (Asked(role="risk", owed=1, people=()),)})
    assert "nobody may" in render(world.plan, status.model_copy(update={"gate": gate}))


def test_a_gate_that_rejects_says_so() -> None:
    """Where silence rejects, the card says what happens after the deadline."""
    world = asking()
    stages = [
        stage.model_copy(update={"gate": stage.gate.model_copy(update={"on_timeout": "reject"})})
        if stage.gate
        else stage
        for stage in world.plan.stages
    ]
    plan = world.plan.model_copy(update={"stages": tuple(stages)})
    assert "then the version is rejected" in render(plan, status_of(world))


def test_the_record_does_not_answer() -> None:
    """Trouble with the record is on the card, beside what the lifecycle waits for."""
    card = card_of(half_approved(), "the database is locked")
    assert "the database is locked" in card
    assert "Waiting for 1 approval of risk" in card


def test_a_run_that_is_over_leads_to_the_next() -> None:
    """The last card of a run asks for nothing; it links to the run that goes on."""
    assert "(/namespaces/{namespace}/workflows/model%2Floans)" in moved_on("model/loans")


@pytest.mark.parametrize(
    ("passes", "fails", "value", "level"),
    [
        (">= 0.8", "< 0.7", 0.85, "green"),
        (">= 0.8", "< 0.7", 0.75, "yellow"),
        (">= 0.8", "< 0.7", 0.2, "red"),
        ("<= 0.1", "> 0.25", 0.05, "green"),
        ("<= 0.1", "> 0.25", 0.2, "yellow"),
        ("<= 0.1", "> 0.25", 4.0, "red"),
        ("== 0", "> 0", 0.0, "green"),
        ("== 0", "> 0", 3.0, "red"),
        (">= 1000", "< 900", 1500.0, "green"),
    ],
)
def test_the_meter_has_the_colour_of_the_verdict(passes: str, fails: str, value: float, level: str) -> None:
    """A browser colours a meter by the rules of HTML; they agree with the KPI."""
    kpi = Kpi(name="k", passes=Comparison.model_validate(passes), fails=Comparison.model_validate(fails))
    assert colour({key: float(number) for key, number in re.findall(r"(\w+)=([-\d.e+]+)", meter(kpi, value))}) == level


def colour(meter: dict[str, float]) -> str:
    """The region of a meter's value, as the HTML standard (the meter element, "UA requirements for regions") says."""
    value, low, high, optimum = meter["value"], meter["low"], meter["high"], meter["optimum"]
    assert meter["min"] <= value <= meter["max"]
    if optimum > high:
        return "green" if value >= high else "yellow" if value >= low else "red"
    return "green" if value <= low else "yellow" if value <= high else "red"


def test_a_long_way_is_shown_around_the_present_stop() -> None:
    """Of very many stages the strip shows those near the present one."""
    stops = [Stop(f"stage-{number}", Mark.AHEAD) for number in range(40)]
    stops[20] = Stop("here", Mark.WAITS)
    drawn = strip(stops)
    assert ">here<" in drawn
    assert ">stage-19<" in drawn
    assert "stage-1<" not in drawn


@settings(max_examples=300, deadline=None)
@given(text=ANYTHING, limit=st.integers(1, 120))
def test_what_people_write_is_shown_as_they_wrote_it(text: str, limit: int) -> None:
    """In a paragraph, a quote, a table and HTML, escaped text comes out as its own characters, and as nothing else."""
    given, shown = safe(text, limit), plain(text, limit)
    for before, after in (
        ("**a:** ", " b"),
        ("> **a:** ", " b"),
        ("| x |\n| :-- |\n| a: ", " b |"),
        ("<p>a: ", " b</p>"),
    ):
        drawn = MARKDOWN.render(f"{before}{given}{after}")
        texts = re.sub(r"</?(p|strong|blockquote|table|thead|tbody|tr|th|td)( style=\"text-align:left\")?>", "", drawn)
        assert "<" not in texts
        body = " ".join(html.unescape(texts).split())
        assert body.endswith(" ".join(f"a: {shown} b".split()))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_card_is_short_and_whole_whatever_people_write(data: st.DataObject) -> None:
    """However much is written, the card stays below its limit and cuts nothing in the middle."""
    world = data.draw(st.sampled_from([half_approved, stuck, STORIES["steady"], STORIES["paused"]]))()
    status, words = status_of(world), st.text(max_size=1000) | st.just("😀" * 1000) | st.just("|" * 1000)
    if status.gate:
        people = tuple(f"person-{number}-{'x' * 50}" for number in range(data.draw(st.integers(0, 80))))
        asked = tuple(
            Asked(role=f"role-{n}-{'x' * 50}", owed=n + 1, people=people) for n in range(data.draw(st.integers(1, 16)))
        )
        decisions = tuple(d.model_copy(update={"reason": data.draw(words)}) for d in status.gate.decisions * 30)
        gate = status.gate.model_copy(update={"question": data.draw(words), "asked": asked, "decisions": decisions})
        status = status.model_copy(update={"gate": gate})
    if status.failure:
        texts = {name: data.draw(words) for name in ("type", "message", "remedy")}
        status = status.model_copy(update={"failure": Failure(**texts)})
    if status.version:
        kept = Evidence(kind=data.draw(words), digest=digest_bytes(b"e"), summary=data.draw(words))
        status = status.model_copy(update={"version": status.version.model_copy(update={"evidence": (kept,) * 50})})
    plan = world.plan.model_copy(update={"title": data.draw(words)})
    check_whole(render(plan, status.model_copy(update={"troubles": (data.draw(words),)})), status.model)


def check_whole(card: str, model: str) -> None:
    """Every element that begins also ends, every fence holds JSON, and what never goes is there."""
    assert len(card.encode()) < LIMIT
    assert card.startswith(f"## {model}")
    assert "\n> " in card
    for tag in ("svg", "details", "ul", "li", "meter", "progress", "text", "g", "code"):
        assert len(re.findall(rf"<{tag}[ >]", card)) == card.count(f"</{tag}>")
    assert card.count("```") == 2 * len(FENCE.findall(card))


@pytest.mark.parametrize("name", ["credit-high-risk", "low-risk"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_state_has_a_card_and_offers_only_what_is_admitted(name: str, data: st.DataObject) -> None:
    """Wherever a lifecycle comes to, its card is whole, and what it says may be asked is not refused."""
    world = World(plan_of(name))
    world.start()
    for _ in range(20):
        if world.state.in_flight and data.draw(st.integers(0, 2)):
            world.answer()
        elif data.draw(st.integers(0, 5)) == 0:
            world.submit()
        else:
            world.say(happening(data, world), timedelta(hours=data.draw(st.integers(1, 40))))
        card = card_of(world)
        check_whole(card, "loans")
        if world.state.intent is None:
            for action in offered(card):
                asked = Requested(action=action, request=Request(person="zoe", reason="it is time"))
                assert admitted(world, asked) is None, f"{action} in {world.state.stage}/{world.state.phase}"
        assert (world.state.phase is Phase.ENDED) == ("🏁" in card)


def test_what_was_done_in_an_emergency_is_on_the_card() -> None:
    """Until it is reviewed the card says what happened, and how somebody else closes it."""
    world = unreviewed()
    card = card_of(world)
    assert "sam broke the glass to roll back" in card
    assert command_on(card)[0] == Action.REVIEW
    asked = Requested(action=Action.REVIEW, request=Request(person="rosa", reason="a feed was late"))
    assert world.say(asked).refusal is None
    assert "glass" not in card_of(world)


def test_a_card_without_a_waiver_offers_no_retry() -> None:
    """Where a waiver has ended, the way on is to give the version up."""
    world = World(waiving(SMALL))
    world.to_production()
    world.submit()
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    world.say(TimerFired(visit=world.state.visit, timer="waiver:kept"))
    world.earn()
    card = card_of(world)
    assert "The waiver of control 'kept' ended on 2026-02-28" in card.replace("&#39;", "'")
    assert command_on(card)[0] == Action.ABANDON


def offered(card: str) -> list[Action]:
    """What a card says may be asked."""
    found = {*re.findall(r"<code>modelops (\w+) loans</code>", card), *re.findall(r"^modelops (\w+) loans", card, re.M)}
    return [action for action in Action if action.value in found]
