"""Messages go out, and alerts are as the record is: at least once each, and what fails is seen."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from temporalio import activity

from activities.channel_ports import Alarms, Breaches, Channel, Outbox
from models.alerts import resolved
from models.canonical import Frozen
from models.channels import Listener, Ticketing
from models.errors import ModelopsError, UnavailableError

AT_ONCE = 200
"""Of a channel in one round; the next one comes soon."""


class Delivered(Frozen):
    """What a round did: messages that went out, alerts that fire, and what did not get through, by channel."""

    sent: int
    firing: int
    problems: dict[str, str]


def _now() -> datetime:
    return datetime.now(UTC)


class DeliveryActivities:
    """Delivers what waits. `wanted` says what each channel of messages listens to."""

    def __init__(
        self,
        outbox: Outbox,
        breaches: Breaches,
        wanted: Mapping[str, Listener],
        channels: Mapping[str, Channel],
        alarms: Mapping[str, Alarms],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._outbox = outbox
        self._breaches = breaches
        self._wanted = wanted
        self._channels = channels
        self._alarms = alarms
        self._clock = clock

    @activity.defn(name="deliver_messages", no_thread_cancel_exception=True)
    def deliver_messages(self) -> Delivered:
        """One round: alerts first, then messages; a channel that is down keeps no other one from its own."""
        problems = dict[str, str]()
        firing = self._alert(problems)
        self._outbox.gather(self._wanted)
        sent = sum(self._serve(name, problems) for name in self._channels)
        self._outbox.clear()
        return Delivered(sent=sent, firing=firing, problems=problems)

    def _alert(self, problems: dict[str, str]) -> int:
        if not self._alarms:
            return 0
        at, breaches = self._clock(), self._breaches.breaches()
        for name, alarms in self._alarms.items():
            holding = tuple(alarms.alert(one, at) for one in breaches)
            try:
                alarms.tell((*holding, *resolved(alarms.firing(), holding, at)))
            except ModelopsError as error:
                problems[name] = str(error)
        return len(breaches)

    def _serve(self, name: str, problems: dict[str, str]) -> int:
        """How many went out; once a channel does not answer, the rest waits."""
        sent = 0
        for waiting in self._outbox.due(name, AT_ONCE):
            # Nobody who makes tickets can be asked to make one only once.
            if isinstance(self._wanted[name], Ticketing) and not self._outbox.claim(waiting):
                continue
            try:
                ticket = self._channels[name].send(waiting.message)
            except UnavailableError as error:
                problems[name] = str(error)
                self._outbox.fail(waiting, str(error), error.pause)
                break
            except Exception as error:
                # A message that a channel stumbles over must not silence the channel, or the others.
                said = str(error) if isinstance(error, ModelopsError) else f"a defect of ours: {type(error).__name__}"
                problems[name] = said
                self._outbox.fail(waiting, said)
            else:
                self._outbox.settle(waiting, ticket)
                sent += 1
        return sent
