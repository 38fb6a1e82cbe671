"""A challenger is tried, elected and promoted, or stopped, with worker and actuator killed at any moment of it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from models.audit import EffectRecord
from models.compiler import compile_template
from models.inventory import Divided, Environment, VersionStatus
from models.plan import Plan
from models.status import Status
from tests.temporal.crashing_worker import NOTICED_WITHIN, Errand, Office, WorkerProcess
from tests.temporal.doubles import Division, ScriptedTraffic
from tests.temporal.house import House
from tests.temporal.insisting import RECOVERED_WITHIN, eventually, steady_with
from tests.temporal.invariants import check_invariants
from tests.unit import trying

AT_ONCE = 4
STAGES = ("challenge", "production")
WRITTEN = (
    "before deployer.",
    "after deployer.",
    "before notary.",
    "after notary.",
    "before inventory.commit_",
    "in inventory.commit_",
    "after inventory.commit_",
)
"""Where something is about to be changed, half changed, or changed and not known to be."""


class Story(NamedTuple):
    """What is tried, how it ends, and what production was told by then: shares (-1: copies, None: none), versions."""

    plan: Plan
    errors: float
    ends: Callable[[Status], bool]
    given: tuple[int | None, ...]
    served: tuple[int, ...]


def stopped(status: Status) -> bool:
    """Whether the challenger was turned away, and the champion serves on."""
    return steady_with(1)(status) and status.statuses.get(2) is VersionStatus.REJECTED


ELECTED = Story(compile_template(trying.ALONE, "electing.yaml"), 0.0, steady_with(2), (0, -1, 50, None), (1, 2))
STOPPED = Story(
    compile_template(trying.ALONE.replace(trying.SHADOW, ""), "stopping.yaml"), 0.5, stopped, (0, 50, None), (1,)
)


class Trial:
    """A champion, and a challenger beside it, by a worker and an actuator that die one after the other."""

    def __init__(self, client: Client, root: Path, story: Story, mortal: tuple[Office, ...], *fatal: int | str) -> None:
        """`mortal` are one process, which dies at each of `fatal` in their order; the others are one that lives."""
        root.mkdir()
        self.story = story
        self.house = House(client, root, f"trial-{root.name}")
        self._mortal, self._fatal = mortal, fatal
        self._living = tuple(office for office in Office if office not in mortal)

    def _process(
        self, offices: tuple[Office, ...], fatal: int | str | None = None, again: bool = False
    ) -> WorkerProcess:
        house = self.house
        address = house.client.service_client.config.target_host
        return WorkerProcess(
            Errand(address, house.queue, house.root, fatal, stages=STAGES, offices=offices, counting=again)
        )

    async def run(self) -> None:
        """Until nothing goes on any more."""
        house, story = self.house, self.story
        assert isinstance(house.actuator_parts.traffic, ScriptedTraffic)
        house.actuator_parts.traffic.write(4_000, story.errors)
        processes = [self._process(self._living)] if self._living else []
        dying = asyncio.create_task(self._die(processes))
        try:
            await house.start(story.plan, task_timeout=NOTICED_WITHIN)
            await house.submit()
            await eventually(house, steady_with(1))
            await house.submit()
            await eventually(house, story.ends)
            _, late = await asyncio.wait((dying,), timeout=RECOVERED_WITHIN)
            assert not late, "it was not killed at its boundary"
            await dying
            await check_invariants(house, story.plan)
            self._check()
        finally:
            dying.cancel()
            await asyncio.gather(*(process.kill() for process in processes))
            with contextlib.suppress(RPCError):
                await house.handle.terminate("the test has ended")

    async def _die(self, processes: list[WorkerProcess]) -> None:
        """Each process that dies is followed by the next one, and the last one lives."""
        for count, fatal in enumerate((*self._fatal, None)):
            process = self._process(self._mortal, fatal, again=count > 0)
            processes.append(process)
            if fatal is not None:
                assert await process.died(), "it ended by itself"

    def _check(self) -> None:
        """Production was told each thing once, or again under its key alone; the record knows of each share once."""
        deployer, story = self.house.deployer, self.story
        tried = [one for one in deployer.divisions() if one.key.step.startswith("trial")]
        given = list(dict.fromkeys(str(one.key) for one in tried))
        assert [_share(next(one for one in tried if str(one.key) == key)) for key in given] == list(story.given)
        assert [str(one.key) for one, after in pairwise(tried) if one != after] == given[:-1]
        assert [one.share for one in self._divided()] == [max(0, share or 0) for share in story.given[1:]]
        served = [one.version for one in deployer.effects() if one.environment is Environment.PROD]
        assert served == list(story.served)

    def _divided(self) -> Iterator[Divided]:
        for entry in self.house.parts.inventory.trail(self.house.model):
            if entry.kind == "effect":
                changes = EffectRecord.model_validate_json(entry.body).changes
                yield from (change for change in changes if isinstance(change, Divided))

    @property
    def boundaries(self) -> list[str]:
        """What was passed from the trial's beginning to its end."""
        return (self.house.root / f"boundaries-{'-'.join(self._mortal)}.txt").read_text().splitlines()


def _share(one: Division) -> int | None:
    return None if one.split is None else -1 if one.split.mirrored else one.split.share


async def outcome(turn: asyncio.Semaphore, trial: Trial) -> str:
    """What went wrong with a trial."""
    async with turn:
        try:
            await trial.run()
        except (AssertionError, TimeoutError, RPCError) as error:
            return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("mortal", "must"),
    [
        (Office.ACTUATOR, {"before deployer.divide", "in inventory.commit_effect, before its transaction commits"}),
        (Office.WORKER, {"after inventory.commit_event"}),
    ],
)
@pytest.mark.parametrize("story", [ELECTED, STOPPED], ids=["elected", "stopped"])
async def test_they_may_die_at_any_boundary_of_a_trial(
    temporal: Client, tmp_path: Path, story: Story, mortal: Office, must: set[str]
) -> None:
    """Killed around or inside any change, the challenger is given each share once, and ends as the figures say."""
    whole = Trial(temporal, tmp_path / "whole", story, (mortal,))
    await whole.run()
    places = whole.boundaries
    assert must <= set(places)
    turn = asyncio.Semaphore(AT_ONCE)
    fatal = [k for k, place in enumerate(places, 1) if place.startswith(WRITTEN)]
    trials = (Trial(temporal, tmp_path / f"at-{k}", story, (mortal,), k) for k in fatal)
    outcomes = await asyncio.gather(*(outcome(turn, trial) for trial in trials))
    wrong = {f"{k}: {places[k - 1]}": error for k, error in zip(fatal, outcomes, strict=True) if error}
    assert wrong == {}


async def test_both_die_again_and_again_while_a_challenger_is_tried(temporal: Client, tmp_path: Path) -> None:
    """After it was validated, after its first share before that is on record, and after its promotion likewise."""
    fatal = ("after inventory.commit_effect", "after deployer.divide", "after deployer.deploy")
    await Trial(temporal, tmp_path / "again", ELECTED, tuple(Office), *fatal).run()
