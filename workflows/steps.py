"""Which activity performs which kind of step, whose it is, and for how long one attempt may last."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from activities.evaluation import EvaluationActivities
from activities.external import ExternalActivities
from activities.monitoring import MonitoringActivities
from activities.notification import NotificationActivities
from activities.packaging import PackagingActivities
from activities.promotion import PromotionActivities
from activities.registration import RegistrationActivities
from activities.retirement import RetirementActivities
from activities.retraining import RetrainingActivities
from activities.scanning import ScanningActivities
from activities.trial import TrialActivities
from models.evidence import StepKind, StepOrder
from models.plan import Plan
from workflows import options

ACTIVITIES: dict[StepKind, Callable[..., Any]] = {
    StepKind.CLASSIFY: RegistrationActivities.classify,
    StepKind.REGISTER: RegistrationActivities.register_version,
    StepKind.SCAN: ScanningActivities.scan_artifact,
    StepKind.EVALUATE: EvaluationActivities.evaluate_version,
    StepKind.PACKAGE: PackagingActivities.package_version,
    StepKind.PROMOTE: PromotionActivities.promote_version,
    StepKind.TRIAL: TrialActivities.look_at_trial,
    StepKind.PIPELINE: ExternalActivities.run_pipeline,
    StepKind.MONITOR: MonitoringActivities.start_monitors,
    StepKind.STOP_MONITORS: MonitoringActivities.stop_monitors,
    StepKind.STOP_SERVING: PromotionActivities.stop_serving,
    StepKind.ASSESS_CONSUMERS: RetirementActivities.assess_consumers,
    StepKind.NOTIFY_CONSUMERS: RetirementActivities.notify_consumers,
    StepKind.UNDEPLOY: PromotionActivities.undeploy_model,
    StepKind.ARCHIVE: RetirementActivities.archive_model,
    StepKind.ASK: NotificationActivities.ask_approvers,
    StepKind.TRAIN: RetrainingActivities.train_version,
    StepKind.RESTORE: PromotionActivities.restore_version,
    StepKind.TIGHTEN: MonitoringActivities.tighten_monitor,
}


_ACTUATED = frozenset({StepKind.PROMOTE, StepKind.TRIAL, StepKind.RESTORE, StepKind.STOP_SERVING, StepKind.UNDEPLOY})


def queue_of(kind: StepKind, task_queue: str) -> str:
    """The queue of a kind of step: what changes an environment is the actuator's, the rest the lifecycle's own."""
    return options.actuator_queue(task_queue) if kind in _ACTUATED else task_queue


def attempt_timeout(plan: Plan, order: StepOrder) -> timedelta:
    """How long one attempt of a step may last."""
    if order.kind is StepKind.TRAIN:
        return options.TRAINING_TIMEOUT
    for step in plan.stage(order.stage).steps:
        if step.id == order.step:
            return timedelta(seconds=step.timeout) + (options.COLLECTING if step.external else timedelta())
    return options.INTERNAL_TIMEOUT
