"""From the audit trail through channels: each message once, whatever dies; what does not arrive is seen."""

import base64
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from activities.adapters.outbound_http import OutboundHttp
from activities.adapters.sql_outbox import SqlOutbox
from activities.adapters.webhook_notifier import WebhookNotifier
from activities.delivery import DeliveryActivities
from client.catalog import Catalog
from models.announcing import Message, Topic
from models.audit import EffectRecord
from models.channels import (
    APART,
    CLAIMED,
    FIRST_PAUSE,
    KEPT,
    LONGEST_PAUSE,
    UNDELIVERED_AFTER,
    Chat,
    Listener,
    ServiceNow,
)
from models.environments import Credentials
from models.errors import InvalidInputError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.inventory import Notified
from models.reconciliation import FindingKind
from models.tickets import Ticket
from tests.contract.sinks import http_sink
from tests.contract.story import Record, Tell

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"canary-of-a-secret-0123456789").decode()


def listening(*topics: Topic) -> Listener:
    """A channel for some topics, or for all."""
    return Chat(kind="chat", url=Credentials(env="X"), topics=topics or tuple(Topic))


class Receiver:
    """Fits `Channel`: keeps what it takes, and fails as told."""

    def __init__(self) -> None:
        self.taken = list[Message]()
        self.fails: Exception | None = None

    def send(self, message: Message) -> None:
        """Take it, unless told otherwise."""
        if self.fails:
            raise self.fails
        self.taken.append(message)


@pytest.fixture
def clock() -> list[datetime]:
    """What the time is: the last of the list."""
    return [NOON]


@pytest.fixture
def outbox(inventory_url: str, clock: list[datetime]) -> Iterator[SqlOutbox]:
    """On each database."""
    opened = SqlOutbox(inventory_url, clock=lambda: clock[-1])
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Receiver:
    """Where messages go."""
    return Receiver()


def delivering(outbox: SqlOutbox, receiver: Receiver, *topics: Topic) -> DeliveryActivities:
    """Rounds with one channel."""
    return rounds(outbox, {"ops": (listening(*topics), receiver)})


def rounds(outbox: SqlOutbox, channels: Mapping[str, tuple[Listener, Receiver]]) -> DeliveryActivities:
    """Rounds with some channels, which have heard of nothing yet."""
    wanted = {name: one for name, (one, _) in channels.items()}
    outbox.gather(wanted)
    return DeliveryActivities(outbox, NoBreaches(), wanted, {name: two for name, (_, two) in channels.items()}, {})


class NoBreaches:
    """Fits `Breaches`."""

    def breaches(self) -> tuple[()]:
        """None."""
        return ()


def notice(number: int, topic: str = "breach:{}") -> EffectRecord:
    """A notice of the kernel to the owner."""
    key = EffectKey(model="loan", visit=90, step=f"notify/{topic.format(number)}")
    told = Notified(recipient="olga", subject=f"loan: drift breached ({number})", body="")
    return EffectRecord(key=key, result=StepResult(summary="told olga"), changes=(told,))


def test_what_was_told_goes_out_once(
    outbox: SqlOutbox, receiver: Receiver, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Everybody whom the record says to be told, each once, in order; another round sends nothing."""
    deliver = delivering(outbox, receiver).deliver_messages
    record(tell("loan"))
    with Catalog(inventory_url) as catalog:
        people = catalog.notified("loan")
    assert deliver().sent == len(receiver.taken) > 0
    assert [one.recipient for one in receiver.taken if one.recipient] == people
    assert len({one.key for one in receiver.taken}) == len(receiver.taken)
    assert (deliver().sent, deliver().problems) == (0, {})


def test_a_new_channel_hears_of_what_happens_from_now_on(
    outbox: SqlOutbox, receiver: Receiver, record: Record, tell: Tell
) -> None:
    """Nobody gets years of messages because an administrator has added a channel."""
    record(tell("loan"))
    deliver = delivering(outbox, receiver).deliver_messages
    assert deliver().sent == 0
    record([notice(1)])
    assert deliver().sent == 1
    other = Receiver()
    both = rounds(outbox, {"ops": (listening(), receiver), "new": (listening(), other)})
    record([notice(2)])
    assert both.deliver_messages().sent == 1
    assert [one.subject for one in other.taken] == ["loan: drift breached (2)"]


def test_a_message_that_a_channel_stumbles_over_holds_up_nobody(outbox: SqlOutbox, record: Record) -> None:
    """Neither other channels nor the round: it is told as a defect, without whatever the error holds."""
    stumbling, other = Receiver(), Receiver()
    stumbling.fails = ValueError("hunter2")
    both = rounds(outbox, {"a": (listening(), stumbling), "b": (listening(), other)})
    record([notice(1), notice(2, "sla")])
    told = both.deliver_messages()
    assert (told.sent, len(other.taken)) == (2, 2)
    assert told.problems == {"a": "a defect of ours: ValueError"}


def test_a_channel_hears_of_its_topics(outbox: SqlOutbox, receiver: Receiver, record: Record, tell: Tell) -> None:
    """What a channel does not listen to is not sent there, then or later."""
    deliver = delivering(outbox, receiver, Topic.ESCALATION).deliver_messages
    record([*tell("loan"), notice(1, "sla"), notice(2)])
    assert deliver().sent == 1
    assert [one.topic for one in receiver.taken] == [Topic.ESCALATION]


def test_backs_off_and_becomes_a_finding(
    outbox: SqlOutbox, receiver: Receiver, record: Record, clock: list[datetime]
) -> None:
    """Tried after a while that doubles up to an hour; after five failures a finding; delivered, it is none any more."""
    deliver = delivering(outbox, receiver).deliver_messages
    record([notice(1, "sla")])
    receiver.fails = UnavailableError("channel 'ops' does not answer")
    for failures in range(1, 10):
        assert deliver().problems == {"ops": "channel 'ops' does not answer"}
        assert bool(outbox.undelivered()) == (failures >= UNDELIVERED_AFTER)
        pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
        clock.append(clock[-1] + pause - timedelta(seconds=1))
        assert deliver().problems == {}
        clock.append(clock[-1] + timedelta(seconds=1))
    assert pause == LONGEST_PAUSE
    (finding,) = outbox.undelivered()
    assert (finding.kind, finding.model, finding.about) == (FindingKind.UNDELIVERED, None, "ops")
    receiver.fails = None
    assert deliver().sent == 1
    assert list(outbox.undelivered()) == []


def test_one_channel_keeps_no_other_from_its_own(outbox: SqlOutbox, record: Record) -> None:
    """One that is down is asked once a round; one that refuses a message is given the next one."""
    down, refusing, sound = Receiver(), Receiver(), Receiver()
    down.fails, refusing.fails = UnavailableError("no"), InvalidInputError("never")
    channels = {name: (listening(), one) for name, one in {"a": down, "b": refusing, "c": sound}.items()}
    work = rounds(outbox, channels)
    record([notice(1, "sla"), notice(2, "escalate:0")])
    done = work.deliver_messages()
    assert (done.sent, done.problems) == (2, {"a": "no", "b": "never"})
    assert [len(outbox.due(name, 9)) for name in channels] == [1, 0, 0]


def test_a_storm_is_one_message(outbox: SqlOutbox, receiver: Receiver, record: Record, clock: list[datetime]) -> None:
    """Breaches of a model that wait together are one message, the newest; and the next one waits a while."""
    deliver = delivering(outbox, receiver).deliver_messages
    record([notice(number) for number in range(50)])
    assert deliver().sent == 1
    (first,) = receiver.taken
    assert (first.subject, first.more) == ("loan: drift breached (49)", 49)
    for number in range(50, 53):
        record([notice(number)])
        assert deliver().sent == 0
    clock.append(NOON + APART)
    assert deliver().sent == 1
    assert (receiver.taken[-1].subject, receiver.taken[-1].more) == ("loan: drift breached (52)", 2)


def test_a_channel_that_is_closed_keeps_what_waits(
    outbox: SqlOutbox, receiver: Receiver, record: Record, clock: list[datetime]
) -> None:
    """No finding of one that is not configured any more; opened again it delivers what waited, and hears of news."""
    deliver = delivering(outbox, receiver).deliver_messages
    record([notice(1, "escalate:{}")])
    receiver.fails = UnavailableError("no")
    for _ in range(UNDELIVERED_AFTER):
        deliver()
        clock.append(clock[-1] + LONGEST_PAUSE)
    assert len(outbox.undelivered()) == 1
    outbox.gather({})
    assert list(outbox.undelivered()) == []
    record([notice(2, "escalate:{}")])
    receiver.fails = None
    deliver = delivering(outbox, receiver).deliver_messages
    record([notice(3, "escalate:{}")])
    assert deliver().sent == 2
    assert [one.subject[-2:-1] for one in receiver.taken] == ["1", "3"]


def ticketing() -> Listener:
    """A channel that makes tickets."""
    return ServiceNow(
        kind="servicenow", url="http://127.0.0.1", user="x", password=Credentials(env="X"), topics=tuple(Topic)
    )


def test_a_message_is_claimed_by_one(outbox: SqlOutbox, record: Record, clock: list[datetime]) -> None:
    """Of those who would make a ticket of it one may; the rest, and whoever comes back after a crash, wait."""
    outbox.gather({"ops": ticketing()})
    record([notice(1)])
    outbox.gather({"ops": ticketing()})
    (waiting,) = outbox.due("ops", 9)
    assert [outbox.claim(waiting) for _ in range(3)] == [True, False, False]
    assert list(outbox.due("ops", 9)) == []
    record([notice(2)])
    outbox.gather({"ops": ticketing()})
    clock.append(NOON + CLAIMED + APART)
    again, newer = outbox.due("ops", 9)
    assert (again.id, again.failures, again.message) == (waiting.id, 1, waiting.message)
    assert newer.message.subject == "loan: drift breached (2)"
    assert not outbox.claim(waiting)
    assert outbox.claim(again)
    outbox.fail(again, "no")
    outbox.settle(newer, Ticket(id="INC1", url="https://x.example/1"))
    assert not outbox.claim(newer)


def test_one_thing_said_to_many_is_one_ticket(outbox: SqlOutbox, record: Record) -> None:
    """A chat tells each of them; a tracker has it once, for nobody in particular."""
    both = {"ops": ticketing(), "chat": listening()}
    outbox.gather(both)
    people = tuple(Notified(recipient=one, subject="look into it", body="") for one in ("rosa", "olga", "ana"))
    key = EffectKey(model="loan", visit=90, step="notify/investigate:drift")
    record([EffectRecord(key=key, result=StepResult(summary="told"), changes=people)])
    outbox.gather(both)
    (ticket,) = outbox.due("ops", 9)
    assert (ticket.message.recipient, ticket.message.more) == (None, 0)
    assert [one.message.recipient for one in outbox.due("chat", 9)] == ["rosa", "olga", "ana"]


def test_a_channel_that_asks_for_rest_has_it(outbox: SqlOutbox, receiver: Receiver, record: Record) -> None:
    """Nothing of it is due before the time that it named, at most an hour; other channels go on."""
    other = Receiver()
    both = rounds(outbox, {"ops": (listening(), receiver), "other": (listening(), other)})
    outbox.gather({"ops": listening(), "other": listening()})
    record([notice(1, "sla"), notice(2, "escalate:0")])
    receiver.fails = UnavailableError("channel 'ops' answers 429", pause=timedelta(days=2))
    assert (both.deliver_messages().sent, len(other.taken)) == (2, 2)
    assert list(outbox.due("ops", 9)) == []


@pytest.mark.parametrize(
    ("asked", "waits"), [(timedelta(minutes=7), timedelta(minutes=7)), (timedelta(9), LONGEST_PAUSE)]
)
def test_how_long_it_rests(
    outbox: SqlOutbox, receiver: Receiver, record: Record, clock: list[datetime], asked: timedelta, waits: timedelta
) -> None:
    """As long as it says; nobody silences a channel for days."""
    deliver = delivering(outbox, receiver).deliver_messages
    deliver()
    record([notice(1, "sla"), notice(2, "escalate:0")])
    receiver.fails = UnavailableError("busy", pause=asked)
    deliver()
    receiver.fails = None
    clock.append(NOON + waits - timedelta(seconds=1))
    assert deliver().sent == 0
    clock.append(NOON + waits)
    assert deliver().sent == 2


def test_what_was_delivered_long_ago_is_forgotten(
    outbox: SqlOutbox, receiver: Receiver, record: Record, clock: list[datetime], inventory_url: str
) -> None:
    """After three months, and it is sent no more; what still waits is kept, however long it does."""
    deliver = delivering(outbox, receiver).deliver_messages
    deliver()
    record([notice(1, "sla")])
    assert deliver().sent == 1
    receiver.fails = InvalidInputError("never")
    record([notice(2, "escalate:0")])
    deliver()
    with Catalog(inventory_url) as catalog:
        clock.append(NOON + KEPT)
        deliver()
        (before,) = catalog.deliveries()
        clock.append(NOON + KEPT + timedelta(seconds=1))
        deliver()
        (after,) = catalog.deliveries()
    assert (before.delivered, before.waiting) == (NOON, 1)
    assert (after.delivered, after.waiting) == (None, 1)
    receiver.fails = None
    clock.append(NOON + 2 * KEPT)
    assert [deliver().sent, deliver().sent] == [1, 0]
    assert [one.subject[-2:-1] for one in receiver.taken] == ["1", "2"]


def _dies_after_sending(database: str, url: str) -> None:
    outbox = SqlOutbox(database, clock=lambda: NOON)
    outbox.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    channel = WebhookNotifier(OutboundHttp("ops"), url, "acme", lambda: SECRET)
    wanted = {"ops": listening()}
    DeliveryActivities(outbox, NoBreaches(), wanted, {"ops": channel}, {}).deliver_messages()


@pytest.mark.parametrize("inventory_url", ["sqlite"], indirect=True)
def test_a_process_is_killed_after_sending(outbox: SqlOutbox, record: Record, inventory_url: str) -> None:
    """SIGKILL between what the receiver got and what is recorded: it gets the same once more, under the same id."""
    outbox.gather({"ops": listening()})
    record([notice(1)])
    with http_sink() as sink:
        child = multiprocessing.get_context("spawn").Process(target=_dies_after_sending, args=(inventory_url, sink.url))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert len(sink.posts) == 1
        channel = WebhookNotifier(OutboundHttp("ops"), sink.url, "acme", lambda: SECRET)
        work = DeliveryActivities(outbox, NoBreaches(), {"ops": listening()}, {"ops": channel}, {})
        assert [work.deliver_messages().sent for _ in range(2)] == [1, 0]
        first, second = (one.headers["webhook-id"] for one in sink.posts)
    assert first == second
