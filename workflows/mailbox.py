"""What may be said to a lifecycle. Each message takes one argument, because the Web UI sends one JSON value.

Handlers are synchronous: the state has changed before the sender is answered, so an acknowledged message is never lost.
An update that cannot count is refused before it enters the history; a signal that cannot count is recorded as refused.
A signal whose JSON does not fit its type never gets here: the SDK drops it, and only the worker's log says so.
"""

from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.inventory import Submission
from models.messages import (
    Action,
    Body,
    Breach,
    Breached,
    Decided,
    Decision,
    Receipt,
    Request,
    Requested,
    VersionSubmitted,
)

Message = TypeVar("Message")


class Mailbox:
    """The signals and updates of every lifecycle."""

    def _apply(self, body: Body) -> str | None:
        raise NotImplementedError

    def _refuse(self, body: Body) -> str | None:
        raise NotImplementedError

    def _receipt(self) -> Receipt:
        raise NotImplementedError

    def _check(self, body: Body) -> None:
        if refusal := self._refuse(body):
            raise ApplicationError(refusal, type="Refused", non_retryable=True)

    def _accept(self, body: Body) -> Receipt:
        if refusal := self._apply(body):
            raise ApplicationError(refusal, type="Refused", non_retryable=True)
        return self._receipt()

    @workflow.signal(name="decide", description="Approve or reject at the open gate.")
    def signal_decide(self, decision: Decision | None = None) -> None:
        """As the update of the same name, unanswered."""
        if decision := _given(decision):
            self._apply(Decided(decision=decision))

    @workflow.signal(name="submit_version", description="A new version enters; it must earn every gate.")
    def signal_submit_version(self, submission: Submission | None = None) -> None:
        """As the update of the same name, unanswered."""
        if submission := _given(submission):
            self._apply(VersionSubmitted(submission=submission))

    @workflow.signal(name="report_breach", description="A monitor reports a breach.")
    def signal_report_breach(self, breach: Breach | None = None) -> None:
        """Sent by the monitor's own workflow."""
        if breach := _given(breach):
            self._apply(Breached(breach=breach))

    @workflow.signal(name="retire", description="Retire the model.")
    def signal_retire(self, request: Request | None = None) -> None:
        """As the update of the same name, unanswered."""
        if request := _given(request):
            self._apply(Requested(action=Action.RETIRE, request=request))

    @workflow.signal(name="pause", description="Start no further step until resumed.")
    def signal_pause(self, request: Request | None = None) -> None:
        """As the update of the same name, unanswered."""
        if request := _given(request):
            self._apply(Requested(action=Action.PAUSE, request=request))

    @workflow.signal(name="resume", description="Go on after a pause.")
    def signal_resume(self, request: Request | None = None) -> None:
        """As the update of the same name, unanswered."""
        if request := _given(request):
            self._apply(Requested(action=Action.RESUME, request=request))

    @workflow.update(name="decide", description="Approve or reject at the open gate; answered at once.")
    def update_decide(self, decision: Decision) -> Receipt:
        """The decision counts from now on."""
        return self._accept(Decided(decision=decision))

    @update_decide.validator
    def _check_decision(self, decision: Decision) -> None:
        self._check(Decided(decision=decision))

    @workflow.update(name="submit_version", description="A new version enters; it must earn every gate.")
    def update_submit_version(self, submission: Submission) -> Receipt:
        """A version under way is withdrawn in its favour."""
        return self._accept(VersionSubmitted(submission=submission))

    @update_submit_version.validator
    def _check_submission(self, submission: Submission) -> None:
        self._check(VersionSubmitted(submission=submission))

    @workflow.update(name="request", description="retire, suspend, rollback, abandon, retry, pause or resume.")
    def update_request(self, requested: Requested) -> Receipt:
        """What a person may ask at any time; refused with the reason where it makes no sense."""
        return self._accept(requested)

    @update_request.validator
    def _check_request(self, requested: Requested) -> None:
        self._check(requested)


def _given(message: Message | None) -> Message | None:
    """A signal that came without its JSON says nothing; failing on it would stop the lifecycle for good."""
    if message is None:
        workflow.logger.warning("a signal without its JSON is dropped")
    return message
