"""One suite for every channel: it delivers, says what is wrong, waits for nobody, and keeps its secrets."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from activities.adapters.chat_notifier import ChatNotifier
from activities.adapters.outbound_http import OutboundHttp
from activities.adapters.smtp_notifier import SmtpNotifier
from activities.adapters.webhook_notifier import WebhookNotifier
from activities.channel_ports import Channel
from models.announcing import Message, Topic
from models.channels import Login, Mail
from models.environments import Credentials
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.people import People, Person
from tests.contract.serving import free_port
from tests.contract.sinks import (
    PASSWORD,
    USER,
    HttpSink,
    MailSink,
    Manners,
    certificate_in,
    http_sink,
    mail_sink,
)

KINDS = ("mail", "webhook", "chat")
SECRET = "whsec_" + base64.b64encode(b"canary-of-a-secret-0123456789").decode()
PATH = "/services/canary-of-an-address"
SOURCE = "acme"
PATIENCE = 0.5
MESSAGE = Message(
    key="17.0",
    topic=Topic.BREACH,
    model="loan",
    recipient="rosa",
    subject="loan: drift breached (psi 0.4 > 0.2); remedy: retrain",
    body="`modelops monitor show loan` says more. Ünïcode, too.",
    at=datetime(2026, 3, 2, 12, tzinfo=UTC),
)


def people() -> People:
    """One person."""
    return People(people={"rosa": Person(name="Rosa", email="rosa@example.com", groups=())})


@dataclass
class Rig:
    """A channel, its receiver, and where nobody listens."""

    channel: Channel
    nobody: Channel
    sink: HttpSink | MailSink

    def received(self) -> list[str]:
        """All that arrived, each as text."""
        if isinstance(self.sink, HttpSink):
            return [json.dumps(json.loads(one.body), ensure_ascii=False) for one in self.sink.posts]
        parsed = [message_from_bytes(content, policy=policy.default) for _, content in self.sink.mails]
        return [f"{one['Message-ID']} {one['Subject']}\n{one.get_content()}" for one in parsed]


def mail(port: int, certificate: Path, password: str = PASSWORD, to: str = "ops@example.com") -> SmtpNotifier:
    """A channel to a mail server of this machine."""
    settings = Mail(
        kind="mail",
        host="localhost",
        port=port,
        authority=str(certificate),
        login=Login(user=USER, password=Credentials(env="X")),
        sender="modelops@example.com",
        to=(to,),
        topics=(Topic.BREACH,),
    )
    return SmtpNotifier("ops", settings, SOURCE, people, lambda: password, PATIENCE)


def over_http(kind: str, url: str) -> Channel:
    """A channel to an HTTP server."""
    http = OutboundHttp("ops", PATIENCE)
    if kind == "chat":
        return ChatNotifier(http, lambda: url + PATH, SOURCE)
    return WebhookNotifier(http, url + PATH, SOURCE, lambda: SECRET)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the mail server."""
    return certificate_in(tmp_path_factory.mktemp("certificate"))


@contextmanager
def rig_of(kind: str, certificate: Path) -> Iterator[Rig]:
    """A channel of a kind, with what receives."""
    if kind == "mail":
        with mail_sink(certificate) as mails:
            yield Rig(mail(mails.port, certificate), mail(free_port(), certificate), mails)
    else:
        with http_sink() as posts:
            yield Rig(over_http(kind, posts.url), over_http(kind, f"http://127.0.0.1:{free_port()}"), posts)


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Rig]:
    """Each kind in its turn."""
    with rig_of(request.param, certificate) as made:
        yield made


def keeps_its_secrets(error: BaseException | None) -> None:
    """Neither the error nor anything that it is chained to tells a secret."""
    while error is not None:
        said = f"{error!r} {error} {getattr(error, 'remedy', '')}"
        assert "canary" not in said
        assert SECRET not in said
        error = None if error.__suppress_context__ else error.__context__


def test_delivers_under_one_id(rig: Rig) -> None:
    """What is sent arrives whole; sent twice, both carry the same id, which the message's key makes."""
    rig.channel.send(MESSAGE)
    rig.channel.send(MESSAGE)
    first, second = rig.received()
    assert first == second
    assert all(part in first for part in ("drift breached", "remedy: retrain", "Ünïcode", "17.0"))
    rig.channel.send(MESSAGE.model_copy(update={"key": "18.0", "more": 41}))
    other = rig.received()[-1]
    assert "18.0" in other
    assert "17.0" not in other
    assert "41" in other


def test_says_that_nobody_answers(rig: Rig) -> None:
    """The channel is named, the error is one that trying again may mend."""
    with pytest.raises(UnavailableError, match="'ops' does not answer") as caught:
        rig.nobody.send(MESSAGE)
    keeps_its_secrets(caught.value)


def test_does_not_wait_for_long(rig: Rig) -> None:
    """A receiver that says nothing is given up after the timeout."""
    rig.sink.manners = Manners(delay=4 * PATIENCE)
    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        rig.channel.send(MESSAGE)
    assert time.monotonic() - began < 3 * PATIENCE
    keeps_its_secrets(caught.value)


@pytest.mark.parametrize(
    ("http", "smtp", "expected"),
    [(503, 451, UnavailableError), (429, 421, UnavailableError), (403, 550, InvalidInputError)],
)
def test_tells_refused_from_busy(rig: Rig, http: int, smtp: int, expected: type[ModelopsError]) -> None:
    """What is refused for good is another error than what may pass another time; the receiver's words are not told."""
    rig.sink.manners = Manners(status=smtp if isinstance(rig.sink, MailSink) else http)
    with pytest.raises(ModelopsError, match="'ops'") as caught:
        rig.channel.send(MESSAGE)
    assert type(caught.value) is expected
    keeps_its_secrets(caught.value)


@pytest.mark.parametrize("kind", ["webhook", "chat"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_nobody(kind: str, status: int, certificate: Path) -> None:
    """Who leads elsewhere is refused, and nothing goes there."""
    with http_sink() as elsewhere, rig_of(kind, certificate) as rig:
        rig.sink.manners = Manners(status=status, location=f"{elsewhere.url}/canary")
        with pytest.raises(InvalidInputError, match="leads elsewhere") as caught:
            rig.channel.send(MESSAGE)
        assert elsewhere.posts == []
        keeps_its_secrets(caught.value)


@pytest.mark.parametrize("kind", ["webhook", "chat"])
@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "127.0.0.1", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"],
)
def test_looks_where_a_name_leads(kind: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of somewhere else that leads to this machine, or to a cloud's metadata, is not spoken to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(InvalidInputError, match="may not lead") as caught:
        over_http(kind, "https://hooks.example.com").send(MESSAGE)
    keeps_its_secrets(caught.value)


def test_an_address_that_is_a_secret_travels_encrypted() -> None:
    """A chat's address is not sent in the clear to another machine."""
    with pytest.raises(InvalidInputError, match="in the clear"):
        over_http("chat", "http://hooks.example.com").send(MESSAGE)


def test_an_event_is_one_of_cloudevents_signed_as_standard_webhooks() -> None:
    """The attributes that CloudEvents 1.0 asks for; whoever has the secret finds the signature to be right."""
    with http_sink() as sink:
        over_http("webhook", sink.url).send(MESSAGE)
        (post,) = sink.posts
    event = json.loads(post.body)
    assert post.headers["content-type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["source"], event["type"]) == ("1.0", "/modelops/acme", "modelops.breach")
    assert (event["id"], event["subject"], event["time"]) == ("acme/17.0", "loan", "2026-03-02T12:00:00+00:00")
    assert event["data"]["recipient"] == "rosa"
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert post.headers["webhook-signature"] == f"v1,{right}"
    assert post.headers["webhook-id"] == event["id"]
    assert abs(time.time() - int(post.headers["webhook-timestamp"])) < 60


def test_an_installation_may_be_called_anything() -> None:
    """Its name stands in a header and in a URI, as neither could otherwise hold it."""
    with http_sink() as sink:
        WebhookNotifier(OutboundHttp("ops"), sink.url, "Bänk of\nA", lambda: SECRET).send(MESSAGE)
        (post,) = sink.posts
    event = json.loads(post.body)
    assert event["id"] == post.headers["webhook-id"] == "B%C3%A4nk%20of%0AA/17.0"
    assert event["source"] == "/modelops/B%C3%A4nk%20of%0AA"


def test_a_secret_that_is_none_is_refused() -> None:
    """Not sent unsigned; the error does not repeat it."""
    channel = WebhookNotifier(OutboundHttp("ops"), "http://127.0.0.1:1/", SOURCE, lambda: "whsec_canary!")
    with pytest.raises(InvalidInputError, match="Standard Webhooks") as caught:
        channel.send(MESSAGE)
    keeps_its_secrets(caught.value)


@pytest.mark.parametrize(
    ("recipient", "to", "subject"),
    [
        ("rosa", "rosa@example.com", "loan: drift"),
        ("branch@example.org", "branch@example.org", "loan: drift"),
        ("Branch portal", "ops@example.com", "for Branch portal: loan: drift"),
        (None, "ops@example.com", "loan: drift"),
        ("a@b.example,c@d.example", "ops@example.com", "for a@b.example,c@d.example: loan: drift"),
        ("a_@[", "ops@example.com", "for a_@[: loan: drift"),
        ("(/_@*):", "ops@example.com", "for (/_@*):: loan: drift"),
        ("=?utf-8?q?=0D=0ABcc:_a?=@b.example", "ops@example.com", "for = ?utf-8"),
        ("böse@example.org", "ops@example.com", "for böse@example.org: loan: drift"),
    ],
)
def test_whom_a_mail_reaches(certificate: Path, recipient: str | None, to: str, subject: str) -> None:
    """People by the directory, addresses as they are; who has none is named to whoever reads the channel."""
    with mail_sink(certificate) as sink:
        mail(sink.port, certificate).send(MESSAGE.model_copy(update={"recipient": recipient}))
    ((reached, content),) = sink.mails
    assert reached == [to]
    assert str(message_from_bytes(content, policy=policy.default)["Subject"]).strip().startswith(subject)


@pytest.mark.parametrize(
    "subject", ["a\r\nBcc: eve@example.com\r\n\r\nb", "=?utf-8?q?=0D=0ABcc:_eve=40example.com=0D=0A=0D=0Ab?="]
)
def test_a_subject_makes_no_header(certificate: Path, subject: str) -> None:
    """Lines that somebody wrote into a subject, plain or as an encoded word, stay in it."""
    with mail_sink(certificate) as sink:
        mail(sink.port, certificate).send(MESSAGE.model_copy(update={"subject": subject}))
    ((reached, content),) = sink.mails
    parsed = message_from_bytes(content, policy=policy.default)
    assert (reached, parsed["Bcc"]) == (["rosa@example.com"], None)


def test_a_stranger_or_a_server_that_nobody_vouches_for(certificate: Path, tmp_path: Path) -> None:
    """A wrong password is refused; an unknown certificate gets nothing, not even the password."""
    with mail_sink(certificate) as sink:
        with pytest.raises(InvalidInputError, match="535") as caught:
            mail(sink.port, certificate, "canary-of-a-wrong-one").send(MESSAGE)
        keeps_its_secrets(caught.value)
        strangers = sink.strangers
        with pytest.raises(UnavailableError, match="SSL"):
            mail(sink.port, certificate_in(tmp_path)).send(MESSAGE)
        assert (sink.strangers, sink.mails) == (strangers, [])


def test_a_chat_mentions_nobody() -> None:
    """What people wrote calls no channel together and hides no link."""
    with http_sink() as sink:
        text = "<!channel> <https://evil.example|click> @all & co [approve](https://evil.example)"
        over_http("chat", sink.url).send(MESSAGE.model_copy(update={"subject": text}))
        said = json.loads(sink.posts[0].body)["text"]
    assert "&lt;!channel&gt;" in said
    assert "@all" not in said
    assert "<" not in said
    assert "](" not in said
