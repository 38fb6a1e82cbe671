"""The composition root: the one module that chooses the real parts."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities.adapters.child_prover import ChildProver
from activities.adapters.file_notary import FileNotary
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
from activities.checkpoint import CheckpointActivities
from activities.evaluation import EvaluationActivities
from activities.failures import FailureTranslator
from activities.identity import IdentityActivities
from activities.monitoring import MonitoringActivities
from activities.notification import NotificationActivities
from activities.packaging import PackagingActivities
from activities.ports import (
    ArtifactStore,
    Deployer,
    Directory,
    Evaluator,
    Inventory,
    Notary,
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
from models.plan import KERNEL
from worker.interceptors import Beating, Observing
from worker.keeping import checkpoints_of, store_of
from worker.policies import PolicyFolder
from worker.proofs import KeptProofs
from worker.settings import Settings
from workflows import options
from workflows.checkpoint import AuditCheckpoint
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
    """One adapter per port."""

    inventory: Inventory
    store: ArtifactStore
    scanner: Scanner
    evaluator: Evaluator
    packager: Packager
    deployer: Deployer
    trainer: Trainer
    windows: Windows
    directory: Directory
    schedules: Schedules
    policies: Policies
    prover: Prover
    notary: Notary


def choose_parts(settings: Settings, client: Client) -> Parts:
    """The real parts, as configured."""
    root = settings.root
    store, inventory = store_of(settings), SqlInventory(settings.database)
    return Parts(
        inventory=inventory,
        store=store,
        scanner=StaticScanner(),
        evaluator=OnnxEvaluator(),
        packager=OciPackager(store),
        deployer=OipDeployer(settings.inference),
        trainer=ProcessTrainer(
            settings.trainers, root / "training", sys.executable, TRAINING_SECONDS, beat=activity.heartbeat
        ),
        windows=FileWindows(settings.windows),
        directory=YamlDirectory(settings.people, settings.registry, settings.audience),
        schedules=TemporalScheduler(client, MonitorCheck.__name__, options.TASK_QUEUE),
        policies=PolicyFolder(settings.policies),
        prover=KeptProofs(root / "proofs", ChildProver().prove),
        notary=FileNotary(inventory, checkpoints_of(settings), settings.notary, settings.audience),
    )


def build_worker(client: Client, parts: Parts, task_queue: str = options.TASK_QUEUE) -> Worker:
    """A worker for every workflow and activity of ours."""
    audit = AuditActivities(parts.inventory, parts.prover)
    checkpoint = CheckpointActivities(parts.notary)
    notification = NotificationActivities(parts.inventory, parts.directory)
    registration = RegistrationActivities(parts.inventory, parts.store, parts.policies)
    scanning = ScanningActivities(parts.inventory, parts.store, parts.scanner)
    evaluation = EvaluationActivities(parts.inventory, parts.store, parts.evaluator)
    packaging = PackagingActivities(parts.inventory, parts.packager)
    promotion = PromotionActivities(parts.inventory, parts.deployer)
    monitoring = MonitoringActivities(parts.inventory, parts.store, parts.evaluator, parts.windows, parts.schedules)
    retraining = RetrainingActivities(parts.inventory, parts.trainer, parts.windows)
    retirement = RetirementActivities(parts.inventory, parts.store)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ModelLifecycle, MonitorCheck, ModelRegistration, AuditCheckpoint],
        activities=[
            audit.record_events,
            audit.record_plan,
            checkpoint.write_checkpoint,
            IdentityActivities(parts.directory).identify,
            notification.ask_approvers,
            notification.notify_people,
            registration.register_model,
            registration.classify,
            registration.register_version,
            scanning.scan_artifact,
            evaluation.evaluate_version,
            packaging.package_version,
            promotion.promote_version,
            promotion.restore_version,
            promotion.stop_serving,
            promotion.undeploy_model,
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
