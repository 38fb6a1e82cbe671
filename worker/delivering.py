"""Channels as configured: the parts that deliver messages and alerts."""

from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from activities.adapters.alertmanager_notifier import AlertmanagerNotifier
from activities.adapters.chat_notifier import ChatNotifier
from activities.adapters.jira_notifier import JiraNotifier
from activities.adapters.outbound_http import OutboundHttp
from activities.adapters.servicenow_notifier import ServiceNowNotifier
from activities.adapters.smtp_notifier import SmtpNotifier
from activities.adapters.sql_outbox import SqlOutbox
from activities.adapters.sql_watch import SqlWatch
from activities.adapters.webhook_notifier import WebhookNotifier
from activities.channel_ports import Channel
from activities.delivery import DeliveryActivities
from models.channels import Alertmanager, Chat, Jira, Listener, Mail, ServiceNow, Webhook
from models.people import People
from models.reconciliation import Finding
from worker.channels import channels_of
from worker.directories import people_of
from worker.settings import Settings, read_secret


class Delivering(NamedTuple):
    """What delivers, and what it has not been able to deliver."""

    activities: DeliveryActivities
    undelivered: Callable[[], Collection[Finding]]


def delivering_of(settings: Settings) -> Delivering | None:
    """The parts; None if there are no channels. InvalidInputError."""
    found = channels_of(settings).channels
    if not found:
        return None
    wanted = {name: one for name, one in found.items() if not isinstance(one, Alertmanager)}
    people, outbox = people_of(settings, settings.database), SqlOutbox(settings.database)
    activities = DeliveryActivities(
        outbox,
        SqlWatch(settings.database),
        wanted,
        {name: channel_of(name, one, settings.audience, people) for name, one in wanted.items()},
        {name: alarms_of(name, one, settings.audience) for name, one in found.items() if isinstance(one, Alertmanager)},
    )
    return Delivering(activities, outbox.undelivered)


def close_channels(settings: Settings) -> None:
    """There are none any more: what waits for them is nobody's concern."""
    outbox = SqlOutbox(settings.database)
    outbox.gather({})
    outbox.close()


def channel_of(name: str, said: Listener, source: str, people: Callable[[], People]) -> Channel:
    """What takes messages; `source` names this installation."""
    match said:
        case Mail():
            password = partial(read_secret, said.login.password) if said.login else None
            return SmtpNotifier(name, said, source, people, password)
        case Webhook():
            return WebhookNotifier(OutboundHttp(name), str(said.url), source, partial(read_secret, said.secret))
        case Chat():
            return ChatNotifier(OutboundHttp(name), partial(read_secret, said.url), source)
        case Jira():
            return JiraNotifier(OutboundHttp(name), said, source, partial(read_secret, said.token))
        case ServiceNow():
            return ServiceNowNotifier(OutboundHttp(name), said, source, partial(read_secret, said.password))


def alarms_of(name: str, said: Alertmanager, source: str) -> AlertmanagerNotifier:
    """What takes alerts."""
    token = partial(read_secret, said.token) if said.token else None
    return AlertmanagerNotifier(OutboundHttp(name), said.url, source, token, said.runbook)
