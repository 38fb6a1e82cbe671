"""Tickets: one for each message, a comment for what belongs to it, and no secret in what goes wrong."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import pytest

from activities.adapters.sql_outbox import SqlOutbox
from activities.channel_ports import Channel
from activities.delivery import DeliveryActivities
from client.catalog import Catalog
from models.announcing import Message, Topic
from models.audit import EffectRecord
from models.channels import CLAIMED, Jira, Listener
from models.environments import Credentials
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.inventory import Notified
from models.tickets import Ticket, signature
from tests.contract.ci_runs import Host, host
from tests.contract.serving import free_port
from tests.contract.story import Record
from tests.contract.test_channels import keeps_its_secrets
from tests.contract.test_outbox import NOON, NoBreaches
from tests.contract.trackers import SOURCE, TRACKERS, Tracker, tracking

__all__ = ["host"]

MESSAGE = Message(
    key="17.0",
    topic=Topic.INVESTIGATION,
    model="loan",
    recipient="rosa",
    subject="loan: drift breached\n(psi 0.4 > 0.2)",
    body="`modelops monitor show loan` says more.\n\nÜnïcode, [code]<b>too</b>[/code].",
    at=datetime(2026, 3, 2, 12, tzinfo=UTC),
)
THREADED = MESSAGE.model_copy(update={"thread": "investigation/loan"})


class Rig(NamedTuple):
    """A tracker, a channel to it, and how others are made."""

    tracker: Tracker
    channel: Channel
    connect: Callable[..., Channel]
    url: str


@pytest.fixture(params=TRACKERS)
def rig(request: pytest.FixtureRequest, host: Host) -> Iterator[Rig]:
    """Each in its turn."""
    connect = TRACKERS[request.param][1]
    with tracking(request.param, host) as tracker:
        yield Rig(tracker, connect(host.url), connect, host.url)


def another(key: str, of: Message = THREADED) -> Message:
    """A later message of the same thread."""
    return of.model_copy(update={"key": key, "subject": f"loan: drift again ({key})"})


def test_a_message_is_one_ticket_however_often_it_is_sent(rig: Rig) -> None:
    """Sent again it is the same one; another message is another one. People see all of it, and its address."""
    first = rig.channel.send(MESSAGE)
    assert rig.channel.send(MESSAGE) == first
    assert rig.channel.send(MESSAGE.model_copy(update={"key": "18.0"})) != first
    assert len(rig.tracker.tickets) == 2
    said, _ = rig.tracker.texts()
    assert all(part in said for part in ("drift breached", "psi 0.4", "Ünïcode", signature(SOURCE, MESSAGE)))
    assert first
    assert first.id in ("ML-1", "INC0000001")
    assert first.url.startswith(f"{rig.url}/")


def test_a_ticket_that_is_done_is_still_the_messages_own(rig: Rig) -> None:
    """Whoever was quick to close it is not asked a second time."""
    first = rig.channel.send(MESSAGE)
    rig.tracker.tickets[0].done = True
    assert rig.channel.send(MESSAGE) == first
    assert len(rig.tracker.tickets) == 1


def test_a_thread_is_one_ticket_as_long_as_it_is_open(rig: Rig) -> None:
    """What comes later is added to it, once; after it was closed, there is a new one."""
    first = rig.channel.send(THREADED)
    for _ in range(2):
        assert rig.channel.send(another("18.0")) == first
        assert rig.channel.send(another("19.0")) == first
    assert [len(one.notes) for one in rig.tracker.tickets] == [2]
    rig.tracker.tickets[0].done = True
    second = rig.channel.send(another("20.0"))
    assert second != first
    assert rig.channel.send(another("21.0")) == second
    assert [len(one.notes) for one in rig.tracker.tickets] == [2, 1]


def test_a_long_history_hides_no_ticket(rig: Rig) -> None:
    """Behind more tickets that are done than a search answers with, its own and the open one are still found."""
    for number in range(55):
        rig.channel.send(another(f"{number}.0"))
        rig.tracker.tickets[-1].done = True
    newest = rig.channel.send(another("90.0"))
    assert rig.channel.send(another("90.0")) == newest
    assert rig.channel.send(another("91.0")) == newest
    assert len(rig.tracker.tickets) == 56


def test_no_journal_takes_words_for_html(rig: Rig) -> None:
    """What somebody wrote is shown and not carried out."""
    rig.channel.send(THREADED)
    rig.channel.send(another("18.0").model_copy(update={"body": "[code]<script>[/code]"}))
    (notes,) = [one.notes for one in rig.tracker.tickets]
    assert not any(isinstance(one, str) and "[code]" in one for one in notes)


def test_what_is_too_long_is_cut(rig: Rig) -> None:
    """A headline and a text that no tracker takes whole; by which message it was made is still to be read."""
    long = MESSAGE.model_copy(update={"subject": "drift " * 100, "body": "x " * 40_000})
    assert rig.channel.send(long) == rig.channel.send(long)
    assert len(rig.tracker.tickets) == 1
    assert signature(SOURCE, long) in rig.tracker.texts()[0]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, InvalidInputError),
        (401, InvalidInputError),
        (403, InvalidInputError),
        (404, InvalidInputError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_tells_refused_from_busy(rig: Rig, status: int, expected: type[ModelopsError]) -> None:
    """Each status as other channels have it; the tracker's own words are not told."""
    rig.tracker.status, rig.tracker.raw = status, b"canary"
    with pytest.raises(ModelopsError, match=f"'ops'.* {status}") as caught:
        rig.channel.send(MESSAGE)
    assert type(caught.value) is expected
    keeps_its_secrets(caught.value)


@pytest.mark.parametrize("after", ["120", "", "soon", "-5"])
def test_hears_how_long_it_has_to_wait(rig: Rig, after: str) -> None:
    """Retry-After in seconds; whatever is no number or date says nothing."""
    rig.tracker.status, rig.tracker.headers = 429, {"Retry-After": after}
    with pytest.raises(UnavailableError) as caught:
        rig.channel.send(MESSAGE)
    assert caught.value.pause == (timedelta(seconds=120) if after == "120" else None)


def test_hears_until_when_it_has_to_wait(rig: Rig) -> None:
    """Retry-After as a date (RFC 9110)."""
    rig.tracker.status = 503
    rig.tracker.headers = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}
    with pytest.raises(UnavailableError) as caught:
        rig.channel.send(MESSAGE)
    assert caught.value.pause
    assert timedelta(minutes=59) < caught.value.pause <= timedelta(hours=1)


def test_a_stranger_is_refused(rig: Rig) -> None:
    """A wrong secret makes no ticket, and is not repeated."""
    with pytest.raises(InvalidInputError, match="401") as caught:
        rig.connect(rig.url, token="canary-of-a-wrong-one").send(MESSAGE)
    keeps_its_secrets(caught.value)
    assert rig.tracker.tickets == []


def test_a_place_that_is_not_there_is_refused(rig: Rig) -> None:
    """Another type of issue, another table: nothing is made."""
    other = {"issue_type": "Epic"} if rig.channel.send(MESSAGE).id.startswith("ML") else {"table": "problem"}  # type: ignore[union-attr]
    with pytest.raises(InvalidInputError, match="400") as caught:
        rig.connect(rig.url, **other).send(another("18.0", MESSAGE))
    keeps_its_secrets(caught.value)
    assert len(rig.tracker.tickets) == 1


def test_nobody_and_nonsense(rig: Rig) -> None:
    """Silence, and an answer that is none, may pass another time."""
    with pytest.raises(UnavailableError, match="does not answer") as silent:
        rig.connect(f"http://127.0.0.1:{free_port()}").send(MESSAGE)
    rig.tracker.status, rig.tracker.raw = 200, b"<html>canary</html>"
    with pytest.raises(UnavailableError, match="something else") as odd:
        rig.channel.send(MESSAGE)
    for caught in (silent, odd):
        keeps_its_secrets(caught.value)


class Crash(BaseException):
    """The worker is gone."""


class Dying:
    """Fits `Channel`: the ticket is made, and nobody is told."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message: Message) -> Ticket | None:
        """It happens here."""
        self._channel.send(message)
        raise Crash


LISTENS: Listener = Jira(
    kind="jira", url="http://127.0.0.1", project="ML", user="robot", token=Credentials(env="X"), topics=tuple(Topic)
)


def asked(*recipients: str) -> EffectRecord:
    """The kernel has people look into something."""
    told = tuple(Notified(recipient=one, subject="loan: look into it", body="") for one in recipients)
    key = EffectKey(model="loan", visit=90, step="notify/investigate:drift")
    return EffectRecord(key=key, result=StepResult(summary="told"), changes=told)


@pytest.mark.parametrize("inventory_url", ["sqlite"], indirect=True)
def test_a_crash_makes_no_second_ticket(rig: Rig, inventory_url: str, record: Record) -> None:
    """Made, and the worker is dead: it is looked for only when a search finds it; which one it is, is then known."""
    clock = [NOON]
    outbox = SqlOutbox(inventory_url, clock=lambda: clock[-1])
    outbox.gather({"ops": LISTENS})
    record([asked("rosa", "olga", "ana")])

    def round_with(channel: Channel) -> int:
        return DeliveryActivities(outbox, NoBreaches(), {"ops": LISTENS}, {"ops": channel}, {}).deliver_messages().sent

    rig.tracker.unseen = 1
    with pytest.raises(Crash):
        round_with(Dying(rig.channel))
    assert round_with(rig.channel) == 0
    rig.tracker.unseen = 0
    with Catalog(inventory_url) as catalog:
        (through,) = catalog.deliveries()
        assert (through.waiting, "what became of it" in (through.problem or "")) == (1, True)
        clock.append(NOON + CLAIMED)
        assert [round_with(rig.channel), round_with(rig.channel)] == [1, 0]
        assert len(rig.tracker.tickets) == 1
        (ticket,) = catalog.tickets("loan")
        (through,) = catalog.deliveries()
    assert through.ticket == ticket
    assert ticket.id in ("ML-1", "INC0000001")
    outbox.close()
