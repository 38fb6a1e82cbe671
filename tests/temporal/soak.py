"""Many lifecycles on one server, one worker and one actuator, which are killed at random again and again."""

import asyncio
import contextlib
import copy
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowUpdateFailedError

from client.catalog import Catalog
from client.examination import Examiner, open_dossier
from models.canonical import Frozen
from models.messages import Action, HandedIn
from models.plan import Plan
from models.signing import Envelope
from models.state import Phase
from models.status import Status
from tests.temporal.crashing_worker import Errand, Office, WorkerProcess
from tests.temporal.house import House, plan_of
from tests.temporal.insisting import ASKED_AGAIN_AFTER, SILENCE, insist, send, steady_with
from tests.temporal.invariants import Seen, look, of_house, of_model, seals

LOW = plan_of("low-risk")
CREDIT = plan_of("credit-high-risk")
APPROVERS = {"validation": ("dmitri", "rosa"), "staging": ("lena", "paul")}
AT_ONCE = 12
SETTLED_WITHIN = 60.0
REPLAYED = -1
"""The turn in which something is sent once more that has been answered."""
LOST_AFTER = timedelta(seconds=5)
"""A workflow task: less, and a busy machine is taken for a dead worker."""


class Figures(Frozen):
    """What a soak came to."""

    lifecycles: int
    seconds: float
    kills: dict[str, int]
    calls: int
    effects: int
    decisions: int
    refused: int
    unanswered: int
    retried: int
    violations: tuple[str, ...]

    def __str__(self) -> str:
        """For people."""
        rate = self.lifecycles / self.seconds
        killed = ", ".join(f"{office} {count} times" for office, count in sorted(self.kills.items()))
        return (
            f"{self.lifecycles} lifecycles in {self.seconds:.0f} s ({rate:.2f}/s); killed: {killed}\n"
            f"{self.effects} effects of {self.calls} calls; {self.decisions} decisions acknowledged, "
            f"{self.refused} forged or replayed ones refused, {self.unanswered} messages unanswered and sent again, "
            f"{self.retried} stuck steps retried; {len(self.violations)} violations"
        )


class Soak:
    """`credit` of every ten lifecycles ask people; new ones begin, and processes die, for so many seconds at most."""

    def __init__(self, client: Client, root: Path, seed: int, credit: int, seconds: float) -> None:
        self._house = House(client, root, f"soak-{seed}")
        self._chance, self._credit = random.Random(seed), credit
        self._end = time.monotonic() + seconds
        self._counted = Counter[str]()
        self._kills = Counter[str]()
        self._lived: list[tuple[House, Plan]] = []

    async def run(self, lifecycles: int, pause: float, kills: int) -> Figures:
        """Lead so many lives, with a kill after every `pause` seconds on average, so many at most; then look."""
        begun, turn = time.monotonic(), asyncio.Semaphore(AT_ONCE)
        processes = {office: self._process(office) for office in Office}
        killing = asyncio.create_task(self._kill(processes, pause, kills))
        try:
            await asyncio.gather(*(self._life(number, turn) for number in range(lifecycles)))
            seconds = time.monotonic() - begun
            killing.cancel()
            await asyncio.wait({killing})
            broken = await self._violations()
        finally:
            killing.cancel()
            await asyncio.gather(*(process.kill() for process in processes.values()))
        return self._figures(seconds, broken)

    def _process(self, office: Office) -> WorkerProcess:
        address = self._house.client.service_client.config.target_host
        return WorkerProcess(Errand(address, self._house.queue, self._house.root, version=0, offices=(office,)))

    async def _kill(self, processes: dict[Office, WorkerProcess], pause: float, kills: int) -> None:
        for _ in range(kills):
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * pause)
            if time.monotonic() > self._end:
                return
            office = self._chance.choice(list(Office))
            await processes[office].kill()
            self._kills[office] += 1
            processes[office] = self._process(office)

    # --- one life

    async def _life(self, number: int, turn: asyncio.Semaphore) -> None:
        async with turn:
            if time.monotonic() > self._end:
                return
            house, plan = self._member(number), CREDIT if number % 10 < self._credit else LOW
            await house.start(plan, task_timeout=LOST_AFTER)
            for version in range(1, self._chance.choice((1, 1, 2)) + 1):
                await self._insist(house, "submit_version", house.handed_in(house.version()))
                await self._decided(house, plan)
                await self._until(house, steady_with(version))
            self._lived.append((house, plan))

    def _member(self, number: int) -> House:
        """Another model of the same house."""
        member = copy.copy(self._house)
        member.model, member.made, member.acknowledged = f"{self._house.model}-{number}", 100 * number, []
        return member

    async def _decided(self, house: House, plan: Plan) -> None:
        for stage, people in APPROVERS.items() if plan is CREDIT else ():
            for person in people:
                await self._until(house, lambda s, at=stage: s.phase is Phase.DECIDING and s.stage == at)  # type: ignore[misc]
                good = await self._signed(house, person)
                await self._refused(house, await self._signed(house, "sam"))
                await self._insist(house, "decide", good)
                await self._refused(house, good)

    async def _signed(self, house: House, person: str) -> Envelope:
        while True:
            with contextlib.suppress(*SILENCE):
                return await house.decision(person)

    async def _refused(self, house: House, envelope: Envelope) -> None:
        """What must not count is sent; it may also go unanswered."""
        with contextlib.suppress(*SILENCE):
            try:
                await send(house, "decide", envelope, REPLAYED)
            except WorkflowUpdateFailedError:
                self._counted["refused"] += 1
            else:
                raise AssertionError("a forged or replayed decision was taken")

    async def _insist(self, house: House, name: str, message: Envelope | HandedIn) -> None:
        self._counted["unanswered"] += await insist(house, name, message)

    async def _until(self, house: House, what: Callable[[Status], bool]) -> None:
        """Wait; whoever is stuck is helped by the owner."""
        while True:
            with contextlib.suppress(*SILENCE):
                status = Status.model_validate(
                    await house.handle.query("status", result_type=Status, rpc_timeout=ASKED_AGAIN_AFTER)
                )
                if what(status):
                    return
                if status.phase is Phase.STUCK:
                    self._counted["retried"] += 1
                    with contextlib.suppress(WorkflowUpdateFailedError):
                        await send(house, "request", house.asked(Action.RETRY))
            await asyncio.sleep(0.2)

    # --- what is left

    async def _violations(self) -> tuple[str, ...]:
        turn, found = asyncio.Semaphore(AT_ONCE), list[str]()
        for house, plan, seen in await asyncio.gather(*(_seen(turn, *one) for one in self._lived)):
            found += [f"{house.model}: {one}" for one in of_model(house, plan, seen)]
        with Catalog(self._house.database) as catalog:
            dossiers = [open_dossier(catalog.record(house.model)) for house, _ in self._lived]
            examined = Examiner(catalog, seals(self._house)).conclude(dossiers, (), (), ())
        return (*found, *of_house(self._house), *(one.message for one in examined.findings))

    def _figures(self, seconds: float, broken: tuple[str, ...]) -> Figures:
        deployer = self._house.deployer
        return Figures(
            lifecycles=len(self._lived),
            seconds=seconds,
            kills=dict(self._kills),
            calls=len(deployer.calls()),
            effects=len(deployer.effects()),
            decisions=sum(len(house.acknowledged) for house, _ in self._lived),
            refused=self._counted["refused"],
            unanswered=self._counted["unanswered"],
            retried=self._counted["retried"],
            violations=broken,
        )


async def _seen(turn: asyncio.Semaphore, house: House, plan: Plan) -> tuple[House, Plan, Seen]:
    async with turn:
        return house, plan, await look(house, SETTLED_WITHIN)
