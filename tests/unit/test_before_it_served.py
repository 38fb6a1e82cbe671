"""What was over when a version began to serve is none of its looks: no failure, no noise, nothing on record."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RefusedError, UnavailableError
from models.evidence import EffectKey, StepResult
from models.inventory import Deployed, Environment, VersionRegistered
from models.metrics import Metrics, period_before
from models.monitoring import is_early
from models.verdict import Kpi, Verdict
from models.watching import demand_served
from tests.contract.backdoor import execute
from tests.watched_model import DAY, KPIS, WatchedModel, as_csv, cases, serving
from worker.metrics import NamedMetrics

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARLY = "before version 1 served"
AGE = (Kpi(name="days_in_service", passes="<= 365", fails="> 365"),)
SERVICE = (Kpi(name="live_latency", passes="<= 50", fails="> 200"),)
QUERY = "SELECT unit, income, score FROM cases WHERE :model = 'loan' AND at >= :since AND at < :until"
Serve = Callable[..., WatchedModel]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Has a model serve, from now on."""
    with serving(tmp_path) as made:
        yield made


def is_nothing(watched: WatchedModel, **when: object) -> bool:
    """Whether a look says that it is about the time before, and leaves no trace."""
    known = len(watched.parts.inventory.trail("loan"))
    found = watched.look(**when)  # type: ignore[arg-type]  # as the test says
    if found.result.summary != EARLY:
        return False
    assert (found.result.verdict, found.breach) == (Verdict.INCONCLUSIVE, None)
    return len(watched.parts.inventory.trail("loan")) == known


def test_a_file_that_came_before(serve: Serve) -> None:
    """However it drifts; the next one is measured, and if none comes for two periods that is silence."""
    watched = serve(kpis=KPIS[:1])
    path = watched.folder / "old.csv"
    path.write_text(as_csv(cases(mean=20)))
    before = (watched.began - timedelta(hours=1)).timestamp()
    os.utime(path, (before, before))
    assert is_nothing(watched)
    assert is_nothing(watched, after=1.9 * DAY)
    assert watched.look(after=3 * DAY).breach is not None
    (watched.folder / "new.csv").write_text(as_csv(cases()))
    assert watched.look().result.verdict is Verdict.PASS


def test_a_file_that_comes_again_is_measured_though_something_was_booked_before(serve: Serve) -> None:
    """What the version before has brought is booked under a name of its own: it answers for no look."""
    watched = serve(kpis=(*KPIS[:1], Kpi(name="margin", passes=">= 0", fails="< 0", metric="margin")))
    ended = period_before(86_400, watched.began).until
    url = f"sqlite:///{watched.root / 'inventory.db'}"
    execute(url, f"UPDATE deployment SET since = '{ended - 2 * DAY:%Y-%m-%d %H:%M:%S}'")
    again = Deployed(environment=Environment.PROD, version=1, bundle="sha256:" + "0" * 64, endpoint="http://loan")
    key = EffectKey(model="loan", visit=2, step="promote")
    watched.parts.inventory.commit_effect(key, StepResult(summary="serves again"), [again])
    kept = watched.root / "metrics" / "margin" / "loan.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"at,value,count\n{(ended - DAY).isoformat()},70,5\n{ended.isoformat()},70,5\n")
    said = {"sources": {"drop": {"kind": "files", "folder": str(watched.root / "metrics")}}}
    told = said | {"metrics": {"margin": {"source": "drop", "query": "sum", "unit": "EUR", "worth": "value"}}}
    watched.parts = dataclasses.replace(watched.parts, metrics=NamedMetrics(Metrics.model_validate(told)))
    path = watched.folder / "w.csv"
    path.write_text(as_csv(cases()))
    os.utime(path, (ended.timestamp(), ended.timestamp()))
    assert watched.look().result.summary == EARLY
    assert len(watched.parts.inventory.booked("loan")) == 1
    os.utime(path)
    assert watched.look(after=DAY).result.verdict is Verdict.PASS


def test_a_version_does_not_answer_for_what_the_one_before_has_failed(serve: Serve) -> None:
    """Another one serves when a window has been measured: it is no failure of that one."""
    changes: list[Callable[[], object]] = []
    watched = serve(kpis=KPIS[:1], beat=lambda progress: changes.pop()() if changes else None)
    inventory = watched.parts.inventory
    registered = VersionRegistered(version=2, submission=inventory.submission("loan", 1))
    serves = Deployed(environment=Environment.PROD, version=2, bundle="sha256:" + "0" * 64, endpoint="http://loan")
    key = EffectKey(model="loan", visit=2, step="promote")
    changes.append(lambda: inventory.commit_effect(key, StepResult(summary="serves"), [registered, serves]))
    (watched.folder / "w.csv").write_text(as_csv(cases(mean=20)))
    with pytest.raises(UnavailableError, match="version 1 of 'loan' ceased to serve while it was measured"):
        watched.look()
    assert watched.verdicts() == []


def test_a_period_that_was_over_before(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is down, or has no rows of it, is not even asked; the period after it is measured."""
    watched = serve(said={"kind": "sql", "url": {"env": "WAREHOUSE"}, "query": QUERY})
    monkeypatch.setenv("WAREHOUSE", "postgresql+psycopg://127.0.0.1:1/dwh")
    assert is_nothing(watched)
    assert is_nothing(watched, at=watched.began - 30 * DAY)
    assert watched.look(after=DAY).result.summary.startswith("not measured: ")


@pytest.mark.parametrize("kpis", [SERVICE, AGE + SERVICE], ids=["service", "both"])
def test_what_is_read_over_a_period(kpis: tuple[Kpi, ...], serve: Serve) -> None:
    """The last whole one has to be of the version's time, at least in part."""
    watched = serve(kpis=kpis)
    assert is_nothing(watched)
    ended = period_before(86_400, watched.began).until
    assert not is_nothing(watched, at=ended + DAY, after=DAY)


def test_what_is_read_as_it_is(serve: Serve) -> None:
    """From the moment at which the version began: its first look need not wait for a period to end."""
    watched = serve(kpis=AGE)
    assert is_nothing(watched, at=watched.began - DAY)
    assert not is_nothing(watched, at=watched.began.replace(microsecond=0))
    assert watched.verdicts() == ["pass"]


@given(st.integers(-1_000, 1_000))
def test_what_ends_as_the_version_begins_is_early(hundredths: int) -> None:
    """By as much as the times of files are exact."""
    assert is_early(NOON + timedelta(seconds=hundredths / 100), NOON) == (hundredths <= -10)


@given(st.integers(-10_000, 10_000), st.integers(0, 999_999))
def test_nobody_makes_up_for_what_was_before(seconds: int, micro: int) -> None:
    """It is refused with the moment since when there is something to see, and what is said there is accepted."""
    served = NOON + timedelta(microseconds=micro)
    asked = NOON + timedelta(seconds=seconds)
    if asked >= served:
        demand_served(asked, 2, served)
        return
    with pytest.raises(RefusedError, match=r"version 2 serves since 2026-03-02 12:00:00 UTC") as refused:
        demand_served(asked, 2, served)
    demand_served(datetime.fromisoformat(refused.value.remedy.split()[-1]), 2, served)
