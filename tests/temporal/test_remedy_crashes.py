"""A breach has its remedy once, with worker and actuator killed at any moment from the window to the new champion."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from temporalio.client import Client, WorkflowFailureError

from activities.adapters.temporal_scheduler import TemporalScheduler
from models.announcing import Topic, announced
from models.compiler import compile_template
from models.evidence import StepKind
from models.inventory import Environment, Measured, VersionStatus
from models.journal import JournalEntry
from models.monitoring import monitor_orders
from models.plan import Plan, Remedy
from models.state import Phase
from models.status import Status
from models.tickets import unaddressed
from models.watching import schedule_of
from tests.temporal.crashing_worker import NOTICED_WITHIN, Office
from tests.temporal.dying import Staff, boundaries, ended, rested, written, wrong
from tests.temporal.house import House
from tests.temporal.insisting import RECOVERED_WITHIN, eventually, steady_with
from tests.temporal.invariants import check_invariants
from tests.temporal.tried import check_trial, effects
from tests.unit import trying

STAGES = ("development", "staging", "challenge", "production", "suspended")
_numbers = count(1)


class Story(NamedTuple):
    """What two windows in a row lead to: the step that remedies, how it ends, and what production was told by then.

        The step's name begins as `remedy`. So many `champions` served before it, one after the other; `begins` is when
    it shows. People hear of it under `topic`. `rests`: the lifecycle is steady all the time; `scheduled`: its monitors
    are real Schedules.
    """

    plan: Plan
    remedy: str
    ends: Callable[[Status], bool]
    given: tuple[int | None, ...]
    served: tuple[int | None, ...]
    begins: Callable[[Status], bool]
    champions: int = 1
    topic: Topic = Topic.BREACH
    rests: bool = False
    scheduled: bool = False


def suspended(status: Status) -> bool:
    """Whether nothing serves in production, and a version is waited for."""
    return status.phase is Phase.AWAITING_VERSION and Environment.PROD not in status.serving


def elsewhere(status: Status) -> bool:
    """Whether the remedy has led out of production."""
    return status.stage != "production"


def restored(status: Status) -> bool:
    """Whether the first version serves again, and what replaced it does no more."""
    return steady_with(1)(status) and status.statuses.get(2) is VersionStatus.WITHDRAWN


def tight(status: Status) -> bool:
    """Whether a monitor looks more often, and nothing goes on."""
    return status.tightened is not None and status.phase is Phase.STEADY


def watched(remedy: Remedy, *edits: tuple[str, str]) -> Plan:
    """A monitor of two windows in a row, and what it starts."""
    text = trying.WATCHED
    for old, new in (("then: retrain", f"then: {remedy}"), *edits):
        assert old in text, old
        text = text.replace(old, new)
    return compile_template(text, f"{remedy}.yaml")


TRIED = (0, -1, 50, None)
RETRAINED = Story(watched(Remedy.RETRAIN), StepKind.TRAIN, steady_with(2), TRIED, (1, 2), elsewhere)
SUSPENDED = Story(watched(Remedy.SUSPEND), StepKind.STOP_SERVING, suspended, (), (1, None), suspended)
RESTORED = Story(watched(Remedy.ROLLBACK), StepKind.RESTORE, restored, TRIED, (1, 2, 1), restored, champions=2)
"""The window that the second version failed on came before the first serves again: that is asked nothing about it."""
OFTEN = (("every: 1h", "every: 1d"), ("brakes:", "tightened: 6h\n    brakes:"))
TIGHTENED = Story(watched(Remedy.TIGHTEN, *OFTEN), "tighten-", tight, (), (1,), tight, scheduled=True)
INVESTIGATED = Story(
    watched(Remedy.INVESTIGATE),
    "notify/investigate:",
    steady_with(1),
    (),
    (1,),
    steady_with(1),
    topic=Topic.INVESTIGATION,
    rests=True,
)
"""Nothing shows of it but what people are told."""


class Remediation:
    """A champion that is watched, two windows that fail, and what becomes of it while somebody dies."""

    def __init__(self, client: Client, root: Path, story: Story, mortal: tuple[Office, ...], *fatal: str) -> None:
        """`mortal` are one process, which dies at each of `fatal` in their order; the others are one that lives."""
        root.mkdir()
        self.story, self.mortal = story, mortal
        self.house = House(client, root, f"remedy-{story.remedy}-{'-'.join(mortal)}-{root.name}")
        self._fatal = fatal

    async def run(self) -> None:
        """Until nothing goes on any more."""
        house, story = self.house, self.story
        async with ended(house):
            async with Staff(house, STAGES, tuple(Office), scheduled=story.scheduled):
                await house.start(story.plan, task_timeout=NOTICED_WITHIN)
                for number in range(1, story.champions + 1):
                    await house.submit()
                    await eventually(house, steady_with(number))
                await self._arrive(0.6)
                await rested(house)
            marks = {"counting": True, "throughout": story.rests, "scheduled": story.scheduled}
            async with Staff(house, STAGES, self.mortal, *self._fatal, **marks) as staff:
                await self._arrive(0.7)
                await eventually(house, story.begins)
                await self._look_again()
                await eventually(house, story.ends)
                await staff.have_died()
                await rested(house)
                await check_invariants(house, story.plan)
                self._check()
                if story.scheduled:
                    await self._check_schedules()

    async def _arrive(self, drift: float) -> None:
        """A window on which the champion fails, and the look at it."""
        (self.house.root / f"{self.house.model}-{drift}.json").write_text(json.dumps({"drift": drift}))
        await self._look()

    async def _look(self) -> None:
        order = monitor_orders(self.house.model, self.story.plan)[0]
        check = f"look/{self.house.model}/{next(_numbers)}"
        async with asyncio.timeout(RECOVERED_WITHIN):
            await self.house.client.execute_workflow(
                "MonitorCheck", order, id=check, task_queue=self.house.queue, task_timeout=NOTICED_WITHIN
            )

    async def _look_again(self) -> None:
        """The schedule fires once more while the remedy is under way; where nothing serves, there is nothing to see."""
        with contextlib.suppress(WorkflowFailureError):
            await self._look()

    def _check(self) -> None:
        house, story = self.house, self.story
        trail = list(house.parts.inventory.trail(house.model))
        events = [JournalEntry.model_validate_json(entry.body) for entry in trail if entry.kind == "event"]
        breaches = [event.refusal for event in events if event.event.body.event == "breached"]
        assert breaches.count(None) == 1, breaches
        done = [effect for effect in effects(house) if effect.key.step.startswith(story.remedy)]
        assert len(done) == 1
        measured = [
            (change.window, change.version)
            for effect in effects(house)
            for change in effect.changes
            if isinstance(change, Measured)
        ]
        assert len(measured) == len(set(measured)) == 2
        told = list(unaddressed(message for entry in trail for message in announced(entry)))
        assert [one.topic for one in told if one.topic in (Topic.BREACH, Topic.INVESTIGATION)] == [story.topic]
        check_trial(house, story.given, story.served)

    async def _check_schedules(self) -> None:
        """The monitor's own, and one more, which ends when the record says."""
        house, (monitor,), status = self.house, self.story.plan.monitors, await self.house.status()
        scheduler = TemporalScheduler(house.client, "MonitorCheck", house.queue)
        often = house.client.get_schedule_handle(schedule_of(house.model, monitor.id, tightened=True))
        described = await often.describe()
        assert status.tightened is not None
        assert described.schedule.spec.end_at == status.tightened.until
        assert [one.every for one in described.schedule.spec.intervals] == [timedelta(seconds=monitor.tightened)]
        assert all(at <= status.tightened.until for at in described.info.next_action_times)
        (seen,) = (await scheduler.look(monitor_orders(house.model, self.story.plan))).values()
        assert (seen.differs, seen.paused) == ("", False)
        await scheduler.stop(house.model, self.story.plan)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("story", "mortal", "must"),
    [
        (RETRAINED, Office.WORKER, {"after trainer.train", "after inventory.commit_event"}),
        (RETRAINED, Office.ACTUATOR, {"after deployer.divide", "after deployer.deploy"}),
        (SUSPENDED, Office.WORKER, {"after inventory.commit_event"}),
        (SUSPENDED, Office.ACTUATOR, {"before deployer.withdraw", "after deployer.withdraw"}),
        (RESTORED, Office.WORKER, {"after inventory.commit_event"}),
        (RESTORED, Office.ACTUATOR, {"before deployer.deploy", "after deployer.deploy"}),
        (TIGHTENED, Office.WORKER, {"before schedules.tighten", "after schedules.tighten"}),
        (INVESTIGATED, Office.WORKER, {"before inventory.commit_effect", "after inventory.commit_effect (2)"}),
    ],
)
async def test_they_may_die_at_any_boundary_of_a_remedy(
    temporal: Client, tmp_path: Path, story: Story, mortal: Office, must: set[str]
) -> None:
    """Killed around or inside any change, from the look at a window on: one breach, one remedy, each effect once."""
    whole = Remediation(temporal, tmp_path / "whole", story, (mortal,))
    await whole.run()
    places = boundaries(whole.house, (mortal,))
    assert must <= set(places)
    found = await wrong(
        written(places), lambda room, fatal: Remediation(temporal, tmp_path / room, story, (mortal,), fatal)
    )
    assert found == {}


async def test_both_die_again_and_again_between_a_breach_and_the_new_champion(temporal: Client, tmp_path: Path) -> None:
    """With the window measured and the breach not told; the version trained, given its first share, and promoted, and
    none of it on record.
    """
    fatal = ("after inventory.commit_effect", "after trainer.train", "after deployer.divide", "after deployer.deploy")
    await Remediation(temporal, tmp_path / "again", RETRAINED, tuple(Office), *fatal).run()


async def test_both_die_while_a_champion_is_rolled_back(temporal: Client, tmp_path: Path) -> None:
    """With the window measured and the breach not told; the breach on record and nothing begun; the first version
    serving again, and that not on record.
    """
    fatal = ("after inventory.commit_effect", "after inventory.commit_event", "after deployer.deploy")
    await Remediation(temporal, tmp_path / "back", RESTORED, tuple(Office), *fatal).run()


async def test_they_die_while_a_monitor_is_tightened(temporal: Client, tmp_path: Path) -> None:
    """With the breach on record and nothing begun; with the second Schedule made, and that not on record."""
    fatal = ("after inventory.commit_event", "after schedules.tighten")
    await Remediation(temporal, tmp_path / "tight", TIGHTENED, tuple(Office), *fatal).run()
