"""The composition root: the one module that chooses the real parts."""

import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities.adapters.bundle_samples import BundleSamples
from activities.adapters.child_prover import ChildProver
from activities.adapters.ci_checks import CiChecks
from activities.adapters.file_notary import FileNotary
from activities.adapters.oip_service import OipService
from activities.adapters.oip_traffic import OipTraffic
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.sql_findings import SqlFindings
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.static_scanner import StaticScanner
from activities.adapters.temporal_executions import TemporalExecutions
from activities.adapters.temporal_lifecycles import TemporalLifecycles
from activities.adapters.temporal_scheduler import TemporalScheduler
from activities.audit import AuditActivities
from activities.business import Business
from activities.checkpoint import CheckpointActivities
from activities.evaluation import EvaluationActivities
from activities.external import ExternalActivities
from activities.failures import FailureTranslator
from activities.identity import IdentityActivities
from activities.judging import Judging
from activities.metric_ports import MetricsReader
from activities.monitoring import MonitoringActivities
from activities.notification import NotificationActivities
from activities.packaging import PackagingActivities
from activities.ports import (
    ArtifactStore,
    Bundles,
    Deployer,
    Directory,
    Evaluator,
    Inventory,
    Notary,
    Packager,
    Pipelines,
    Policies,
    Predictor,
    Prover,
    Samples,
    Scanner,
    SupplyScanner,
    Traffic,
    Trainer,
)
from activities.promotion import PromotionActivities
from activities.reconciliation import ReconciliationActivities
from activities.reconciliation_ports import Environments, Executions, Findings
from activities.registration import RegistrationActivities
from activities.retirement import RetirementActivities
from activities.retraining import RetrainingActivities
from activities.scanning import ScanningActivities
from activities.schedule_ports import Schedules, Watches
from activities.service_ports import Service
from activities.trial import TrialActivities
from activities.unwindowed import Unwindowed
from activities.upkeep import Upkeep
from activities.validation import Validator
from activities.window_ports import Windows
from models.environments import Environments as Surroundings
from models.plan import KERNEL
from models.reconciliation import Expected
from worker.beginnings import Beginnings
from worker.bundles import bundles_of, packager_of
from worker.delivering import Delivering, delivering_of
from worker.directories import directory_of
from worker.environments import environments_of, where_seen
from worker.interceptors import Beating, Observing
from worker.keeping import checkpoints_of, store_of
from worker.metrics import metrics_of
from worker.pipelines import ci_runs
from worker.policies import PolicyFolder
from worker.progress import go_on
from worker.proofs import KeptProofs
from worker.registries import Elsewhere, elsewhere_of
from worker.settings import ACTUATORS, Settings
from worker.shelves import shelves_of
from worker.supplying import supply_of
from worker.targets import targets_of
from worker.trainers import trainers_of
from worker.windows import windows_of
from workflows import attributes, options
from workflows.checkpoint import AuditCheckpoint
from workflows.delivery import Delivery
from workflows.lifecycle import ModelLifecycle
from workflows.monitoring import MonitorCheck
from workflows.reconciliation import Reconciliation
from workflows.registration import ModelRegistration
from workflows.registry import RegistryRound
from workflows.sandbox import sandboxed

ACTIVITY_THREADS = 16
CACHED_LIFECYCLES = 2_000
DRAIN = timedelta(seconds=5)
BUILD = f"modelops-kernel-{KERNEL}"
"""Left out, the SDK hashes every loaded module for one: three seconds of each start."""


@dataclass(frozen=True)
class Parts:
    """One adapter per port that the worker needs: none of them can change what an environment serves."""

    inventory: Inventory
    store: ArtifactStore
    scanner: Scanner
    supply: SupplyScanner
    evaluator: Evaluator
    packager: Packager
    bundles: Bundles
    trainer: Trainer
    pipelines: Pipelines
    windows: Windows
    directory: Directory
    schedules: Schedules
    policies: Policies
    prover: Prover
    findings: Findings
    executions: Executions
    environments: Environments
    metrics: MetricsReader
    service: Service
    elsewhere: Elsewhere | None = None
    delivery: Delivering | None = None
    watches: Watches | None = None


@dataclass(frozen=True)
class ActuatorParts:
    """What the actuator needs: it alone has a deployer."""

    inventory: Inventory
    store: ArtifactStore
    deployer: Deployer
    traffic: Traffic
    directory: Directory
    surroundings: Surroundings
    notary: Notary
    bundles: Bundles
    samples: Samples
    predictor: Predictor


def choose_parts(settings: Settings, client: Client) -> Parts:
    """The real parts, as configured."""
    root, surroundings = settings.root, environments_of(settings)
    store, inventory = store_of(settings), SqlInventory(settings.database)
    runs = ci_runs(settings.ci)
    schedules = TemporalScheduler(client, MonitorCheck.__name__, options.TASK_QUEUE)
    return Parts(
        inventory=inventory,
        store=store,
        scanner=StaticScanner(),
        supply=supply_of(settings, store),
        evaluator=OnnxEvaluator(beat=go_on),
        packager=packager_of(settings, store),
        bundles=bundles_of(settings, store),
        trainer=trainers_of(settings, store, runs),
        pipelines=CiChecks(runs),
        windows=windows_of(settings, go_on),
        directory=directory_of(settings, settings.database),
        schedules=schedules,
        watches=schedules,
        policies=PolicyFolder(settings.policies),
        prover=KeptProofs(root / "proofs", ChildProver().prove),
        findings=SqlFindings(settings.database),
        executions=TemporalExecutions(client, attributes.MODEL.name, options.ANSWER_TIMEOUT),
        metrics=metrics_of(settings),
        service=OipService({name: local.url for name, local in surroundings.locals()}),
        environments=shelves_of(surroundings, store),
        elsewhere=elsewhere_of(settings),
        delivery=delivering_of(settings),
    )


def choose_actuator_parts(settings: Settings) -> ActuatorParts:
    """The real parts of the actuator, as configured."""
    inventory, store, surroundings = (
        SqlInventory(settings.actuator_database),
        store_of(settings),
        environments_of(settings),
    )
    targets = targets_of(settings, surroundings, store)
    return ActuatorParts(
        inventory=inventory,
        store=store,
        deployer=targets,
        traffic=OipTraffic(
            {name: local.url for name, local in surroundings.locals()},
            settings.token,
            settings.outcomes,
            settings.root / "observed",
        ),
        directory=directory_of(settings, settings.actuator_database),
        surroundings=surroundings,
        notary=FileNotary(inventory, checkpoints_of(settings), settings.notary, settings.audience),
        bundles=bundles_of(settings, store),
        samples=BundleSamples(store),
        predictor=targets,
    )


def build_worker(
    client: Client, parts: Parts, task_queue: str = options.TASK_QUEUE, actuators: tuple[str, ...] = ACTUATORS
) -> Worker:
    """A worker for every workflow of ours, and every activity but those of the actuator.

    `actuators` are how the identities of actuators begin.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[
            ModelLifecycle,
            MonitorCheck,
            ModelRegistration,
            AuditCheckpoint,
            Reconciliation,
            RegistryRound,
            Delivery,
        ],
        activities=[
            *_activities(parts),
            *_elsewhere(client, parts, task_queue),
            *([parts.delivery.activities.deliver_messages] if parts.delivery else []),
            _reconciliation(parts, task_queue, actuators).reconcile,
        ],
        build_id=BUILD,
        activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS, thread_name_prefix="activity"),
        workflow_runner=sandboxed(),
        workflow_failure_exception_types=[ApplicationError, ActivityError],
        interceptors=[Beating(), Observing(), FailureTranslator()],
        max_cached_workflows=CACHED_LIFECYCLES,
        graceful_shutdown_timeout=DRAIN,
    )


def monitoring_of(parts: Parts) -> MonitoringActivities:
    """What looks at models in production."""
    upkeep = Upkeep(parts.inventory, parts.directory, parts.findings, parts.policies)
    judging = Judging(
        parts.inventory,
        parts.store,
        parts.evaluator,
        parts.windows,
        Unwindowed(parts.inventory, upkeep, parts.service),
        Business(parts.inventory, parts.store, parts.metrics),
    )
    return MonitoringActivities(parts.inventory, parts.windows, parts.schedules, judging)


def _activities(parts: Parts) -> list[Callable[..., Any]]:
    audit = AuditActivities(parts.inventory, parts.prover)
    notification = NotificationActivities(parts.inventory, parts.directory)
    registration = RegistrationActivities(parts.inventory, parts.store, parts.policies)
    scanning = ScanningActivities(parts.inventory, parts.store, parts.scanner, parts.supply)
    evaluation = EvaluationActivities(parts.inventory, parts.store, parts.evaluator)
    packaging = PackagingActivities(parts.inventory, parts.store, parts.evaluator, parts.packager, parts.bundles)
    monitoring = monitoring_of(parts)
    retraining = RetrainingActivities(parts.inventory, parts.trainer, parts.windows)
    external = ExternalActivities(parts.inventory, parts.store, parts.pipelines)
    retirement = RetirementActivities(parts.inventory, parts.store)
    return [
        audit.record_events,
        audit.record_plan,
        audit.confirm_state,
        IdentityActivities(parts.directory).identify,
        notification.ask_approvers,
        notification.notify_people,
        registration.register_model,
        registration.classify,
        registration.register_version,
        scanning.scan_artifact,
        evaluation.evaluate_version,
        packaging.package_version,
        monitoring.start_monitors,
        monitoring.stop_monitors,
        monitoring.tighten_monitor,
        monitoring.measure_window,
        retraining.train_version,
        external.run_pipeline,
        retirement.assess_consumers,
        retirement.notify_consumers,
        retirement.archive_model,
    ]


def _reconciliation(parts: Parts, task_queue: str, actuators: tuple[str, ...]) -> ReconciliationActivities:
    return ReconciliationActivities(
        parts.findings,
        parts.executions,
        parts.environments,
        options.actuator_queue(task_queue),
        Expected(actuators, newborn=options.NEWBORN),
        options.RECORD_GRACE,
        parts.elsewhere.aliases(parts.inventory) if parts.elsewhere else None,
        parts.delivery.undelivered if parts.delivery else tuple,
        parts.watches,
    )


def _elsewhere(client: Client, parts: Parts, task_queue: str) -> list[Callable[..., Any]]:
    if parts.elsewhere is None:
        return []
    beginnings = Beginnings(client, task_queue, parts.inventory, parts.policies, parts.prover, parts.elsewhere.demand)
    lifecycles = TemporalLifecycles(client, beginnings.begin, options.ANSWER_TIMEOUT)
    return [parts.elsewhere.activities(parts.inventory, lifecycles).follow_registry]


def build_actuator(client: Client, parts: ActuatorParts, task_queue: str = options.TASK_QUEUE) -> Worker:
    """The worker that changes what environments serve, for the lifecycles of a task queue."""
    asks = parts.surroundings
    validator = Validator(asks.validation, parts.samples, parts.predictor, parts.store)
    promotion = PromotionActivities(
        parts.inventory, parts.deployer, parts.directory, asks.minimum, parts.notary, parts.bundles, validator
    )
    trial = TrialActivities(
        parts.inventory,
        parts.store,
        parts.deployer,
        parts.traffic,
        parts.notary,
        where_seen(promotion.cleared, asks),
        promotion.validated,
    )
    return Worker(
        client,
        task_queue=options.actuator_queue(task_queue),
        identity=f"{ACTUATORS[0]}{platform.node()}",
        activities=[
            promotion.promote_version,
            promotion.restore_version,
            promotion.stop_serving,
            promotion.undeploy_model,
            trial.look_at_trial,
            CheckpointActivities(parts.notary).write_checkpoint,
        ],
        build_id=BUILD,
        activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS, thread_name_prefix="activity"),
        interceptors=[Beating(), Observing(), FailureTranslator()],
        graceful_shutdown_timeout=DRAIN,
    )
