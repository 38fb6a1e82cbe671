"""How versions answer where they serve, in our words."""

from typing import Protocol

from models.canonical import Slug
from models.inventory import Environment
from models.metrics import Period
from models.service import ServiceReport


class Service(Protocol):
    """Where versions serve: it is asked, and never changed."""

    def read(self, environment: Environment, model: Slug, version: int, period: Period) -> ServiceReport:
        """What a version was asked in a period; UnavailableError, InvalidInputError if nobody tells it there."""
