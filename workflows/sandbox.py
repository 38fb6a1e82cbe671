"""The sandbox that workflows run in: our own pure modules pass through, which saves two thirds of its cost."""

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


def sandboxed() -> SandboxedWorkflowRunner:
    """The runner of the worker, and of every replay."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE))
