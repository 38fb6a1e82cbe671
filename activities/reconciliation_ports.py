"""What a look at record, executions and environments needs of the world, in our words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from models.inventory import Environment
from models.monitoring import MonitorOrder
from models.reconciliation import Execution, Finding, Place, Shelf, Turned


class Findings(Protocol):
    """What the record says of all models at once, and what contradicts it."""

    def places(self) -> Mapping[str, Place]:
        """Where every lifecycle is, ended or not."""

    def serving(self) -> Mapping[Environment, Shelf]:
        """What serves where."""

    def watched(self) -> Sequence[MonitorOrder]:
        """What each monitor of a version that serves looks at, as its plan says."""

    def findings(self) -> Sequence[Finding]:
        """Those that hold."""

    def commit_findings(self, seen: frozenset[Finding]) -> Turned:
        """Record what was seen, in one transaction: an audit entry for each finding that is new or holds no more."""


class Executions(Protocol):
    """Lifecycles as the engine knows them."""

    async def look(self, models: Iterable[str]) -> Mapping[str, Execution]:
        """The executions of some models, with their places, and every other one that is open."""

    async def pollers(self, queue: str) -> frozenset[str]:
        """The identities that have polled a task queue lately."""


class Environments(Protocol):
    """What really serves, for whoever only looks."""

    def serves(self, environment: Environment) -> Shelf:
        """What serves in an environment; UnavailableError."""
