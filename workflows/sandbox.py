"""The sandbox that workflows run in: our own pure modules pass through, which saves two thirds of its cost.

A workflow task that takes longer than two seconds is given up, and tried again. The SDK interrupts it wherever it is,
and takes the instance apart meanwhile; thousands of signals then leave tasks that nobody can end, and the lifecycle
hangs until its worker is started anew (temporalio/sdk-python, issue 875). Here such a task is left to come to its end,
whose outcome nobody uses, and what is left is taken apart after that.
"""

import threading
from typing import Any

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PURE = (
    "cryptography",
    "models",
    "activities",
    "workflows",
    "rfc8785",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "yaml",
)
_TURN = 1.0
"""Seconds that one activation waits for another; the SDK tries again."""


class _Undisturbed(WorkflowInstance):
    """One activation at a time; none is interrupted, as it does not say which thread it is in."""

    def __init__(self, instance: WorkflowInstance) -> None:
        self._instance = instance
        self._turn = threading.Lock()

    def activate(self, act: Any) -> Any:
        if not self._turn.acquire(timeout=_TURN):
            raise TimeoutError("the activation before this one has not come to its end")
        try:
            return self._instance.activate(act)
        finally:
            self._turn.release()

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._instance.get_info()


class _Undisturbing(SandboxedWorkflowRunner):
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Undisturbed(super().create_instance(det))


def sandboxed() -> SandboxedWorkflowRunner:
    """The runner of the worker, and of every replay."""
    return _Undisturbing(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE))
