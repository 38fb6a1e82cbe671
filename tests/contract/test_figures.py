"""What a scrape tells of all models, on both databases and by a real Prometheus."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.registry import CollectorRegistry

from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_outbox import SqlOutbox
from activities.adapters.sql_watch import SqlWatch
from models.announcing import Topic
from models.canonical import replace
from models.channels import Chat
from models.environments import Credentials
from models.errors import UnavailableError
from models.evidence import StepKind
from models.figures import METRICS, Figure
from models.plan import Plan
from models.verdict import Verdict
from tests.contract.backdoor import execute
from tests.contract.serving import PROJECT, free_port
from tests.contract.story import Record, Tell, tell_story, until
from tests.contract.test_alertmanager import eventually
from tests.contract.test_outbox import notice
from tests.contract.watched import measured
from tests.monitoring import program, running
from worker.figures import expose_figures
from worker.telemetry import serve_telemetry

NOON = datetime(2030, 3, 2, 12, tzinfo=UTC)
Read = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def watch(inventory_url: str) -> Iterator[SqlWatch]:
    """Under a clock that stands."""
    opened = SqlWatch(inventory_url, clock=lambda: NOON)
    yield opened
    opened.close()


def read(watch: SqlWatch) -> Read:
    """All figures; each once, with labels as its metric has them."""
    figures = watch.figures()
    found = {(one.metric, one.labels): one.value for one in figures}
    assert len(found) == len(figures)
    assert all(len(one.labels) == len(METRICS[one.metric].labels) for one in figures)
    return found


def done(url: str, visit: int, step: str, at: datetime) -> None:
    """The ledger has a step of a model."""
    given = f"'loan', {visit}, '{step}', '{{}}', '{at:%Y-%m-%d %H:%M:%S}'"
    execute(url, f"INSERT INTO ledger (model, visit, step, result, at) VALUES ({given})")


def test_an_empty_record(watch: SqlWatch) -> None:
    """Zero of everything, and no error."""
    assert set(read(watch).values()) == {0}


def test_where_models_are_and_what_they_wait_for(
    watch: SqlWatch, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Stage, tier and health; gates with how long they wait, also beyond their time; lifecycles that are stuck."""
    record(until(tell("loan"), 8))
    record(tell("churn"))
    found = read(watch)
    assert found["modelops_models", ("validation", "high", "unknown")] == 1
    assert found["modelops_models", ("retired", "high", "unknown")] == 1
    assert found["modelops_gates_waiting", ("high",)] == 1
    assert found["modelops_gate_waiting_seconds", ("high",)] > 0
    assert found["modelops_approvals_overdue", ("high",)] == 0
    execute(inventory_url, "UPDATE lifecycle SET phase = 'stuck' WHERE model = 'loan'")
    found = read(watch)
    assert found["modelops_stuck_lifecycles", ("high",)] == 1
    assert found["modelops_stuck_seconds", ("high",)] > 0
    assert found["modelops_gates_waiting", ("high",)] == 0


def test_breaches_and_silence(watch: SqlWatch, record: Record, tell: Tell, inventory_url: str) -> None:
    """A breach stands until a look that can measure does not fail; a monitor is silent after three of its periods."""
    record(until(tell("loan"), 10))
    measured(inventory_url, "loan", [Verdict.PASS, Verdict.FAIL], NOON - timedelta(days=2))
    execute(inventory_url, f"UPDATE deployment SET since = '{NOON - timedelta(days=9):%Y-%m-%d %H:%M:%S}'")
    found = read(watch)
    assert found["modelops_breaches", ("high",)] == 1
    assert found["modelops_breach_seconds", ("high",)] == pytest.approx(2 * 86_400 - 60)
    assert found["modelops_monitors", ("high",)] == 1
    assert found["modelops_monitors_silent", ("high",)] == 0
    assert found["modelops_reading_age_seconds", ("high",)] == pytest.approx(2 * 86_400 - 60)
    (one,) = watch.breaches()
    assert (one.failures, one.window, one.since) == (
        1,
        f"{NOON - timedelta(days=2):%d}-1",
        NOON - timedelta(minutes=2879),
    )
    late = SqlWatch(inventory_url, clock=lambda: NOON + timedelta(days=2))
    assert read(late)["modelops_monitors_silent", ("high",)] == 1
    late.close()
    assert found["modelops_monitors_unmeasured", ("high",)] == 0
    measured(inventory_url, "loan", [Verdict.INCONCLUSIVE], NOON - timedelta(days=1), unmeasured=True)
    found = read(watch)
    assert (found["modelops_monitors_unmeasured", ("high",)], watch.breaches()) == (1, [one])
    measured(inventory_url, "loan", [Verdict.INCONCLUSIVE], NOON - timedelta(hours=1))
    found = read(watch)
    assert (found["modelops_breaches", ("high",)], watch.breaches()) == (0, [])
    assert found["modelops_monitors_unmeasured", ("high",)] == 0
    measured(inventory_url, "loan", [Verdict.INCONCLUSIVE], NOON + timedelta(days=1), unmeasured=True)
    assert watch.breaches() == []


def test_what_late_outcomes_have_told_stands_behind_windows_that_still_wait(
    watch: SqlWatch, record: Record, tell: Tell, inventory_url: str
) -> None:
    """Windows of which nothing can be said yet do not hide it, whenever they were recorded; one that passes ends it."""
    record(until(tell("loan"), 10))
    sound, fail, waits = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
    measured(inventory_url, "loan", [waits, waits], NOON - timedelta(days=2))
    assert watch.breaches() == []
    measured(inventory_url, "loan", [waits, fail, fail], NOON - timedelta(days=4), looks=2)
    measured(inventory_url, "loan", [fail, sound], NOON - timedelta(days=5))
    (one,) = watch.breaches()
    first = NOON - timedelta(days=4) + timedelta(minutes=1)
    assert (one.window, one.failures, one.since) == (f"{first:%d}-2", 2, first)
    measured(inventory_url, "loan", [sound, waits], NOON - timedelta(days=3))
    assert watch.breaches() == []


def test_remedies_that_mend_nothing(watch: SqlWatch, record: Record, tell: Tell, inventory_url: str) -> None:
    """Three remedies of one model within a week are a loop; two are not, nor are three of which one is older."""
    record(until(tell("loan"), 10))
    for visit, (days, loops) in enumerate(((8, 0), (6, 0), (4, 0), (1, 1)), 900):
        done(inventory_url, visit, StepKind.TRAIN, NOON - timedelta(days=days))
        assert read(watch)["modelops_remediation_loops", ("high",)] == loops


def test_every_remedy_is_counted_and_only_changes_are_a_loop(
    watch: SqlWatch, record: Record, tell: Tell, inventory_url: str
) -> None:
    """By kind, also more looks and investigations, which change nothing; to tell people of a breach is no remedy."""
    record(until(tell("loan"), 10))
    steps = {
        "train": ["train"],
        "restore": ["restore"],
        "stop_serving": [],
        "tighten": ["tighten-11", "tighten-12", "tighten-13"],
        "investigate": [f"notify/investigate:{number}" for number in range(4)],
        None: ["notify/breach:1", "notify/breach:2", "stop-serving", "tightened", "notify/sla"],
    }
    for visit, step in enumerate((one for some in steps.values() for one in some), 900):
        done(inventory_url, visit, step, NOON - timedelta(days=1))
    found = read(watch)
    counted = {labels[0]: value for (metric, labels), value in found.items() if metric == "modelops_remediations"}
    assert counted == {kind: len(some) for kind, some in steps.items() if kind}
    assert found["modelops_breaches_acted_on", ()] == 6
    assert found["modelops_remediation_loops", ("high",)] == 0


def test_a_breach_is_as_many_failures_as_the_plan_says(
    watch: SqlWatch, inventory: SqlInventory, record: Record, plan: Plan, inventory_url: str
) -> None:
    """Of three in a row, neither two nor two and one later are a breach."""
    patient = replace(plan, monitors=(replace(plan.monitors[0], breaches=3),))
    inventory.commit_plan(patient)
    record(until(list(tell_story(patient, "loan")), 10))
    fail, sound, at = Verdict.FAIL, Verdict.PASS, NOON - timedelta(days=9)
    for found, verdicts in ((0, [fail, fail]), (0, [sound, fail]), (0, [fail]), (1, [fail]), (1, [fail])):
        at += timedelta(days=1)
        measured(inventory_url, "loan", verdicts, at)
        assert len(watch.breaches()) == found
    (one,) = watch.breaches()
    assert (one.failures, one.since) == (4, NOON - timedelta(days=7) + timedelta(minutes=1))


def test_a_breach_is_as_many_of_the_last_looks_as_the_plan_says(
    watch: SqlWatch, inventory: SqlInventory, record: Record, plan: Plan, inventory_url: str
) -> None:
    """Two of the last three, wherever they lie, and the newest is one of them."""
    patient = replace(plan, monitors=(replace(plan.monitors[0], breaches=2, of=3),))
    inventory.commit_plan(patient)
    record(until(list(tell_story(patient, "loan")), 10))
    fail, sound, at = Verdict.FAIL, Verdict.PASS, NOON - timedelta(days=9)
    for found, verdicts in ((0, [fail]), (0, [sound]), (1, [fail]), (0, [sound]), (0, [sound]), (0, [fail])):
        at += timedelta(days=1)
        measured(inventory_url, "loan", verdicts, at)
        assert len(watch.breaches()) == found
    measured(inventory_url, "loan", [fail], at + timedelta(days=1))
    (one,) = watch.breaches()
    assert (one.failures, one.of, one.since) == (2, 3, at)


def test_messages_that_wait(watch: SqlWatch, record: Record, tell: Tell, inventory_url: str) -> None:
    """How many, and since when; a channel without any is 0, not nothing."""
    outbox = SqlOutbox(inventory_url, clock=lambda: NOON - timedelta(minutes=5))
    outbox.gather({"ops": Chat(kind="chat", url=Credentials(env="X"), topics=tuple(Topic))})
    assert read(watch)["modelops_undelivered_messages", ("ops",)] == 0
    record([*until(tell("loan"), 6), notice(1)])
    outbox.gather({"ops": Chat(kind="chat", url=Credentials(env="X"), topics=(Topic.BREACH,))})
    outbox.close()
    found = read(watch)
    assert found["modelops_undelivered_messages", ("ops",)] == 1
    assert found["modelops_undelivered_seconds", ("ops",)] == 300
    assert found["modelops_failing_messages", ("ops",)] == 0
    assert found["modelops_breaches_acted_on", ()] == 1


def test_a_silent_record_is_said_to_be() -> None:
    """While it does not answer, a scrape says that alone; several scrapes at once read it once."""
    registry, asked = CollectorRegistry(), list[int]()

    def silent() -> list[Figure]:
        asked.append(1)
        raise UnavailableError("the database is away")

    expose_figures(silent, registry)
    for _ in range(3):
        assert registry.get_sample_value("modelops_record_answers") == 0
    assert registry.get_sample_value("modelops_breaches", {"tier": "high"}) is None
    assert len(asked) == 1


def test_prometheus_scrapes_them_and_alerts(tmp_path: Path, migrated_sqlite: Path) -> None:
    """A real Prometheus with the rules that we ship reads a worker's metrics, and says who is down."""
    shutil.copy(migrated_sqlite, tmp_path / "inventory.db")
    watch = SqlWatch(f"sqlite:///{tmp_path / 'inventory.db'}")
    expose_figures(watch.figures)
    port, url = free_port(), f"http://127.0.0.1:{free_port()}"
    shutil.copy(PROJECT / "deploy/prometheus/rules.yaml", tmp_path)
    config = (PROJECT / "deploy/prometheus/prometheus.yaml").read_text()
    for old, new in (("30s", "1s"), ("9464", str(port)), ("9466", str(free_port())), ("9465", str(free_port()))):
        config = config.replace(old, new)
    (tmp_path / "prometheus.yaml").write_text(config)
    command = (
        program("prometheus"),
        *("--config.file=prometheus.yaml", "--storage.tsdb.path=data", f"--web.listen-address={url[7:]}"),
    )
    telemetry = serve_telemetry(port, dict)
    try:
        with running(command, f"{url}/-/ready", tmp_path / "prometheus.log"):

            def value(query: str) -> list[str]:
                answer = httpx2.get(f"{url}/api/v1/query", params={"query": query}, trust_env=False).json()
                return [one["value"][1] for one in answer["data"]["result"]]

            eventually(lambda: value("modelops_record_answers") == ["1"])
            eventually(lambda: value('ALERTS{alertname="ModelopsActuatorDown"}') == ["1"])
            eventually(lambda: value('ALERTS{alertname="ModelopsWorkerDown"}') == [])
            assert value("sum(modelops_monitors_silent)") == ["0"]
    finally:
        telemetry.shutdown()
        telemetry.server_close()
        watch.close()
