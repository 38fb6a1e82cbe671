"""A real Alertmanager hears of breaches: an alert for each monitor, a group for each model, whatever has failed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from activities.adapters.alertmanager_notifier import AlertmanagerNotifier
from activities.adapters.outbound_http import OutboundHttp
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_outbox import SqlOutbox
from activities.adapters.sql_watch import SqlWatch
from activities.delivery import Delivered, DeliveryActivities
from models.alerts import StandingBreach
from models.canonical import replace
from models.errors import InvalidInputError, ModelopsError, UnavailableError
from models.inventory import RiskTier
from models.journal import JournalEntry
from models.plan import Plan, Remedy
from models.verdict import Verdict
from tests.contract.serving import PROJECT, free_port
from tests.contract.sinks import HttpSink, Manners, http_sink
from tests.contract.story import Record, Tell, tell_story, until
from tests.contract.watched import MONITOR, measured
from tests.monitoring import program, running

SHIPPED = PROJECT / "deploy" / "prometheus" / "alertmanager.yaml"
NOW = datetime.now(UTC)
TOKEN = "canary-of-a-token"
RUNBOOK = "https://wiki.example.com/models"
WITHIN = 30.0


def alarms(url: str, source: str = "acme") -> AlertmanagerNotifier:
    """A channel to an Alertmanager."""
    return AlertmanagerNotifier(OutboundHttp("pager", 2.0), url, source, lambda: TOKEN, RUNBOOK)


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    """One that groups as ours does, a little quicker, and tells a receiver; its address."""
    config = yaml.safe_load(SHIPPED.read_text())
    config["route"] |= {"group_wait": "200ms", "group_interval": "1s"}
    config["receivers"][0]["webhook_configs"][0]["url"] = receiver
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{free_port()}"
    command = (
        program("prometheus-alertmanager"),
        *("--config.file", "alertmanager.yaml", "--storage.path", "data", "--cluster.listen-address="),
        *("--web.listen-address", url.removeprefix("http://")),
    )
    with running(command, f"{url}/-/ready", folder / "alertmanager.log"):
        yield url


@pytest.fixture(scope="module")
def pager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, HttpSink]]:
    """An Alertmanager, and who is paged by it."""
    with http_sink() as sink, alertmanager(tmp_path_factory.mktemp("alertmanager"), sink.url) as url:
        yield url, sink


def firing(url: str) -> list[dict[str, dict[str, str]]]:
    """What Alertmanager says to anybody."""
    found: list[dict[str, dict[str, str]]] = httpx2.get(f"{url}/api/v2/alerts", trust_env=False).json()
    return found


def standing(model: str, at: datetime) -> StandingBreach:
    """A breach."""
    return StandingBreach(
        model=model,
        monitor=MONITOR,
        tier=RiskTier.LOW,
        owner="olga",
        window="w",
        reasons=("psi",),
        failures=3,
        then=Remedy.RETRAIN,
        since=at,
    )


@contextmanager
def delivering(inventory_url: str, url: str) -> Iterator[Callable[[], Delivered]]:
    """What the worker does each minute, by a record, with that Alertmanager for its only channel."""
    with ExitStack() as stack:
        outbox, watch = SqlOutbox(inventory_url), SqlWatch(inventory_url)
        stack.callback(outbox.close)
        stack.callback(watch.close)
        yield DeliveryActivities(outbox, watch, {}, {}, {"pager": alarms(url)}).deliver_messages


def serve(inventory: SqlInventory, plan: Plan, model: str) -> None:
    """A model that a plan watches goes into production."""
    inventory.commit_plan(plan)
    for told in until(list(tell_story(plan, model)), 10):
        if isinstance(told, JournalEntry):
            inventory.commit_event(told)
        else:
            inventory.commit_effect(told.key, told.result, told.changes)


def groups(url: str, *models: str) -> dict[str, list[set[str]]]:
    """The monitors in each group of alerts that a model has."""
    found = httpx2.get(f"{url}/api/v2/alerts/groups", trust_env=False).json()
    told = [(one["labels"].get("model"), {alert["labels"]["monitor"] for alert in one["alerts"]}) for one in found]
    return {model: [monitors for about, monitors in told if about == model] for model in models}


def eventually(holds: Callable[[], bool]) -> None:
    """Within a while."""
    give_up = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def paged(page: dict[str, Any]) -> set[str]:
    """The monitors that a notification names."""
    return {alert["labels"]["monitor"] for alert in page["alerts"]}


def pages(sink: HttpSink, model: str, status: str) -> list[dict[str, Any]]:
    """Notifications about a model."""
    found = [json.loads(one.body) for one in sink.posts]
    return [one for one in found if one["groupLabels"].get("model") == model and one["status"] == status]


@pytest.mark.parametrize("inventory_url", ["sqlite"], indirect=True)
def test_ten_thousand_breaches_are_one_alert(
    pager: tuple[str, HttpSink], inventory_url: str, record: Record, tell: Tell
) -> None:
    """One alert, one group, one page, with all that whoever is paged needs; healthy again, it ends at once."""
    url, sink = pager
    record(until(tell("loan"), 10))
    measured(inventory_url, "loan", [Verdict.PASS, *[Verdict.FAIL] * 10_000], NOW - timedelta(days=9))
    with delivering(inventory_url, url) as deliver:
        for _ in range(3):
            assert (deliver().firing, deliver().problems) == (1, {})
        (alert,) = [one for one in firing(url) if one["labels"]["model"] == "loan"]
        assert alert["labels"] == {
            "alertname": "ModelBreach",
            "source": "acme",
            "model": "loan",
            "monitor": MONITOR,
            "tier": "high",
            "severity": "critical",
        }
        said = alert["annotations"]
        assert said["summary"] == "loan: drift has failed 10000 times in a row"
        assert said["description"] == "psi 0.10000 > 0.2"
        assert (said["remedy"], said["owner"], said["runbook_url"]) == ("suspend", "olga", RUNBOOK)
        assert alert["startsAt"].startswith(f"{NOW - timedelta(days=9) + timedelta(minutes=1):%Y-%m-%dT%H:%M}")  # type: ignore[attr-defined]
        eventually(lambda: bool(pages(sink, "loan", "firing")))
        assert groups(url, "loan") == {"loan": [{MONITOR}]}
        measured(inventory_url, "loan", [Verdict.PASS], NOW - timedelta(days=1))
        assert deliver().firing == 0
        assert [one for one in firing(url) if one["labels"]["model"] == "loan"] == []
        eventually(lambda: bool(pages(sink, "loan", "resolved")))
        assert len(pages(sink, "loan", "firing")) == 1
        assert deliver().problems == {}


@pytest.mark.parametrize("inventory_url", ["sqlite"], indirect=True)
def test_breaches_of_several_monitors_are_one_group_of_each_model(
    pager: tuple[str, HttpSink], inventory_url: str, inventory: SqlInventory, plan: Plan
) -> None:
    """Thousands of three monitors are one page about each model; one that is healthy again is no news of the other."""
    url, sink = pager
    drift, models = plan.monitors[0], ("cards", "fraud")
    monitors = tuple(replace(drift, id=name) for name in ("drift", "performance", "worth"))
    three = replace(plan, monitors=monitors)
    for model in models:
        serve(inventory, three, model)
        for monitor in monitors:
            measured(inventory_url, model, [Verdict.FAIL] * 1_000, NOW - timedelta(days=9), monitor.id)
    names = {monitor.id for monitor in monitors}
    with delivering(inventory_url, url) as deliver:
        for _ in range(3):
            assert (deliver().firing, deliver().problems) == (6, {})
        eventually(lambda: all(pages(sink, model, "firing") for model in models))
        assert groups(url, *models) == {model: [names] for model in models}
        for monitor in monitors:
            measured(inventory_url, "cards", [Verdict.PASS], NOW - timedelta(days=1), monitor.id)
        assert (deliver().firing, deliver().problems) == (3, {})
        eventually(lambda: bool(pages(sink, "cards", "resolved")))
        told = {model: pages(sink, model, "firing") for model in models}
        assert [len(one) for one in told.values()] == [1, 1]
        assert [paged(page) for (page,) in told.values()] == [names, names]
        assert groups(url, *models) == {"cards": [], "fraud": [names]}
        assert (len(pages(sink, "cards", "resolved")), pages(sink, "fraud", "resolved")) == (1, [])


def test_looks_after_its_own_alerts_alone(pager: tuple[str, HttpSink]) -> None:
    """Neither another installation's alerts nor somebody else's are ended."""
    url, _ = pager
    at = datetime.now(UTC)
    ours, theirs = alarms(url, 'a"c\\me'), alarms(url, "other")
    breach = standing("churn", at)
    ours.tell([ours.alert(breach, at)])
    theirs.tell([theirs.alert(breach, at)])
    (found,) = ours.firing()
    assert (found.labels["source"], found.labels["model"]) == ('a"c\\me', "churn")
    ours.tell([found._replace(ends=datetime.now(UTC))])
    assert list(ours.firing()) == []
    assert len(theirs.firing()) == 1


@pytest.mark.parametrize(
    ("manners", "expected"),
    [
        (Manners(status=503), UnavailableError),
        (Manners(status=401), InvalidInputError),
        (Manners(status=302, location="http://127.0.0.1:1/"), InvalidInputError),
        (Manners(delay=5.0), UnavailableError),
    ],
)
def test_says_what_is_wrong_and_no_secret(manners: Manners, expected: type[ModelopsError]) -> None:
    """Down, refusing, leading elsewhere, slow: the channel is named, the token is not."""
    with http_sink() as sink:
        sink.manners = manners
        to = AlertmanagerNotifier(OutboundHttp("pager", 0.3), sink.url, "acme", lambda: TOKEN)
        at = datetime.now(UTC)
        with pytest.raises(ModelopsError, match="'pager'") as caught:
            to.tell([to.alert(standing("loan", at), at)])
    assert type(caught.value) is expected
    assert "canary" not in f"{caught.value!r}{caught.value.remedy}"
