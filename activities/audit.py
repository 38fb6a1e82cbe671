"""Events and plans enter the record, where no step takes the events along."""

import asyncio

from temporalio import activity

from activities.ledger import demand_own
from activities.ports import Inventory, Prover
from models.audit import verify_chain
from models.canonical import Frozen, Slug
from models.errors import InvalidInputError, NotPermittedError
from models.journal import Journal, LifecycleInput
from models.plan import Plan
from models.rebuilding import disagreements, resumed


class Beginning(Frozen):
    """A lifecycle that begins: of which model, who is said to own it, and by which plan."""

    model: Slug
    owner: Slug
    plan: Plan


class AuditActivities:
    """Writes what the kernel decided: state and audit entry in one transaction."""

    def __init__(self, inventory: Inventory, prover: Prover) -> None:
        self._inventory = inventory
        self._prover = prover
        self._proving = asyncio.Lock()

    @activity.defn(name="record_events", no_thread_cancel_exception=True)
    def record_events(self, journal: Journal) -> None:
        """Each once per (model, seq), for the model's own lifecycle alone."""
        for model in {entry.model for entry in journal.entries}:
            demand_own(model, journal.entries)
        for entry in journal.entries:
            self._inventory.commit_event(entry)

    @activity.defn(name="record_plan")
    async def record_plan(self, beginning: Beginning) -> None:
        """Once per digest, and none that is not proved here, whoever says that it is: NotPermittedError.

        Nor one of a lifecycle that says somebody owns the model who does not. One proof at a time: each may take
        gigabytes and minutes, and steps must not wait for a thread meanwhile.
        """
        owner = (await asyncio.to_thread(self._inventory.model, beginning.model)).owner
        if beginning.owner != owner:
            raise NotPermittedError(
                f"'{beginning.model}' is owned by {owner}, not by {beginning.owner}", "start it with `modelops`"
            )
        async with self._proving:
            await asyncio.to_thread(self._prover.prove, beginning.plan)
        await asyncio.to_thread(self._inventory.commit_plan, beginning.plan)

    @activity.defn(name="confirm_state", no_thread_cancel_exception=True)
    def confirm_state(self, claimed: LifecycleInput) -> None:
        """Whether the record leads to just what a rebuilt lifecycle is to go on from; NotPermittedError if not."""
        try:
            recorded = self._recorded(claimed.state.model)
        except InvalidInputError as error:
            raise NotPermittedError(str(error), error.remedy) from error
        found = tuple(disagreements(claimed, recorded))
        if found:
            raise NotPermittedError("; ".join(found), f"`modelops rebuild {claimed.state.model}` reads the record anew")

    def _recorded(self, model: str) -> LifecycleInput:
        head = self._inventory.head()
        if problems := verify_chain(self._inventory.entries(), head):
            raise NotPermittedError(f"the audit trail does not hold: {problems[0].message}", "restore the database")
        recorded = resumed(model, self._inventory.governing_plan(model), self._inventory.trail(model))
        state, kept = recorded.state, self._inventory.visit(model)
        if kept != (state.stage, state.visit):
            led = f"stage '{state.stage}', visit {state.visit}"
            raise NotPermittedError(
                f"the trail leads to {led}; the inventory says '{kept[0]}', visit {kept[1]}", "restore the database"
            )
        return recorded
