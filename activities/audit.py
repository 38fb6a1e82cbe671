"""Events and plans enter the record, where no step takes the events along."""

import asyncio

from temporalio import activity

from activities.ports import Inventory, Prover
from models.journal import Journal
from models.plan import Plan


class AuditActivities:
    """Writes what the kernel decided: state and audit entry in one transaction."""

    def __init__(self, inventory: Inventory, prover: Prover) -> None:
        self._inventory = inventory
        self._prover = prover
        self._proving = asyncio.Lock()

    @activity.defn(name="record_events", no_thread_cancel_exception=True)
    def record_events(self, journal: Journal) -> None:
        """Each once per (model, seq)."""
        for entry in journal.entries:
            self._inventory.commit_event(entry)

    @activity.defn(name="record_plan")
    async def record_plan(self, plan: Plan) -> None:
        """Once per digest, and none that is not proved here, whoever says that it is: NotPermittedError.

        One proof at a time: each may take gigabytes and minutes, and steps must not wait for a thread meanwhile.
        """
        async with self._proving:
            await asyncio.to_thread(self._prover.prove, plan)
        await asyncio.to_thread(self._inventory.commit_plan, plan)
