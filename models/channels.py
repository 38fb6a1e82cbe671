"""Where messages go, as an administrator's file says it. Templates name no channel and no address."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from models.announcing import Topic
from models.canonical import Frozen, Slug
from models.environments import Credentials, HttpUrl
from models.source.administration import load_said

_REMEDY = "Write `channels: {ops: {kind: chat, url: {env: OPS_CHAT_URL}, topics: [breach, stuck]}}`."

Address = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"]+@[A-Za-z0-9.-]+$", max_length=254)]
"""An address of email (RFC 5321, without quoted names)."""

Topics = Annotated[tuple[Topic, ...], Field(min_length=1)]
"""What a channel listens to."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
UNDELIVERED_AFTER = 5
"""After so many failures of one message it counts as undelivered: a finding, until it is delivered."""

KEPT = timedelta(days=90)
"""So long it is kept what was delivered when, and by which ticket; that somebody was to be told stays in the trail."""

CLAIMED = timedelta(minutes=5)
"""A ticket that was asked for is looked for after this: by then a search finds it ("the delay might vary from a few
seconds to minutes", Jira Cloud platform, Search and Reconcile)."""

APART = timedelta(minutes=10)
"""At least so much time is between two messages of one thread: a storm makes no more of them."""


class Login(Frozen):
    """Who sends, to a mail server that asks."""

    user: Annotated[str, StringConstraints(min_length=1)]
    password: Credentials


class Mail(Frozen):
    """A mail server. Messages to people go to their address in the directory, all others to `to`.

    `encryption` is STARTTLS (RFC 3207), or TLS from the first byte (RFC 8314); `none` is for this machine alone.
    """

    kind: Literal["mail"]
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: int = Field(default=587, ge=1, le=65_535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    authority: str | None = None
    login: Login | None = None
    sender: Address
    to: tuple[Address, ...] = Field(min_length=1)
    topics: Topics

    @model_validator(mode="after")
    def _secret(self) -> "Mail":
        if self.encryption == "none" and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("encryption: none is for a server on this machine alone")
        return self


class Webhook(Frozen):
    """A program that takes CloudEvents 1.0 as structured JSON, signed as Standard Webhooks says (`whsec_...`)."""

    kind: Literal["webhook"]
    url: HttpUrl
    secret: Credentials
    topics: Topics


class Chat(Frozen):
    """An incoming webhook as Slack and Mattermost have them. Its address is the secret."""

    kind: Literal["chat"]
    url: Credentials
    topics: Topics


class Alertmanager(Frozen):
    """Alertmanager, API v2. It is told of breaches that stand; `runbook` is a page for whoever is called at night."""

    kind: Literal["alertmanager"]
    url: HttpUrl
    token: Credentials | None = None
    runbook: HttpUrl | None = None


class Jira(Frozen):
    """A project of Jira Cloud, by its REST API v3, with an API token of `user`."""

    kind: Literal["jira"]
    url: HttpUrl
    project: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,254}$")]
    issue_type: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "Task"
    user: Annotated[str, StringConstraints(pattern=r"^[^:\s]+$")]
    token: Credentials
    topics: Topics = (Topic.INVESTIGATION,)


class ServiceNow(Frozen):
    """A table of tasks in ServiceNow, by its Table API. New ones go to `group`, the sys_id of an assignment group."""

    kind: Literal["servicenow"]
    url: HttpUrl
    table: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,79}$")] = "incident"
    group: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    user: Annotated[str, StringConstraints(pattern=r"^[^:\s]+$")]
    password: Credentials
    topics: Topics = (Topic.INVESTIGATION,)


Ticketing = Jira | ServiceNow
Listener = Mail | Webhook | Chat | Ticketing
Target = Annotated[Mail | Webhook | Chat | Jira | ServiceNow | Alertmanager, Field(discriminator="kind")]


class Channels(Frozen):
    """All channels by their names."""

    channels: dict[Slug, Target] = Field(default={})


def pause_after(failures: int) -> timedelta:
    """How long a message waits that could not be delivered so many times: twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 20)), LONGEST_PAUSE)


def earliest(at: datetime, before: datetime | None) -> datetime:
    """When a message may go whose thread had its last one due at a moment."""
    return max(at, before + APART) if before else at


def load_channels(text: bytes, file: str) -> Channels:
    """The channels of a file; InvalidInputError."""
    return load_said(Channels, text, file, _REMEDY)
