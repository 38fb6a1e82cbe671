"""A monitor reads KPIs from real sources and keeps the value ledger: of every version, late answers too."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.sql_inventory import SqlInventory
from activities.business import Business, Look
from activities.ports import Serving
from models.evidence import EffectKey, StepResult
from models.inventory import Booked, Deployed, Environment, ModelRegistered, RiskTier, VersionRegistered
from models.metrics import Measurement, Metrics
from models.monitoring import MonitorOrder
from models.plan import Brakes, MonitorPlan, Remedy
from models.value import standing
from models.verdict import Kpi
from tests.temporal.doubles import write_submission
from tests.temporal.house import facts_of
from worker.metrics import NamedMetrics

TODAY = datetime(2026, 5, 20, tzinfo=UTC)
DAY = timedelta(days=1)
BUNDLE = "sha256:" + "0" * 64
MARGIN = Kpi(name="booked_margin", passes=">= 100", fails="< 50", metric="margin")
BARREN = Kpi(name="periods_without_value", passes="< 2", fails=">= 2")
SQL = (
    "SELECT sum(amount) AS value, count(*) AS count FROM booking "
    "WHERE name = '{name}' AND version = :version AND at >= :since AND at < :until"
)
ANY_VERSION = SQL.replace("version = :version AND ", "")
AsLong = Callable[..., "Office"]


class Office:
    """An installation whose clock is set by hand: version 1 served for nine days, then version 2."""

    def __init__(self, root: Path, metrics: dict[str, dict[str, str]]) -> None:
        self.now = TODAY
        self.root = root
        self._looks = count()
        self.warehouse = f"sqlite:///{root / 'warehouse.db'}"
        self.inventory = SqlInventory(f"sqlite:///{root / 'inventory.db'}", lambda: self.now)
        (root / "url").write_text(self.warehouse)
        said = {
            "sources": {"books": {"kind": "sql", "url": {"file": str(root / "url")}}},
            "metrics": {name: {"source": "books", "unit": "EUR", **one} for name, one in metrics.items()},
        }
        self.store = FileArtifactStore(root / "store", [root])
        self.metrics = NamedMetrics(Metrics.model_validate(said))
        self._execute("CREATE TABLE booking (name TEXT, version INT, amount FLOAT, at TIMESTAMP)")
        self._begin(root)

    def _begin(self, root: Path) -> None:
        known = [ModelRegistered(facts=facts_of("loan", RiskTier.LOW), regulations=())]
        versions = [
            VersionRegistered(version=number, submission=write_submission(root, f"v{number}")) for number in (1, 2)
        ]
        for number, since in ((1, TODAY - 9 * DAY), (2, TODAY - DAY / 2)):
            self.now = since
            serves = Deployed(environment=Environment.PROD, version=number, bundle=BUNDLE, endpoint="http://loan")
            key = EffectKey(model="loan", visit=number, step="promote")
            self.inventory.commit_effect(key, StepResult(summary="serves"), [*known, *versions, serves])
        self.now = TODAY + DAY / 24

    def _execute(self, statement: str, **given: object) -> None:
        engine = create_engine(self.warehouse)
        with engine.begin() as connection:
            connection.execute(text(statement), given)
        engine.dispose()

    def earn(self, amount: float, days: float, version: int = 1, name: str = "margin") -> None:
        """Something is booked in the warehouse, so many days before today."""
        at = (TODAY - days * DAY).replace(tzinfo=None)
        statement = "INSERT INTO booking VALUES (:name, :version, :amount, :at)"
        self._execute(statement, name=name, version=version, amount=amount, at=at)

    def look(self, *kpis: Kpi, ago: timedelta = timedelta()) -> Look:
        """A look of a daily monitor, which is recorded; it stands for a moment so long ago."""
        monitor = MonitorPlan(
            id="value",
            checks=tuple(kpi.name for kpi in kpis),
            every=86_400,
            breaches=1,
            then=Remedy.ESCALATE,
            brakes=Brakes(cooldown=60, at_most=1, per=60, otherwise=Remedy.ESCALATE),
        )
        order = MonitorOrder(model="loan", monitor=monitor, kpis=kpis, environment=Environment.PROD)
        serving = Serving(2, BUNDLE, TODAY - DAY / 2)
        found = Business(self.inventory, self.store, self.metrics).look(order, serving, self.now - ago, self.now)
        key = EffectKey(model="loan", visit=0, step=f"measure/value/{next(self._looks)}/v2")
        result = StepResult(summary="looked", readings=found.readings, evidence=found.evidence)
        self.inventory.commit_effect(key, result, found.booked)
        return found

    def ledger(self) -> list[tuple[str, int, float, float, float]]:
        """What stands: metric, version, from and to in days before today, amount."""
        return [
            (one.metric, one.version, (TODAY - one.since) / DAY, (TODAY - one.until) / DAY, one.amount)
            for one in standing(self.inventory.booked("loan"))
        ]


@pytest.fixture
def office(tmp_path: Path, migrated_sqlite: Path) -> Iterator[AsLong]:
    """Opens an office with some metrics, each by what is said of it."""
    shutil.copy(migrated_sqlite, tmp_path / "inventory.db")
    opened: list[Office] = []

    def open(**metrics: dict[str, str]) -> Office:
        opened.append(Office(tmp_path, metrics))
        return opened[-1]

    yield open
    for one in opened:
        one.inventory.close()


def worth(name: str, kind: str = "value", query: str = SQL, late: str = "3d") -> dict[str, str]:
    """A metric that goes into the ledger."""
    return {"query": query.format(name=name), "worth": kind, "late": late}


def test_every_version_that_served_is_credited_with_its_own(office: AsLong) -> None:
    """The KPI is read of the one that serves; the ledger hears of both, each over all of the period."""
    books = office(margin=worth("margin", late="0s"))
    books.earn(30, days=0.9, version=1)
    books.earn(5, days=0.2, version=1)
    books.earn(70, days=0.1, version=2)
    found = books.look(MARGIN)
    assert [(one.name, one.value, one.count) for one in found.readings] == [("booked_margin", 70, 1)]
    assert sorted(books.ledger()) == [("margin", 1, 1, 0, 35), ("margin", 2, 1, 0, 70)]
    assert found.problem == ""
    for entry in found.booked:
        kept = Measurement.model_validate_json(books.store.path(entry.answer).read_bytes())
        assert (kept.value, kept.since, kept.until) == (entry.amount, entry.since, entry.until)


def test_a_question_without_a_version_credits_nobody_twice(office: AsLong) -> None:
    """It is asked of the times when each served; the sum is that of the day."""
    books = office(margin=worth("margin", query=ANY_VERSION, late="0s"))
    books.earn(30, days=0.9)
    books.earn(70, days=0.1)
    books.look(MARGIN)
    assert sorted(books.ledger()) == [("margin", 1, 1, 0.5, 30), ("margin", 2, 0.5, 0, 70)]


def test_what_a_source_learns_late_corrects_an_entry(office: AsLong) -> None:
    """Within `late` and not after it; what has not changed is not booked again."""
    books = office(margin=worth("margin", late="1d"))
    books.earn(10, days=0.1, version=2)
    assert len(books.look(MARGIN).booked) == 1
    books.earn(5, days=0.15, version=2)
    books.now += DAY
    books.earn(20, days=-0.5, version=2)
    assert [(one.amount, one.version) for one in books.look(MARGIN).booked] == [(20, 2)]
    books.now -= DAY / 24
    (correction,) = books.look(MARGIN).booked
    assert (correction.amount, correction.since) == (15, TODAY - DAY)
    assert [(one.revision, one.amount) for one in books.inventory.booked("loan")] == [(0, 10), (0, 20), (1, 15)]
    assert books.look(MARGIN).booked == ()


def test_what_a_source_has_forgotten_corrects_nothing(office: AsLong) -> None:
    """A look that is made up for long after `late` finds what the source has kept; what was booked stands."""
    books = office(margin=worth("margin", late="1d"))
    books.earn(10, days=0.1, version=2)
    assert len(books.look(MARGIN).booked) == 1
    books.earn(-10, days=0.1, version=2)
    books.now += 5 * DAY
    assert books.look(MARGIN, ago=5 * DAY).booked == ()
    assert books.ledger() == [("margin", 2, 1, 0, 10)]


def test_a_period_that_could_not_be_asked_is_booked_later(office: AsLong) -> None:
    """A source that is broken is a problem in words; its days are in the ledger once it is well."""
    books = office(margin=worth("margin"))
    books.earn(10, days=0.1, version=2)
    (books.root / "url").write_text("sqlite:////nowhere/at/all.db")
    assert "a metric cannot be read: source 'books' does not answer" in books.look(MARGIN).problem
    assert books.ledger() == []
    (books.root / "url").write_text(books.warehouse)
    books.now += DAY
    found = books.look(MARGIN)
    assert "has no value from 2026-05-20 00:00" in found.problem
    assert books.ledger() == [("margin", 2, 1, 0, 10)]


def test_costs_and_what_is_not_worth_anything(office: AsLong) -> None:
    """A cost is booked as one; a metric without `worth` is read, and is in no ledger."""
    books = office(margin=worth("margin"), compute=worth("compute", "cost"), rate={"query": SQL.format(name="rate")})
    for name, amount in (("margin", 10.0), ("compute", 4.0), ("rate", 0.5)):
        books.earn(amount, days=0.1, version=2, name=name)
    checks = [Kpi(name=f"a_{name}", passes="> 0", fails="<= 0", metric=name) for name in ("margin", "compute", "rate")]
    found = books.look(*checks)
    assert [one.value for one in found.readings] == [10, 4, 0.5]
    assert [one.net for one in standing(books.inventory.booked("loan"))] == [-4, 10]
    assert len(found.evidence) == 3


def test_a_model_that_brings_nothing_is_counted(office: AsLong) -> None:
    """From the ledger, with what this look books; a new version does not begin the count anew."""
    books = office(margin=worth("margin", late="0s"))
    assert [(one.name, one.value) for one in books.look(BARREN).readings] == [("periods_without_value", 9)]
    books.earn(10, days=0.1, version=2)
    found = books.look(MARGIN, BARREN)
    assert [one.value for one in found.readings] == [10, 0]
    books.now += 3 * DAY
    (reading,) = books.look(BARREN).readings
    assert (reading.value, reading.count) == (3, 1)


def test_two_monitors_book_the_same_once(office: AsLong) -> None:
    """Whoever asks first has booked it, also if both have asked before either was recorded."""
    books = office(margin=worth("margin"))
    books.earn(10, days=0.1, version=2)
    (entry,) = books.look(MARGIN).booked
    for step in ("one", "other"):
        key = EffectKey(model="loan", visit=0, step=f"measure/{step}/w/v2")
        books.inventory.commit_effect(key, StepResult(summary="looked"), [entry])
    assert isinstance(entry, Booked)
    assert len(books.inventory.booked("loan")) == 1
