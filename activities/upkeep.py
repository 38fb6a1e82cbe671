"""How a champion is kept, as the record and the directory say it now."""

from datetime import datetime

from activities.ports import Directory, Inventory, Policies, Serving
from activities.reconciliation_ports import Findings
from models.clearance import Known
from models.entitlement import Claim, void
from models.errors import InvalidInputError
from models.monitoring import MonitorOrder
from models.plan import Plan
from models.policy import Policy
from models.taken import Taken
from models.upkeep import Kept, read, unheeded

_POLICY = "policy_changes"


class Upkeep:
    """Takes the process readings of a model."""

    def __init__(self, inventory: Inventory, directory: Directory, findings: Findings, policies: Policies) -> None:
        self._inventory = inventory
        self._directory = directory
        self._findings = findings
        self._policies = policies

    def read(self, order: MonitorOrder, serving: Serving, at: datetime) -> Taken:
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
        packs, why = self._unheeded(order, plan, at)
        kept = Kept(
            since=serving.since,
            void=void(claim, plan, ties, known),
            contradictions=sum(one.model == model for one in self._findings.findings()),
            policy=packs,
        )
        entries = (tied.entry for tied in ties)
        found = read(plan, model, self._inventory.model(model).owner, entries, kept, at)
        return Taken(found, {_POLICY: why} if why else {}, {_POLICY: ", ".join(packs)} if packs else {})

    def _unheeded(self, order: MonitorOrder, plan: Plan, at: datetime) -> tuple[tuple[str, ...] | None, str]:
        """The packs that a plan does not heed, or in words why they are not known."""
        try:
            packs = self._policies.packs()
        except InvalidInputError as error:
            return None, f"the policy packs cannot be read: {error}"
        return unheeded(plan, Policy(packs, at.date(), self._inventory.model(order.model))), ""
