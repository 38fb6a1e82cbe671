"""What starts by the clock, in our words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from models.monitoring import MonitorOrder
from models.plan import Plan
from models.watching import Watch


class Schedules(Protocol):
    """Monitors that run by the clock."""

    async def start(self, model: str, plan: Plan) -> Sequence[str]:
        """Have each monitor of the plan run on its own schedule, once, none tightened; the schedules' names."""

    async def tighten(self, order: MonitorOrder, until: datetime) -> None:
        """Have a monitor look as often as the order says until a moment (UTC), besides its schedule, which stays."""

    async def stop(self, model: str, plan: Plan) -> None:
        """End every schedule of each monitor of the plan; no error if there are none."""


class Watches(Protocol):
    """Monitors as the clock has them."""

    async def look(self, orders: Iterable[MonitorOrder]) -> Mapping[str, Watch]:
        """The schedules that there are of those, by name, compared with what they should be; UnavailableError."""
