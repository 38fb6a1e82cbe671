"""The administrator's file of channels: strictly read, without a secret in it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from models.announcing import Topic
from models.channels import (
    LONGEST_PAUSE,
    Alertmanager,
    Chat,
    Jira,
    Mail,
    ServiceNow,
    Webhook,
    load_channels,
    pause_after,
)
from models.errors import InvalidInputError

ALL = """\
channels:
  people:
    kind: mail
    host: smtp.example.com
    login: {user: modelops, password: {file: /run/secrets/smtp}}
    sender: modelops@example.com
    to: [mlops@example.com]
    topics: [decision, escalation, obligation]
  events: {kind: webhook, url: 'https://events.example.com/in', secret: {env: EVENTS_SECRET}, topics: [breach, finding]}
  ops: {kind: chat, url: {env: OPS_CHAT_URL}, topics: [stuck]}
  tickets: {kind: jira, url: 'https://acme.atlassian.net', project: ML, user: a@b.example, token: {env: JIRA_TOKEN}}
  tasks:
    kind: servicenow
    url: https://acme.service-now.com
    group: 0123456789abcdef0123456789abcdef
    user: modelops
    password: {env: NOW_PASSWORD}
    topics: [investigation, stuck]
  pager: {kind: alertmanager, url: 'http://alertmanager:9093', runbook: 'https://wiki.example.com/models'}
"""


def test_a_file_with_everything() -> None:
    """Each kind, with encryption unless said otherwise."""
    people, events, ops, tickets, tasks, pager = load_channels(ALL.encode(), "channels.yaml").channels.values()
    assert isinstance(people, Mail)
    assert (people.port, people.encryption, str(people.login.password if people.login else "")) == (
        587,
        "starttls",
        "file /run/secrets/smtp",
    )
    assert isinstance(events, Webhook)
    assert events.topics == (Topic.BREACH, Topic.FINDING)
    assert isinstance(ops, Chat)
    assert isinstance(tickets, Jira)
    assert (tickets.issue_type, tickets.topics) == ("Task", (Topic.INVESTIGATION,))
    assert isinstance(tasks, ServiceNow)
    assert (tasks.table, tasks.topics) == ("incident", (Topic.INVESTIGATION, Topic.STUCK))
    assert isinstance(pager, Alertmanager)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: chat", "kind: pigeon", "channels.ops"),
        ("topics: [stuck]", "topics: []", "channels.ops.chat.topics"),
        ("topics: [stuck]", "topics: [sales]", "channels.ops.chat.topics.0"),
        ("url: {env: OPS_CHAT_URL}", "url: 'https://hooks.example.com/canary'", "channels.ops.chat.url"),
        ("login:", "encryption: none\n    login:", "encryption: none is for a server on this machine alone"),
        ("sender: modelops@example.com", "sender: 'a@b.example, c@d.example'", "channels.people.mail.sender"),
        ("host: smtp.example.com", "host: 'smtp.example.com/x'", "channels.people.mail.host"),
        (
            "'https://events.example.com/in'",
            "'https://user:canary@events.example.com/in'",
            "channels.events.webhook.url",
        ),
        ("kind: alertmanager,", "kind: alertmanager, topics: [breach],", "channels.pager.alertmanager.topics"),
        ("project: ML", "project: ml", "channels.tickets.jira.project"),
        ("user: a@b.example", "user: 'a:canary'", "channels.tickets.jira.user"),
        ("token: {env: JIRA_TOKEN}", "token: canary", "channels.tickets.jira.token"),
        ("group: 0123", "group: Z123", "channels.tasks.servicenow.group"),
        ("user: modelops\n    password", "table: 'x/y'\n    user: m\n    password", "channels.tasks.servicenow.table"),
        ("  ops:", "  people:", "not plain YAML"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str) -> None:
    """With its place, and never with what may be a secret."""
    assert old in ALL
    with pytest.raises(InvalidInputError) as caught:
        load_channels(ALL.replace(old, new, 1).encode(), "channels.yaml")
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_pauses_double_and_end() -> None:
    """From half a minute to an hour, however often it has failed."""
    pauses = [pause_after(failures) for failures in range(1, 200)]
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_the_readme_shows_one() -> None:
    """What the README tells an administrator to write is a file of channels, with every kind and topic."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (shown,) = re.findall(r"```yaml\n(channels:.*?)```", readme, re.DOTALL)
    found = load_channels(shown.encode(), "README.md").channels.values()
    assert {one.kind for one in found} == {"mail", "chat", "webhook", "jira", "servicenow", "alertmanager"}
    assert {topic for one in found if not isinstance(one, Alertmanager) for topic in one.topics} == set(Topic)
