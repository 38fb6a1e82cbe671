"""The composition root: the one module that chooses the real parts."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities.adapters.child_prover import ChildProver
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_windows import FileWindows
from activities.adapters.oci_packager import OciPackager
from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.process_trainer import ProcessTrainer
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.static_scanner import StaticScanner
from activities.adapters.temporal_scheduler import TemporalScheduler
from activities.adapters.yaml_directory import YamlDirectory
from activities.audit import AuditActivities
from activities.evaluation import EvaluationActivities
from activities.failures import FailureTranslator
from activities.monitoring import MonitoringActivities
from activities.notification import NotificationActivities
from activities.packaging import PackagingActivities
from activities.ports import (
    ArtifactStore,
    Deployer,
    Directory,
    Evaluator,
    Inventory,
    Packager,
    Policies,
    Prover,
    Scanner,
    Schedules,
    Trainer,
    Windows,
)
from activities.promotion import PromotionActivities
from activities.registration import RegistrationActivities
from activities.retirement import RetirementActivities
from activities.retraining import RetrainingActivities
from activities.scanning import ScanningActivities
from models.clearance import Minimum
from models.inventory import Environment
from models.plan import KERNEL
from worker.interceptors import Beating, Observing
from worker.policies import PolicyFolder
from worker.proofs import KeptProofs
from worker.settings import Settings
from workflows import options
from workflows.lifecycle import ModelLifecycle
from workflows.monitoring import MonitorCheck
from workflows.registration import ModelRegistration
from workflows.sandbox import sandboxed

ACTIVITY_THREADS = 16
CACHED_LIFECYCLES = 2_000
DRAIN = timedelta(seconds=5)
BUILD = f"modelops-kernel-{KERNEL}"
"""Left out, the SDK hashes every loaded module for one: three seconds of each start."""

TRAINING_SECONDS = options.TRAINING_TIMEOUT.total_seconds()


@dataclass(frozen=True)
class Parts:
    """One adapter per port that the worker needs: none of them can change what an environment serves."""

    inventory: Inventory
    store: ArtifactStore
    scanner: Scanner
    evaluator: Evaluator
    packager: Packager
    trainer: Trainer
    windows: Windows
    directory: Directory
    schedules: Schedules
    policies: Policies
    prover: Prover


@dataclass(frozen=True)
class ActuatorParts:
    """What the actuator needs: it alone has a deployer."""

    inventory: Inventory
    deployer: Deployer
    directory: Directory
    minimum: Mapping[Environment, Minimum]


def choose_parts(settings: Settings, client: Client) -> Parts:
    """The real parts, as configured."""
    root = settings.root
    store = FileArtifactStore(settings.store, [root, *settings.sources])
    return Parts(
        inventory=SqlInventory(settings.database),
        store=store,
        scanner=StaticScanner(),
        evaluator=OnnxEvaluator(),
        packager=OciPackager(store),
        trainer=ProcessTrainer(
            settings.trainers, root / "training", sys.executable, TRAINING_SECONDS, beat=activity.heartbeat
        ),
        windows=FileWindows(settings.windows),
        directory=YamlDirectory(settings.people, settings.registry, settings.audience),
        schedules=TemporalScheduler(client, MonitorCheck.__name__, options.TASK_QUEUE),
        policies=PolicyFolder(settings.policies),
        prover=KeptProofs(root / "proofs", ChildProver().prove),
    )


def choose_actuator_parts(settings: Settings) -> ActuatorParts:
    """The real parts of the actuator, as configured."""
    return ActuatorParts(
        inventory=SqlInventory(settings.actuator_database),
        deployer=OipDeployer(settings.inference, settings.token),
        directory=YamlDirectory(settings.people, settings.registry, settings.audience),
        minimum=settings.minimum,
    )


def build_worker(client: Client, parts: Parts, task_queue: str = options.TASK_QUEUE) -> Worker:
    """A worker for every workflow of ours, and every activity but those of the actuator."""
    audit = AuditActivities(parts.inventory, parts.prover)
    notification = NotificationActivities(parts.inventory, parts.directory)
    registration = RegistrationActivities(parts.inventory, parts.store, parts.policies)
    scanning = ScanningActivities(parts.inventory, parts.store, parts.scanner)
    evaluation = EvaluationActivities(parts.inventory, parts.store, parts.evaluator)
    packaging = PackagingActivities(parts.inventory, parts.packager)
    monitoring = MonitoringActivities(parts.inventory, parts.store, parts.evaluator, parts.windows, parts.schedules)
    retraining = RetrainingActivities(parts.inventory, parts.trainer, parts.windows)
    retirement = RetirementActivities(parts.inventory, parts.store)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ModelLifecycle, MonitorCheck, ModelRegistration],
        activities=[
            audit.record_events,
            audit.record_plan,
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
            monitoring.measure_window,
            retraining.train_version,
            retirement.assess_consumers,
            retirement.notify_consumers,
            retirement.archive_model,
        ],
        build_id=BUILD,
        activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS, thread_name_prefix="activity"),
        workflow_runner=sandboxed(),
        workflow_failure_exception_types=[ApplicationError, ActivityError],
        interceptors=[Beating(), Observing(), FailureTranslator()],
        max_cached_workflows=CACHED_LIFECYCLES,
        graceful_shutdown_timeout=DRAIN,
    )


def build_actuator(client: Client, parts: ActuatorParts, task_queue: str = options.TASK_QUEUE) -> Worker:
    """The worker that changes what environments serve, for the lifecycles of a task queue."""
    promotion = PromotionActivities(parts.inventory, parts.deployer, parts.directory, parts.minimum)
    return Worker(
        client,
        task_queue=options.actuator_queue(task_queue),
        activities=[
            promotion.promote_version,
            promotion.restore_version,
            promotion.stop_serving,
            promotion.undeploy_model,
        ],
        build_id=BUILD,
        activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS, thread_name_prefix="activity"),
        interceptors=[Beating(), Observing(), FailureTranslator()],
        graceful_shutdown_timeout=DRAIN,
    )
