"""Somebody else's registry, as configured: what the worker needs to follow it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from activities.adapters.mlflow_registry import MlflowRegistry
from activities.aliases import Aliases
from activities.ports import Inventory
from activities.registry import RegistryActivities
from activities.registry_ports import Lifecycles, Registry
from models.environments import Credentials
from models.plan import Plan
from models.registries import Governed
from worker.environments import demand_sight, environments_of
from worker.settings import Settings, read_secret


@dataclass(frozen=True)
class Elsewhere:
    """A registry, which model of ours governs each name in it, and what is demanded of a plan that begins for one."""

    registry: Registry
    governed: Mapping[str, Governed]
    demand: Callable[[Plan], None]

    def aliases(self, inventory: Inventory) -> Aliases:
        """What sets and compares its aliases."""
        return Aliases(inventory, self.registry, self.governed)

    def activities(self, inventory: Inventory, lifecycles: Lifecycles) -> RegistryActivities:
        """What hands in its versions."""
        return RegistryActivities(inventory, self.registry, lifecycles, self.governed, self.aliases(inventory))


def elsewhere_of(settings: Settings) -> Elsewhere | None:
    """The registry that is configured, if one is."""
    chosen = settings.mlflow
    if chosen is None:
        return None
    token = partial(read_secret, Credentials(env=chosen.token)) if chosen.token else None
    return Elsewhere(MlflowRegistry(chosen.url, token), chosen.models, partial(demand_sight, environments_of(settings)))
