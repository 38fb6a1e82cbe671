"""What `modelops status` says in each situation."""

import pytest

from client.console import show
from client.render import status as draw
from models.compiler import compile_template
from models.messages import Action, Choice, TimerFired
from models.state import Phase
from tests.unit.card_stories import STORIES, asking, status_of, steady, unreviewed
from tests.unit.kernel_world import World, plan_of
from tests.unit.small_plans import SMALL, waiving
from tests.unit.trying import TRYING


def said(world: World, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is shown of a world, line by line, without its frame."""
    show(draw(status_of(world)))
    return [line.strip("│ ") for line in capsys.readouterr().out.splitlines()]


def test_steady(capsys: pytest.CaptureFixture[str]) -> None:
    """A version that serves is said to, with whether it is monitored; places come in the order of promotion."""
    lines = said(steady(), capsys)
    assert "Version 2 serves and is monitored; nobody has to act" in lines
    assert "Serving: DEV version 2, TEST version 2, PROD version 2" in lines
    assert lines[lines.index("Champion 2") - 1] == ""
    unwatched = World(plan_of("low-risk"))
    unwatched.to_production()
    assert "Version 1 serves; nobody has to act" in said(unwatched, capsys)


def test_stuck(capsys: pytest.CaptureFixture[str]) -> None:
    """A failure is told once, with both ways out of it."""
    lines = said(STORIES["stuck"](), capsys)
    assert sum("DEV does not answer" in line for line in lines) == 1
    assert "Try again: modelops retry loans --as YOU --reason WHY" in lines
    assert "Or give version 1 up: modelops abandon loans --as YOU --reason WHY" in lines


def test_paused(capsys: pytest.CaptureFixture[str]) -> None:
    """A lifecycle that is paused says how it goes on, wherever it was paused."""
    world = asking()
    world.ask(Action.PAUSE)
    for paused in (world, STORIES["paused"]()):
        assert "Go on: modelops resume loans --as YOU --reason WHY" in said(paused, capsys)


def test_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    """Why the last version was turned away is told, until another one passes a stage."""
    world = asking()
    world.decide("rosa", Choice.REJECT)
    told = [
        line for line in said(world, capsys) if line.startswith("Version 1 was rejected in validation: rosa rejected")
    ]
    assert len(told) == 1
    world.submit()
    world.earn()
    assert not any("was rejected in" in line for line in said(world, capsys))


def test_what_is_trained_is_the_next_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The number that it gets, whatever became of those before, and the champion that it is to be like."""
    world = steady()
    world.ask(Action.RETRAIN)
    assert "Train version 3 of loans, like version 2" in said(world, capsys)
    world.answer()
    assert world.state.candidate is not None
    assert world.state.candidate.number == 3
    world.ask(Action.ABANDON)
    world.answer()
    world.run("production")
    world.ask(Action.RETRAIN)
    assert "Train version 4 of loans, like version 2" in said(world, capsys)


def test_a_trial(capsys: pytest.CaptureFixture[str]) -> None:
    """A challenger under way is said to be tried, beside whom and of which model."""
    world = World(compile_template(TRYING, "trying.yaml"))
    world.to_production()
    world.submit()
    while world.state.stage != "challenge":
        world.answer() if world.state.in_flight else world.approve_one()
    assert "Try version 2 of loans beside the champion" in said(world, capsys)


def test_an_emergency(capsys: pytest.CaptureFixture[str]) -> None:
    """What was done, what is asked of a second person, and the commands for that; after the review, none of it."""
    world = unreviewed()
    said_now = said(world, capsys)
    assert "sam broke the glass to roll back: it is time" in said_now
    assert "Stand by it: modelops confirm loans --as SOMEBODY_ELSE --reason WHY" in said_now
    assert "Close its review: modelops review loans --as SOMEBODY_ELSE --reason WHY" in said_now
    world.ask(Action.CONFIRM, "rosa")
    assert not any("modelops confirm" in line for line in said(world, capsys))
    world.ask(Action.REVIEW, "rosa")
    assert not any("glass" in line or "modelops review" in line for line in said(world, capsys))


def test_a_waiver(capsys: pytest.CaptureFixture[str]) -> None:
    """Until when what is done without is told; where it has ended and nothing can go on, no retry is offered."""
    world = World(waiving(SMALL))
    world.to_production()
    world.submit()
    assert "Control 'kept' is waived until 2026-02-28 (olga answers for it)" in said(world, capsys)
    while world.state.phase is not Phase.DECIDING:
        world.answer()
    world.say(TimerFired(visit=world.state.visit, timer="waiver:kept"))
    world.earn()
    lines = said(world, capsys)
    assert any(line.startswith("WaiverLapsed: the waiver of control 'kept' ended on 2026-02-28") for line in lines)
    assert not any("modelops retry" in line for line in lines)
    assert any("modelops abandon" in line for line in lines)


def test_latest_of_each_name() -> None:
    """Of readings and evidence the status has the latest of each name, in the order in which they came."""
    world = asking()
    version, view = world.state.candidate, status_of(world).version
    assert version is not None
    assert view is not None
    assert len({reading.name for reading in version.readings}) < len(version.readings)
    assert view.readings == version.readings[-7:]
    names = ["threats", "vulnerabilities", "secrets", "auc", "adverse_impact", "calibration_error", "parity_difference"]
    assert [reading.name for reading in view.readings] == names
    assert [found.kind for found in view.evidence] == ["register", "scan", "package", "promote", "evaluate", "ask"]
    assert view.evidence[-2] == next(found for found in reversed(version.evidence) if found.kind == "evaluate")


@pytest.mark.parametrize("name", STORIES)
def test_what_is_awaited_is_a_sentence(name: str) -> None:
    """In every situation it is said in a sentence that begins with a capital and has no full stop."""
    said = status_of(STORIES[name]()).waiting_for
    assert said[0].isupper()
    assert not said.endswith(".")
