"""How a champion is kept, as the record and the directory say it now."""

from datetime import datetime

from activities.ports import Directory, Inventory, Serving
from activities.reconciliation_ports import Findings
from models.clearance import Known
from models.entitlement import Claim, void
from models.monitoring import MonitorOrder
from models.upkeep import Kept, read
from models.verdict import Reading


class Upkeep:
    """Takes the process readings of a model."""

    def __init__(self, inventory: Inventory, directory: Directory, findings: Findings) -> None:
        self._inventory = inventory
        self._directory = directory
        self._findings = findings

    def read(self, order: MonitorOrder, serving: Serving, at: datetime) -> tuple[Reading, ...]:
        """Every process reading of the version that serves, at a moment (UTC); UnavailableError."""
        model = order.model
        plan, ties = self._inventory.governing_plan(model), self._inventory.ties(model)
        known = Known(self._directory.electorate(plan.roles), self._directory.keyring(), None)
        claim = Claim(
            model=model,
            version=serving.version,
            artifact=self._inventory.earned(model, serving.version).artifact,
            bundle=serving.bundle,
            environment=order.environment,
        )
        kept = Kept(
            since=serving.since,
            void=void(claim, plan, ties, known),
            contradictions=sum(one.model == model for one in self._findings.findings()),
        )
        entries = (tied.entry for tied in ties)
        return read(plan, model, self._inventory.model(model).owner, entries, kept, at)
