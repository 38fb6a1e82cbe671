"""Readings that need no window of data: how a champion is kept, and how it answers."""

from datetime import datetime

from activities.ports import Inventory, Serving
from activities.service_ports import Service
from activities.upkeep import Upkeep
from models.errors import InvalidInputError, UnavailableError, UnmeasuredError
from models.formats import FORMATS
from models.metrics import period_before
from models.monitoring import MonitorOrder
from models.service import SERVED, read_service, unread
from models.statistics.figures import Unmeasured
from models.taken import NOTHING, Taken
from models.upkeep import KEPT

UNWINDOWED = KEPT | SERVED
"""What is read of the record, and of what serves."""


class Unwindowed:
    """Takes them, as far as a monitor asks."""

    def __init__(self, inventory: Inventory, upkeep: Upkeep, service: Service) -> None:
        self._inventory = inventory
        self._upkeep = upkeep
        self._service = service

    def kept(self, order: MonitorOrder, serving: Serving, at: datetime) -> Taken:
        """How the version that serves is kept, by the record at a moment (UTC); UnavailableError."""
        return NOTHING if KEPT.isdisjoint(order.monitor.checks) else self._upkeep.read(order, serving, at)

    def served(self, order: MonitorOrder, serving: Serving, at: datetime) -> Taken:
        """How it has answered over the last whole period of the monitor; UnmeasuredError."""
        if SERVED.isdisjoint(order.monitor.checks):
            return NOTHING
        form = self._inventory.submission(order.model, serving.version).format
        if FORMATS[form].elsewhere:
            return unread("others run the model: what it answers does not come by here")
        try:
            period = period_before(order.every, at)
            return read_service(self._service.read(order.environment, order.model, serving.version, period))
        except InvalidInputError as error:
            return unread(str(error))
        except UnavailableError as error:
            raise UnmeasuredError(Unmeasured.SOURCE_DOWN, str(error), error.remedy) from error
