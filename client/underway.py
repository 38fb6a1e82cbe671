"""What a lifecycle's worker is at: how far a step says that it is, and what its last attempt failed with."""

from pydantic import BaseModel
from temporalio.client import WorkflowExecutionDescription
from temporalio.converter import DataConverter


class Underway(BaseModel):
    """An activity that has not answered: what it said last, and what its attempt before ended with."""

    activity: str
    attempt: int
    progress: str = ""
    failure: str = ""

    def __str__(self) -> str:
        """One line for people."""
        parts = [f"attempt {self.attempt}"] if self.attempt > 1 else []
        parts += [f"the last one failed: {self.failure}"] if self.failure else []
        parts += [self.progress] if self.progress else []
        return f"{self.activity}: {'; '.join(parts)}"

    @property
    def tells(self) -> bool:
        """Whether there is more to say than that it goes on."""
        return bool(self.progress or self.failure)


async def underway(found: WorkflowExecutionDescription, converter: DataConverter) -> list[Underway]:
    """The activities of an execution that have begun, as the server describes them."""
    return [
        Underway(
            activity=one.activity_type.name,
            attempt=one.attempt,
            progress=_words(await converter.decode(one.heartbeat_details.payloads)),
            failure=one.last_failure.message,
        )
        for one in found.raw_description.pending_activities
        if one.HasField("last_started_time")
    ]


def _words(said: list[object]) -> str:
    return ", ".join(str(one) for one in said if one not in (None, ""))
