"""What is known against the parts of versions, as configured: for the worker, and for those who only look."""

from activities.adapters.git_repositories import GitRepositories
from activities.adapters.osv_advisories import OsvAdvisories
from activities.adapters.python_source_scanner import PythonSourceScanner
from activities.ports import Advisories, ArtifactStore
from activities.supply import SupplyChain, SupplyPolicy
from worker.settings import Settings


def advisories_of(settings: Settings) -> Advisories:
    """The mirror of advisories."""
    return OsvAdvisories(settings.advisories)


def supply_policy_of(settings: Settings) -> SupplyPolicy:
    """What the installation allows."""
    return SupplyPolicy(settings.advisories_at_most, settings.licences)


def supply_of(settings: Settings, store: ArtifactStore) -> SupplyChain:
    """The scans of all that a version names."""
    repositories, policy = GitRepositories(settings.repositories), supply_policy_of(settings)
    return SupplyChain(store, advisories_of(settings), repositories, PythonSourceScanner(), policy)
