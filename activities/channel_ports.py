"""What delivery needs of the world: the outbox, channels that take messages, alerting systems that take alerts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from models.alerts import Alert, StandingBreach
from models.announcing import Message
from models.channels import Listener
from models.reconciliation import Finding
from models.tickets import Ticket


class Waiting(NamedTuple):
    """A message that is to be delivered through a channel, and how often that has failed."""

    id: int
    channel: str
    message: Message
    failures: int


class Outbox(Protocol):
    """Which message has gone through which channel."""

    def gather(self, channels: Mapping[str, Listener]) -> None:
        """Put what the audit trail has told since the last time into the channels that want it.

        A channel that is new hears of what happens from now on; all others are closed, and wait.
        """

    def due(self, channel: str, limit: int) -> Sequence[Waiting]:
        """What is to be tried now, the oldest first."""

    def claim(self, waiting: Waiting) -> bool:
        """Whether the message is ours to deliver now: nobody else tries it, whatever becomes of us, for a while."""

    def settle(self, waiting: Waiting, ticket: Ticket | None = None) -> None:
        """Record that a message was delivered, and by which ticket, if it made one."""

    def fail(self, waiting: Waiting, problem: str, pause: timedelta | None = None) -> None:
        """Record why a message was not delivered; it is due again after a while.

        With a `pause`, none of its channel is due earlier than that.
        """

    def clear(self) -> None:
        """Forget some of what was delivered long ago."""

    def undelivered(self) -> Collection[Finding]:
        """Channels that have failed to take a message too often, each as a finding."""


class Breaches(Protocol):
    """What monitors have found, of all models."""

    def breaches(self) -> Sequence[StandingBreach]:
        """Those that stand."""


class Channel(Protocol):
    """Takes messages. Asked twice with the same one, whoever receives can tell by its key."""

    def send(self, message: Message) -> Ticket | None:
        """Deliver it, and tell the ticket that it is, if it is one.

        UnavailableError if nothing gets through now, InvalidInputError if this one is refused.
        """


class Alarms(Protocol):
    """An alerting system, which knows which alerts fire."""

    def firing(self) -> Sequence[Alert]:
        """Those of ours; UnavailableError, InvalidInputError."""

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Have these fire, or end, by their times; UnavailableError, InvalidInputError."""

    def alert(self, breach: StandingBreach, at: datetime) -> Alert:
        """The alert of a breach."""
