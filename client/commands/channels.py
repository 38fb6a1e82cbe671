"""Where messages and alerts go, and what does not arrive there."""

from client.catalog import Catalog
from client.commands.parameters import Json, Utc
from client.console import moment, show, show_json
from client.render import table
from client.views import Through
from models.channels import Alertmanager, Jira, Mail, ServiceNow, Target, Webhook
from worker.channels import channels_of
from worker.settings import read_settings

_COLUMNS = ("Channel", "Kind", "Where", "Topics", "Waiting", "Failing", "Last delivered", "Last ticket", "Problem")


def channels(as_json: Json = False, utc: Utc = False) -> None:
    """Show where messages and alerts go, how many wait, and why what was tried last did not arrive.

    Of a secret, only where it is. Written in MODELOPS_CHANNELS, or in channels.yaml under the home.
    """
    settings = read_settings()
    configured = channels_of(settings).channels
    with Catalog(settings.database) as catalog:
        through = {one.channel: one for one in catalog.deliveries()}
    if as_json:
        show_json([through.get(name, Through(channel=name)) for name in configured])
        return
    if not configured:
        show("No channel is configured: messages stay in the outbox. Name channels in MODELOPS_CHANNELS.")
        return
    rows = [_row(name, one, through.get(name, Through(channel=name)), utc) for name, one in configured.items()]
    show(table(_COLUMNS, rows))


def _row(name: str, said: Target, seen: Through, utc: bool) -> tuple[str, ...]:
    last = moment(seen.delivered, utc) if seen.delivered else ""
    counts = ("", "") if isinstance(said, Alertmanager) else (str(seen.waiting), str(seen.failing))
    ticket = f"{seen.ticket.id} {seen.ticket.url}" if seen.ticket else ""
    return name, said.kind, _where(said), _topics(said), *counts, last, ticket, seen.problem or ""


def _where(said: Target) -> str:
    match said:
        case Mail():
            return f"{said.host}:{said.port}"
        case Webhook() | Alertmanager():
            return said.url
        case Jira():
            return f"{said.url} {said.project}"
        case ServiceNow():
            return f"{said.url} {said.table}"
        case _:
            return f"({said.url})"


def _topics(said: Target) -> str:
    return "breaches that stand" if isinstance(said, Alertmanager) else ", ".join(said.topics)
