"""A monitor that fails is heard, whatever it has to say and whatever became of its evidence."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.sql_migration import migrate
from activities.service_ports import Service
from models.canonical import digest, digest_bytes
from models.errors import InvalidInputError, NotPermittedError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.inventory import Deployed, Environment, ModelRegistered, RiskTier, Submission, VersionRegistered
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import REASON_LIMIT, Event, Started
from models.metrics import Measurement, Metrics, Period, period_before
from models.monitoring import MonitorOrder, MonitorOutcome
from models.plan import Brakes, MonitorPlan, Remedy
from models.schema import SchemaReport
from models.service import ServiceReport
from models.state import State, snapshot
from models.verdict import Kpi, Verdict
from tests.contract.backdoor import execute
from tests.temporal.doubles import quick_parts, write_submission
from tests.temporal.house import facts_of, plan_of
from worker.metrics import NamedMetrics
from worker.policies import PolicyFolder
from worker.wiring import Parts, monitoring_of

KPIS = tuple(Kpi(name=f"quantity_number_{number}", passes="< 0.2", fails=">= 0.2") for number in range(60))
ORDER = MonitorOrder(
    model="loan",
    monitor=MonitorPlan(
        id="drift",
        checks=tuple(kpi.name for kpi in KPIS),
        every=86_400,
        breaches=1,
        then=Remedy.ESCALATE,
        brakes=Brakes(cooldown=60, at_most=1, per=60, otherwise=Remedy.ESCALATE),
    ),
    kpis=KPIS,
    environment=Environment.PROD,
)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Parts whose inventory says that a version serves."""
    migrate(f"sqlite:///{tmp_path / 'inventory.db'}")
    parts = quick_parts(tmp_path)
    serves = Deployed(environment=Environment.PROD, version=1, bundle="sha256:" + "0" * 64, endpoint="http://loan")
    registered = VersionRegistered(version=1, submission=write_submission(tmp_path, "first"))
    key = EffectKey(model="loan", visit=1, step="promote")
    known = ModelRegistered(facts=facts_of("loan", RiskTier.LOW), regulations=())
    parts.inventory.commit_effect(key, StepResult(summary="serves"), [known, registered, serves])
    yield parts
    parts.inventory.close()  # type: ignore[attr-defined]  # the port has no end


@pytest.fixture
def submission(parts: Parts) -> Submission:
    return parts.inventory.submission("loan", 1)


@pytest.fixture
def measure(parts: Parts, tmp_path: Path) -> Callable[..., MonitorOutcome]:
    """Has a window of some text arrive, and the monitor look at it."""
    activities = monitoring_of(parts)

    def look(window: str, order: MonitorOrder = ORDER, after: timedelta = timedelta()) -> MonitorOutcome:
        govern(parts, order)
        (tmp_path / "loan-window.json").write_text(window)
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, scheduled_time=datetime.now(UTC) + after)
        return environment.run(activities.measure_window, order)

    return look


def govern(parts: Parts, order: MonitorOrder) -> None:
    """A plan with just this check governs the model."""
    plan = plan_of("low-risk").model_copy(update={"monitors": (order.monitor,), "kpis": order.kpis})
    event = Event(at=datetime(2026, 3, 2, tzinfo=UTC), body=Started(plan=digest(plan)))
    state = step(plan, State(model=order.model, owner="olga"), event).state
    parts.inventory.commit_plan(plan)
    parts.inventory.commit_event(
        JournalEntry(model=order.model, plan=digest(plan), seq=1, event=event, snapshot=snapshot(state))
    )


@pytest.mark.parametrize(
    "forged",
    [{"kpis": (Kpi(name="quantity_number_0", passes="< 0", fails=">= 0"),)}, {"environment": Environment.TEST}],
)
def test_a_check_that_no_plan_asks_for_is_not_made(
    forged: dict[str, object], measure: Callable[..., MonitorOutcome], parts: Parts
) -> None:
    """Whoever may start workflows measures by the plan's thresholds or not at all: nothing is on record of it."""
    measure('{"missing": 1}')
    known = len(parts.inventory.trail("loan"))
    activities = monitoring_of(parts)
    with pytest.raises(NotPermittedError, match="has no such check 'drift'"):
        ActivityEnvironment().run(activities.measure_window, ORDER.model_copy(update=forged))
    assert len(parts.inventory.trail("loan")) == known


def test_a_long_reason_is_told_shortened(measure: Callable[..., MonitorOutcome]) -> None:
    """A failure with more to say than a reason may hold is told all the same, and says that it was cut."""
    outcome = measure(json.dumps({kpi.name: 0.9 for kpi in KPIS}))
    assert len(outcome.result.summary) > REASON_LIMIT
    assert outcome.breach is not None
    (reason,) = outcome.breach.reasons
    assert (len(reason), reason[-1]) == (REASON_LIMIT, "…")
    assert outcome.result.summary.startswith(reason[:-1])


def test_a_short_reason_is_told_whole(measure: Callable[..., MonitorOutcome]) -> None:
    """A failure that fits is told in its own words."""
    kpi = ORDER.kpis[0]
    monitor = ORDER.monitor.model_copy(update={"checks": (kpi.name,)})
    outcome = measure(json.dumps({kpi.name: 0.9}), ORDER.model_copy(update={"kpis": (kpi,), "monitor": monitor}))
    assert outcome.breach is not None
    assert outcome.breach.reasons == (outcome.result.summary,)
    assert outcome.result.verdict is Verdict.FAIL


def test_the_age_of_a_champion_is_measured(measure: Callable[..., MonitorOutcome], parts: Parts) -> None:
    """How many days a champion has served is a reading beside those of the window, and is judged like them."""
    kpi = Kpi(name="days_in_service", passes="<= 365", fails="> 365")
    order = ORDER.model_copy(
        update={
            "kpis": (kpi,),
            "monitor": ORDER.monitor.model_copy(update={"checks": ("days_in_service",)}),
        }
    )
    young = measure(json.dumps({"drift": 0.1}), order, after=timedelta(days=365))
    assert young.result.verdict is Verdict.PASS
    old = measure(json.dumps({"drift": 0.2}), order, after=timedelta(days=366))
    assert old.breach is not None
    (age,) = (one for one in old.result.readings if one.name == "days_in_service")
    assert age.value == 366


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_lost_evidence_is_not_measured(
    lose: Callable[[Path], object], measure: Callable[..., MonitorOutcome], parts: Parts, submission: Submission
) -> None:
    """A model that is no longer there, or no longer the same: that is told, and is a failure the second time."""
    kept = parts.store.fetch(submission.artifact)
    kept.chmod(0o644)
    lose(kept)
    Path(submission.artifact.uri.removeprefix("file://")).unlink()
    once = measure(json.dumps({kpi.name: 0.1 for kpi in KPIS}))
    assert (once.result.verdict, once.breach) == (Verdict.INCONCLUSIVE, None)
    assert once.result.summary.startswith("not measured: ")
    again = measure(json.dumps({kpi.name: 0.11 for kpi in KPIS}), after=timedelta(days=1))
    assert again.result.summary.startswith("not measured, nor at the look before: ")
    assert again.breach is not None


def test_the_record_is_read_once_in_a_period_without_any_window(
    measure: Callable[..., MonitorOutcome], parts: Parts, tmp_path: Path
) -> None:
    """What is read from the record waits for no data; it is judged once a period, and silence is none of its faults."""
    kpi = Kpi(name="void_approvals", passes="== 0", fails="> 0")
    order = ORDER.model_copy(
        update={"kpis": (kpi,), "monitor": ORDER.monitor.model_copy(update={"checks": ("void_approvals",)})}
    )
    first = measure("no window of data at all", order, after=timedelta(days=30))
    again = measure("nor any other", order, after=timedelta(days=30))
    assert first.result == again.result
    assert (first.result.verdict, first.breach) == (Verdict.PASS, None)
    assert first.result.summary == "void_approvals pass: 0 == 0"
    assert len(parts.inventory.verdicts("loan", "drift")) == 1
    measure("nothing", order, after=timedelta(days=31))
    assert len(parts.inventory.verdicts("loan", "drift")) == 2


METRIC = Kpi(name="booked_margin", passes=">= 100", fails="< 50", metric="margin")
BUSINESS = ORDER.model_copy(
    update={"kpis": (METRIC,), "monitor": ORDER.monitor.model_copy(update={"checks": ("booked_margin",)})}
)


def margins(tmp_path: Path, text: str, **more: str) -> NamedMetrics:
    """Metrics whose one source is a file with some text."""
    (tmp_path / "metrics" / "margin").mkdir(parents=True)
    (tmp_path / "metrics" / "margin" / "loan.csv").write_text(text)
    return NamedMetrics(
        Metrics.model_validate(
            {
                "sources": {"drop": {"kind": "files", "folder": str(tmp_path / "metrics")}},
                "metrics": {"margin": {"source": "drop", "query": "sum", "unit": "EUR", **more}},
            }
        )
    )


@pytest.mark.parametrize(
    ("values", "verdict", "said"),
    [
        ((70, 50), Verdict.PASS, "booked_margin pass: 120 >= 100"),
        ((30, 10), Verdict.FAIL, "booked_margin fail: 40 < 50"),
        (("NaN", 10), Verdict.INCONCLUSIVE, "not measured: a metric cannot be read: "),
        ((), Verdict.INCONCLUSIVE, "not measured: a metric cannot be read: "),
    ],
)
def test_a_business_kpi_is_read_from_its_metric(
    values: tuple[object, ...], verdict: Verdict, said: str, parts: Parts, tmp_path: Path
) -> None:
    """Over the last whole period; the answer, its question and period are kept; what is no answer is not measured."""
    now = datetime.now(UTC)
    lines = [f"{now.replace(hour=hour).isoformat()},{value},5" for hour, value in enumerate(values)]
    read = margins(tmp_path, "\n".join(["at,value,count", *lines]))
    parts = dataclasses.replace(parts, metrics=read)
    govern(parts, BUSINESS)
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, scheduled_time=now + timedelta(days=1))
    outcome = environment.run(monitoring_of(parts).measure_window, BUSINESS)
    assert (outcome.result.verdict, said in outcome.result.summary) == (verdict, True)
    assert (outcome.breach is not None) == (verdict is Verdict.FAIL)
    if verdict is Verdict.PASS:
        (evidence,) = outcome.result.evidence
        kept = Measurement.model_validate_json(parts.store.path(evidence.digest).read_bytes())
        assert (kept.value, kept.count, kept.until - kept.since) == (120, 10, timedelta(days=1))
        assert kept.query == digest_bytes(b"sum")


def test_what_the_version_before_has_brought_is_booked(parts: Parts, tmp_path: Path) -> None:
    """Its last whole period, though the version that serves now had not begun; of that one nothing is measured."""
    now = datetime.now(UTC)
    ended = period_before(86_400, now).until
    url = f"sqlite:///{tmp_path / 'inventory.db'}"
    execute(url, f"UPDATE deployment SET since = '{ended - timedelta(days=9):%Y-%m-%d %H:%M:%S}'")
    serves = Deployed(environment=Environment.PROD, version=2, bundle="sha256:" + "0" * 64, endpoint="http://loan")
    registered = VersionRegistered(version=2, submission=parts.inventory.submission("loan", 1))
    key = EffectKey(model="loan", visit=2, step="promote")
    parts.inventory.commit_effect(key, StepResult(summary="serves"), [registered, serves])
    read = margins(tmp_path, f"at,value,count\n{(ended - timedelta(hours=5)).isoformat()},70,5\n", worth="value")
    activities, environment = monitoring_of(dataclasses.replace(parts, metrics=read)), ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, scheduled_time=now)
    govern(parts, BUSINESS)
    for _ in range(2):
        outcome = environment.run(activities.measure_window, BUSINESS)
        assert (outcome.result.summary, outcome.breach) == ("before version 2 served", None)
    (entry,) = parts.inventory.booked("loan")
    assert (entry.version, entry.amount, entry.until) == (1, 70, ended)
    assert parts.inventory.verdicts("loan", "drift") == []


def test_a_metric_that_nobody_configured_is_named_and_a_failure_from_the_second_period_on(
    measure: Callable[..., MonitorOutcome],
) -> None:
    """A template may name what this installation does not have: the monitor says so, it does not wait for ever."""
    once = measure("no window", BUSINESS, after=timedelta(days=1))
    assert once.result.summary == "not measured: a metric cannot be read: no metric 'margin' is configured"
    assert (once.result.verdict, once.breach) == (Verdict.INCONCLUSIVE, None)
    assert measure("no window", BUSINESS, after=timedelta(days=2)).breach is not None


@pytest.mark.parametrize(
    ("drift", "verdict", "said"),
    [
        (0.1, Verdict.INCONCLUSIVE, r"not measured: a metric cannot be read: .*; drift pass: 0\.1 < 0\.2"),
        (0.3, Verdict.FAIL, r"drift fail: 0\.3 >= 0\.2; not measured: a metric cannot be read: .*"),
    ],
)
def test_what_fails_is_not_hidden_by_what_cannot_be_measured(
    drift: float, verdict: Verdict, said: str, measure: Callable[..., MonitorOutcome]
) -> None:
    """A metric is out of reach and the window is there: what it fails is a failure at once, and both are said."""
    kpis = (METRIC, Kpi(name="drift", passes="< 0.2", fails=">= 0.2"))
    checks = tuple(kpi.name for kpi in kpis)
    order = ORDER.model_copy(update={"kpis": kpis, "monitor": ORDER.monitor.model_copy(update={"checks": checks})})
    found = measure(json.dumps({"drift": drift}), order)
    assert (found.result.verdict, found.breach is not None) == (verdict, verdict is Verdict.FAIL)
    assert re.fullmatch(said, found.result.summary)


def asking(*names: str, **bounds: str) -> MonitorOrder:
    """A check of some quantities, each fine at 0 unless bounds say otherwise."""
    kpis = tuple(Kpi.model_validate({"name": name, "passes": "== 0", "fails": "> 0", **bounds}) for name in names)
    return ORDER.model_copy(update={"kpis": kpis, "monitor": ORDER.monitor.model_copy(update={"checks": names})})


def test_how_a_champion_answers_is_read_without_any_window(
    measure: Callable[..., MonitorOutcome], tmp_path: Path
) -> None:
    """Its errors and its latency over the last whole period; if nobody asked it, there is a reason and no pass."""
    order = asking("live_error_rate", "live_latency", passes="<= 0.1", fails="> 10")
    quiet = measure("no window", order, after=timedelta(days=1))
    assert quiet.result.verdict is Verdict.INCONCLUSIVE
    assert "no reading: nobody has asked the version in the period" in quiet.result.summary
    (tmp_path / "service.json").write_text(ServiceReport(requests=200, failed=20, late=12_500).model_dump_json())
    asked = measure("no window", order, after=timedelta(days=2))
    found = {one.name: (one.value, one.count) for one in asked.result.readings}
    assert found == {"live_error_rate": (0.1, 200), "live_latency": (12.5, 180)}
    assert asked.result.verdict is Verdict.FAIL


class Down:
    """No server answers."""

    def read(self, environment: Environment, model: str, version: int, period: Period) -> ServiceReport:
        """Never."""
        raise UnavailableError("how 'loan' answers in PROD cannot be read")


class Elsewhere:
    """Somebody else's servers."""

    def read(self, environment: Environment, model: str, version: int, period: Period) -> ServiceReport:
        """Never."""
        raise InvalidInputError("what versions answer in PROD is not known")


@pytest.mark.parametrize(("service", "unmeasured"), [(Down(), True), (Elsewhere(), False)])
def test_a_server_that_does_not_tell(service: Service, unmeasured: bool, parts: Parts) -> None:
    """One that is down is not measured; where nobody can tell, the reading is not there and says why."""
    order = asking("live_latency")
    govern(parts, order)
    activities, environment = monitoring_of(dataclasses.replace(parts, service=service)), ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, scheduled_time=datetime.now(UTC) + timedelta(days=1))
    outcome = environment.run(activities.measure_window, order)
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    assert "answer" in outcome.result.summary
    assert [look.unmeasured for look in parts.inventory.looks("loan", "drift")] == [unmeasured]


def test_policy_packs_are_read_for_every_look(parts: Parts, tmp_path: Path) -> None:
    """A pack that came after the plan was compiled is a change, and is named; one that cannot be read is a reason."""
    order = asking("policy_changes")
    govern(parts, order)
    for policies, said in (
        (PolicyFolder(), " > 0 (baseline@1, "),
        (PolicyFolder(tmp_path / "gone"), "no reading: the policy packs cannot be read: "),
    ):
        environment, activities = ActivityEnvironment(), monitoring_of(dataclasses.replace(parts, policies=policies))
        later = datetime.now(UTC) + timedelta(days=said.startswith("no"))
        environment.info = dataclasses.replace(environment.info, scheduled_time=later)
        assert said in environment.run(activities.measure_window, order).result.summary


def test_changed_columns_are_judged_without_running_the_model(measure: Callable[..., MonitorOutcome]) -> None:
    """A monitor of the columns alone says which have changed of a window that cannot be measured otherwise."""
    alone = measure(json.dumps({"went": ["obrat"]}), asking("schema_changes"))
    assert alone.result.summary == "schema_changes fail: 1 > 0 (went: obrat)"
    assert alone.breach is not None


def test_changed_columns_are_told_of_a_window_that_cannot_be_measured(
    measure: Callable[..., MonitorOutcome], parts: Parts
) -> None:
    """A monitor that also measures has read the columns all the same, and fails by what they are."""
    order = asking("schema_changes", "drift")
    broken = measure(json.dumps({"went": ["obrat"]}), order)
    assert broken.result.summary.startswith("schema_changes fail: 1 > 0 (went: obrat); not measured: ")
    assert broken.breach is not None
    assert [(one.name, one.value) for one in broken.result.readings] == [("schema_changes", 1)]
    (evidence,) = broken.result.evidence
    assert SchemaReport.model_validate_json(parts.store.path(evidence.digest).read_bytes()).went == ("obrat",)
    assert measure(json.dumps({"drift": 0.0}), order).result.verdict is Verdict.PASS
