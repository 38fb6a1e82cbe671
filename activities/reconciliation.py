"""One look at everything that must agree: what contradicts is a finding, on record until it holds no more."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.aliases import Aliases
from activities.reconciliation_ports import Environments, Executions, Findings
from activities.schedule_ports import Watches
from models.canonical import Frozen
from models.errors import UnavailableError
from models.inventory import Environment
from models.reconciliation import Expected, Finding, Observation, Shelf, findings, settled
from models.watching import unwatched


class Reconciled(Frozen):
    """What a look found: new findings, those that hold no more, and how many hold."""

    opened: tuple[Finding, ...]
    resolved: tuple[Finding, ...]
    holding: int


class ReconciliationActivities:
    """Compares the inventory with executions, environments and workers. It changes nothing but the findings.

    `queue` is that of the actuators. A contradiction counts if it is the same after `grace`: what is just being
    recorded is none.
    """

    def __init__(
        self,
        record: Findings,
        executions: Executions,
        environments: Environments,
        queue: str,
        expected: Expected,
        grace: timedelta,
        aliases: Aliases | None = None,
        undelivered: Callable[[], Collection[Finding]] = tuple,
        watches: Watches | None = None,
    ) -> None:
        self._record = record
        self._executions = executions
        self._environments = environments
        self._queue = queue
        self._expected = expected
        self._grace = grace
        self._aliases = aliases
        self._undelivered = undelivered
        self._watches = watches

    @activity.defn(name="reconcile")
    async def reconcile(self) -> Reconciled:
        """Look, look again at what is new, and record what has changed."""
        known = frozenset(await asyncio.to_thread(self._record.findings))
        seen = await self._look()
        if seen - known:
            await asyncio.sleep(self._grace.total_seconds())
            seen = settled(known, seen, await self._look())
        turned = await asyncio.to_thread(self._record.commit_findings, seen)
        return Reconciled(
            opened=tuple(turned.opened),
            resolved=tuple(turned.resolved),
            holding=len(turned.opened | turned.still),
        )

    async def _look(self) -> frozenset[Finding]:
        places = await asyncio.to_thread(self._record.places)
        live = [model for model, place in places.items() if not place.ended]
        seen = Observation(
            at=datetime.now(UTC),
            places=places,
            executions=await self._executions.look(live),
            recorded=await asyncio.to_thread(self._record.serving),
            serving=await asyncio.to_thread(self._shelves),
            pollers=await self._executions.pollers(self._queue),
        )
        waiting = frozenset(await asyncio.to_thread(self._undelivered))
        moved = await asyncio.to_thread(self._moved)
        return findings(seen, self._expected) | moved | waiting | await self._unwatched()

    async def _unwatched(self) -> frozenset[Finding]:
        if self._watches is None:
            return frozenset()
        orders = await asyncio.to_thread(self._record.watched)
        return frozenset(unwatched(orders, await self._watches.look(orders)))

    def _moved(self) -> frozenset[Finding]:
        return frozenset(self._aliases.findings()) if self._aliases else frozenset()

    def _shelves(self) -> Mapping[Environment, Shelf | None]:
        return {environment: self._shelf(environment) for environment in Environment}

    def _shelf(self, environment: Environment) -> Shelf | None:
        try:
            return self._environments.serves(environment)
        except UnavailableError:
            return None
