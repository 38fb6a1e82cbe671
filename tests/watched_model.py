"""A model that somebody else runs, in production, with one monitor: what it answered is in its windows of data."""

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from temporalio.testing import ActivityEnvironment

from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.sql_migration import migrate
from activities.monitoring import MonitoringActivities
from activities.window_ports import Beat, unheard
from models.canonical import digest, digest_bytes
from models.evidence import EffectKey, StepResult, WindowReport
from models.formats import Format
from models.inventory import (
    DataContract,
    Deployed,
    Environment,
    ModelRegistered,
    Reference,
    RiskTier,
    VersionRegistered,
)
from models.journal import JournalEntry
from models.lifecycle import step
from models.messages import Event, Started
from models.monitoring import MonitorOrder, MonitorOutcome
from models.plan import Brakes, MonitorPlan, Remedy
from models.state import State, snapshot
from models.verdict import Kpi
from models.windows import SaidWindows
from tests.temporal.doubles import quick_parts, write_submission
from tests.temporal.house import facts_of, plan_of
from worker.windows import NamedWindows
from worker.wiring import monitoring_of

DAY = timedelta(days=1)
CONTRACT = DataContract.model_validate(
    {
        "inputs": [{"name": "income"}],
        "outputs": [{"name": "score"}],
        "label": "approved",
        "protected": [{"column": "sex", "reference": "m"}],
    }
)
KPIS = (
    Kpi(name="drift", passes="< 0.2", fails=">= 0.2"),
    Kpi(name="live_accuracy", passes=">= 0.7", fails="< 0.7", at_least=20),
)


def training_data(rows: int = 200) -> str:
    """Incomes that are normal around 10."""
    incomes = np.random.default_rng(7).normal(10, 2, rows)
    return "\n".join(["income,approved", *(f"{income:.3f},{int(income > 10)}" for income in incomes), ""])


def cases(rows: int = 200, seed: int = 8, mean: float = 10) -> list[dict[str, object]]:
    """Cases of a window: the score is right about who has more than 10."""
    incomes = np.random.default_rng(seed).normal(mean, 2, rows)
    return [
        {"unit": f"{seed}-{number}", "income": round(float(income), 3), "score": 0.9 if income > 10 else 0.1}
        for number, income in enumerate(incomes)
    ]


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """With a header."""
    lines = [",".join("" if cell is None else str(cell) for cell in row.values()) for row in rows]
    return "\n".join([",".join(rows[0]), *lines, ""])


class WatchedModel:
    """Version 1 of `loan` serves; `folder` is where its windows arrive, unless something else is `said`."""

    def __init__(
        self,
        root: Path,
        said: Mapping[str, object] | None = None,
        kpis: tuple[Kpi, ...] = KPIS,
        breaches: int = 1,
        of: int = 0,
        beat: Beat = unheard,
        training: Path | None = None,
        contract: DataContract = CONTRACT,
    ) -> None:
        (root / "inventory.db").write_bytes(_empty_inventory())
        configured = SaidWindows.model_validate({"windows": {"loan": said} if said else {}})
        windows = NamedWindows(configured, root / "windows", root / "outcomes", root / "observed", beat)
        evaluator = OnnxEvaluator(beat=beat)
        self.root = root
        self.folder = root / "windows" / "loan"
        self.folder.mkdir(parents=True)
        self.parts = dataclasses.replace(quick_parts(root), windows=windows, evaluator=evaluator)
        self.order = _order(kpis, breaches, of)
        if training is None:
            training = root / "training.csv"
            training.write_text(training_data())
        self._serve(training, contract)
        self._govern()
        self.began = datetime.now(UTC)

    def _serve(self, data: Path, contract: DataContract) -> None:
        reference = Reference(uri=data.as_uri(), digest=digest_bytes(data.read_bytes()))
        changes = {
            "training_data": (reference,),
            "holdout": reference,
            "contract": contract,
            "golden": None,
            "format": Format.VENDOR,
        }
        submission = write_submission(self.root, "first").model_copy(update=changes)
        serves = Deployed(environment=Environment.PROD, version=1, bundle="sha256:" + "0" * 64, endpoint="http://loan")
        known = ModelRegistered(facts=facts_of("loan", RiskTier.LOW), regulations=())
        registered = VersionRegistered(version=1, submission=submission)
        key = EffectKey(model="loan", visit=1, step="promote")
        self.parts.inventory.commit_effect(key, StepResult(summary="serves"), [known, registered, serves])

    def _govern(self) -> None:
        changes = {"monitors": (self.order.monitor,), "kpis": self.order.kpis}
        plan = plan_of("low-risk").model_copy(update=changes)
        event = Event(at=datetime(2026, 3, 2, tzinfo=UTC), body=Started(plan=digest(plan)))
        state = step(plan, State(model="loan", owner="olga"), event).state
        self.parts.inventory.commit_plan(plan)
        self.parts.inventory.commit_event(
            JournalEntry(model="loan", plan=digest(plan), seq=1, event=event, snapshot=snapshot(state))
        )

    def activities(self) -> MonitoringActivities:
        """What measures."""
        return monitoring_of(self.parts)

    def look(self, after: timedelta = timedelta(), at: datetime | None = None, attempt: int = 99) -> MonitorOutcome:
        """The monitor looks so long after the version began to serve; `at` is what its schedule says."""
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, scheduled_time=self.began + after, attempt=attempt)
        measure: Callable[[MonitorOrder], MonitorOutcome] = self.activities().measure_window
        return environment.run(measure, self.order.model_copy(update={"at": at}))

    def verdicts(self) -> list[str]:
        """The last one about each window."""
        return [verdict for _, verdict in self.parts.inventory.verdicts("loan", "drift")]

    def report(self, outcome: MonitorOutcome) -> WindowReport:
        """The evidence of a look."""
        kept = next(one for one in outcome.result.evidence if one.kind == "window")
        return WindowReport.model_validate_json(self.parts.store.path(kept.digest).read_bytes())

    def close(self) -> None:
        """Give all connections back."""
        self.parts.inventory.close()  # type: ignore[attr-defined]  # the port has no end


@cache
def _empty_inventory() -> bytes:
    """A database that is migrated once."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(f"sqlite:///{folder}/inventory.db")
        return Path(folder, "inventory.db").read_bytes()


def _order(kpis: tuple[Kpi, ...], breaches: int, of: int) -> MonitorOrder:
    monitor = MonitorPlan(
        id="drift",
        checks=tuple(kpi.name for kpi in kpis),
        every=86_400,
        breaches=breaches,
        of=of,
        then=Remedy.ESCALATE,
        brakes=Brakes(cooldown=60, at_most=1, per=60, otherwise=Remedy.ESCALATE),
    )
    return MonitorOrder(model="loan", monitor=monitor, kpis=kpis, environment=Environment.PROD)


@contextmanager
def serving(root: Path) -> Iterator[Callable[..., WatchedModel]]:
    """Has models serve, with whatever a test says of them, and closes them all."""
    with ExitStack() as made:
        yield lambda **how: made.enter_context(closing(WatchedModel(root, **how)))
