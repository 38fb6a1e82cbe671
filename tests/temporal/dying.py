"""Processes that work for a house, of which one dies again and again: each time another takes its place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Protocol

from temporalio.service import RPCError

from tests.temporal.crashing_worker import Errand, Office, WorkerProcess
from tests.temporal.house import House
from tests.temporal.insisting import RECOVERED_WITHIN, SILENCE
from tests.temporal.invariants import going_on

AT_ONCE = 4
WRITTEN = (
    "before deployer.",
    "after deployer.",
    "before trainer.",
    "after trainer.",
    "before notary.",
    "after notary.",
    "before schedules.",
    "after schedules.",
    "before inventory.commit_",
    "in inventory.commit_",
    "after inventory.commit_",
)
"""Where something is about to be changed, half changed, or changed and not known to be."""


class Staff:
    """A process that is `mortal`, dies at each of `fatal` in their order, and then lives; the other offices live."""

    def __init__(
        self,
        house: House,
        stages: tuple[str, ...],
        mortal: tuple[Office, ...],
        *fatal: str,
        counting: bool = False,
        throughout: bool = False,
        scheduled: bool = False,
    ) -> None:
        """Boundaries count from the second version's first event in `stages`, or, `counting`, from the beginning.

        `throughout`: also once it is steady. `scheduled`: monitors are real Schedules.
        """
        self._house, self._stages, self._mortal, self._fatal = house, stages, mortal, fatal
        self._counting, self._throughout, self._scheduled = counting, throughout, scheduled
        self._processes: list[WorkerProcess] = []

    async def __aenter__(self) -> "Staff":
        if living := tuple(office for office in Office if office not in self._mortal):
            self._begin(living)
        self._dying = asyncio.create_task(self._die())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dying.cancel()
        await asyncio.gather(*(process.kill() for process in self._processes))

    async def have_died(self) -> None:
        """Whoever is left lives from now on; AssertionError if somebody was not killed at their boundary."""
        _, late = await asyncio.wait((self._dying,), timeout=RECOVERED_WITHIN)
        assert not late, "it was not killed at its boundary"
        await self._dying

    async def _die(self) -> None:
        for count, fatal in enumerate((*self._fatal, None)):
            process = self._begin(self._mortal, fatal, self._counting or count > 0)
            if fatal is not None:
                assert await process.died(), "it ended by itself"

    def _begin(self, offices: tuple[Office, ...], fatal: str | None = None, counting: bool = False) -> WorkerProcess:
        house = self._house
        address = house.client.service_client.config.target_host
        errand = Errand(
            address,
            house.queue,
            house.root,
            fatal,
            stages=self._stages,
            offices=offices,
            counting=counting,
            throughout=self._throughout,
            scheduled=self._scheduled,
        )
        process = WorkerProcess(errand)
        self._processes.append(process)
        return process


@contextlib.asynccontextmanager
async def ended(house: House) -> AsyncIterator[None]:
    """Whatever happens, the lifecycle ends with the block."""
    try:
        yield
    finally:
        with contextlib.suppress(RPCError):
            await house.handle.terminate("the test has ended")


async def rested(house: House) -> None:
    """Wait until nothing goes on."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(*SILENCE):
                if not await going_on(house):
                    return
            await asyncio.sleep(0.05)


class Ordeal(Protocol):
    """A story in which somebody dies."""

    async def run(self) -> None:
        """Until nothing goes on any more."""
        ...


async def wrong(fatal: Sequence[str], ordeal: Callable[[str, str], Ordeal]) -> dict[str, str]:
    """What went wrong where somebody died at each of these boundaries; some at a time, each in a room of its own."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def outcome(room: str, boundary: str) -> str:
        async with turn:
            try:
                await ordeal(room, boundary).run()
            except (AssertionError, TimeoutError, RPCError) as error:
                return f"{type(error).__name__}: {error}"
        return ""

    found = await asyncio.gather(*(outcome(f"at-{k}", boundary) for k, boundary in enumerate(fatal, 1)))
    return {f"{k}: {boundary}": error for k, (boundary, error) in enumerate(zip(fatal, found, strict=True), 1) if error}


def boundaries(house: House, mortal: tuple[Office, ...]) -> list[str]:
    """What whoever is mortal has passed, in order."""
    return (house.root / f"boundaries-{'-'.join(mortal)}.txt").read_text().splitlines()


def written(places: Iterable[str]) -> list[str]:
    """Those boundaries at which something is on its way to be written."""
    return [place for place in places if place.startswith(WRITTEN)]
