"""The alias `champion` in somebody else's registry follows our record; one that is moved by hand is found."""

from collections.abc import Iterator, Mapping

from activities.ledger import Ledger, Outcome
from activities.ports import Inventory
from activities.registry_ports import Registry, RegistryVersion
from models.errors import ModelopsError, UnavailableError, UnknownNameError
from models.evidence import EffectKey, StepResult
from models.inventory import Submission
from models.messages import HandedIn
from models.reconciliation import Finding
from models.registries import Governed, Pointing, address, moved, silent

STEP = "point-alias"


class Aliases:
    """Sets an alias once for each reign of a champion: what it is afterwards, if it differs, somebody else has done."""

    def __init__(self, inventory: Inventory, registry: Registry, governed: Mapping[str, Governed]) -> None:
        """`governed` says which model governs each registered name."""
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._registry = registry
        self._governed = governed

    def follow(self) -> None:
        """Have each alias point to the present champion, unless that was done in this reign; UnavailableError."""
        for name, one in self._governed.items():
            if key := self._reign(one.model):
                self._ledger.once(key, lambda name=name, model=one.model: self._point(name, model))  # type: ignore[misc]

    def findings(self) -> Iterator[Finding]:
        """Every alias that is not where we had it point."""
        for name, one in self._governed.items():
            key = self._reign(one.model)
            done = self._inventory.effect(key) if key else None
            if done is None:
                continue
            ours = (done.endpoint or "").removeprefix(address(name, None)).removeprefix("/") or None
            try:
                yield from moved(Pointing(name, one.model, self._registry.champion(name), ours))
            except UnavailableError:
                yield silent(name, one.model)

    def _reign(self, model: str) -> EffectKey | None:
        """What names the present reign of a model's champion, outside of all visits; None if it never had one."""
        try:
            since = self._inventory.reign(model).since
        except UnknownNameError:
            return None
        return EffectKey(model=model, visit=0, step=f"{STEP}-{since}") if since else None

    def _point(self, name: str, model: str) -> Outcome:
        champion = self._inventory.reign(model).champion
        number = self._number(name, self._inventory.submission(model, champion)) if champion else None
        if self._registry.champion(name) != number:
            self._registry.point(name, number)
        target = address(name, number)
        return StepResult(summary=f"alias 'champion' of '{name}' points to {target}", endpoint=target), []

    def _number(self, name: str, submission: Submission) -> str | None:
        """The newest version there that was handed in as the champion was; None if the champion came another way."""
        versions = reversed(self._registry.versions(name))
        return next((one.number for one in versions if _submitted(self._registry, one) == submission), None)


def _submitted(registry: Registry, version: RegistryVersion) -> Submission | None:
    try:
        return HandedIn.model_validate_json(registry.document(version) or b"").submission
    except UnavailableError:
        raise
    except (ModelopsError, ValueError):
        return None
