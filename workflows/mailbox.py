"""What may be said to a lifecycle. Each message takes one argument, because the Web UI sends one JSON value.

A message counts before its sender is answered, so an acknowledged one is never lost. One that cannot count is refused
with the reason, and the attempt is recorded; of a flood only the first are. Updates of the rest leave nothing in the
history; signals are in it already, and a workflow task hears only some of them: many would be taken for a deadlock.
Who decides is known when a gate opens; whoever asks or submits is looked up in the directory first.
A message whose JSON does not fit its type is dropped, and only the worker's log says so.
"""

import asyncio
from collections import deque
from typing import Literal

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from activities.identity import IdentityActivities, Inquiry
from models.authentication import person_of
from models.canonical import Slug
from models.evidence import Electorate
from models.messages import Action, Attempted, Body, Breach, Breached, HandedIn, Receipt
from models.signing import Envelope
from workflows import options
from workflows.failures import failure_of

_Door = Literal["decide", "submit_version", "report_breach", "request"]
_SAID: dict[_Door, type[Envelope | HandedIn | Breach]] = {
    "decide": Envelope,
    "submit_version": HandedIn,
    "report_breach": Breach,
    "request": Envelope,
}
_LOOKED_UP = ("submit_version", "request")
"""Of a flood of these no more is heard: to look each sender up would outgrow what the server keeps of one run."""
NOTHING = RawValue(Payload())
"""What a signal brings along that came without its JSON."""

REFUSED = "Refused"
"""Type of the error that a refused sender is answered with."""


class Mailbox:
    """The signals and updates of every lifecycle."""

    def __init__(self) -> None:
        self._refused = 0
        self._letters: deque[tuple[_Door, RawValue]] = deque()
        self._hearing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        """Who has to be looked up is heard in turn: in the order of arrival, and one in a workflow task."""

    # --- what the lifecycle knows

    def _apply(self, body: Body) -> str | None:
        raise NotImplementedError

    def _refuse(self, body: Body) -> str | None:
        raise NotImplementedError

    def _closed(self) -> str | None:
        """Why nobody is answered now; what is left unanswered waits."""
        raise NotImplementedError

    def _receipt(self) -> Receipt:
        raise NotImplementedError

    def _roles(self) -> dict[Slug, Slug]:
        raise NotImplementedError

    def _decision(self, envelope: Envelope) -> Body:
        raise NotImplementedError

    def _request(self, envelope: Envelope, known: Electorate) -> Body:
        raise NotImplementedError

    def _submission(self, given: HandedIn, known: Electorate) -> Body:
        raise NotImplementedError

    # --- answers

    def _check(self, body: Body) -> None:
        """Refuse what cannot count before it enters the history, once enough of the like is on record."""
        self._check_open()
        refusal = self._refuse(body) if self._refused >= options.REFUSALS_RECORDED else None
        if refusal:
            raise ApplicationError(refusal, type=REFUSED, non_retryable=True)

    def _check_open(self) -> None:
        if closed := self._closed():
            raise ApplicationError(closed, type=REFUSED, non_retryable=True)

    def _take(self, body: Body) -> str | None:
        """Why a message does not count; None if it does, or if it waits."""
        refusal = None if self._closed() else self._refuse(body)
        if refusal is None or self._refused < options.REFUSALS_RECORDED:
            self._refused += refusal is not None
            return self._apply(body)
        workflow.logger.warning("one of many refused messages is not recorded")
        return refusal

    def _accept(self, body: Body) -> Receipt:
        if refusal := self._take(body):
            raise ApplicationError(refusal, type=REFUSED, non_retryable=True)
        return self._receipt()

    async def _asked(self, envelope: Envelope) -> Body:
        known = await self._identify(envelope)
        return (
            Attempted(envelope=envelope, objection=known) if isinstance(known, str) else self._request(envelope, known)
        )

    async def _handed_in(self, given: HandedIn) -> Body:
        known, envelope = await self._identify(given.envelope), given.envelope
        return (
            Attempted(envelope=envelope, objection=known) if isinstance(known, str) else self._submission(given, known)
        )

    async def _identify(self, envelope: Envelope) -> Electorate | str:
        """What the directory says of whoever signed, or why that is not known."""
        person = person_of(envelope)
        if person is None:
            return Electorate(people={})
        try:
            return await workflow.execute_activity_method(
                IdentityActivities.identify,
                Inquiry(person=person, roles=self._roles()),
                start_to_close_timeout=options.IDENTIFY_TIMEOUT,
                schedule_to_close_timeout=options.IDENTIFY_WITHIN,
                retry_policy=options.IDENTIFY_RETRIES,
                summary=f"who is {person}?",
            )
        except ActivityError as error:
            return f"who {person} is cannot be found out now: {failure_of(error).message}"

    # --- signals

    def _put_in(self, door: _Door, given: RawValue) -> None:
        """A signal is in the history already: it is opened later, in the order of arrival, some in a workflow task."""
        self._letters.append((door, given))
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear_all())

    def _still_hears(self) -> None:
        """Fail with what the hearing of signals failed with, so that a mended worker tries it again."""
        if self._hearing and self._hearing.done():
            self._hearing.result()

    async def _hear_all(self) -> None:
        heard = 0
        while self._letters:
            if heard == options.HEARD_AT_ONCE:
                await workflow.sleep(options.BREATH)
                heard = 0
            door, given = self._letters.popleft()
            async with self._turn:
                await self._hear(door, given)
            heard += 1
        self._hearing = None

    async def _hear(self, door: _Door, given: RawValue) -> None:
        if door in _LOOKED_UP and self._refused >= options.REFUSALS_RECORDED:
            workflow.logger.warning(f"one of too many signals '{door}' is dropped: an update is heard")
            return
        try:
            message = workflow.payload_converter().from_payload(given.payload, _SAID[door])
        except Exception as error:  # failing on what anybody may send would stop the lifecycle for good
            workflow.logger.warning(f"a signal '{door}' that cannot be read is dropped: {error}")
            return
        match message:
            case Breach():
                self._take(Breached(breach=message))
            case HandedIn():
                self._take(await self._handed_in(message))
            case Envelope():
                self._take(self._decision(message) if door == "decide" else await self._asked(message))

    @workflow.signal(name="decide", description="Approve or reject at the open gate, signed: see `modelops decide`.")
    def signal_decide(self, envelope: RawValue = NOTHING) -> None:
        """As the update of the same name, unanswered."""
        self._put_in("decide", envelope)

    @workflow.signal(name="submit_version", description="A new version enters, signed for: see `modelops submit`.")
    def signal_submit_version(self, given: RawValue = NOTHING) -> None:
        """As the update of the same name, unanswered."""
        self._put_in("submit_version", given)

    @workflow.signal(name="report_breach", description="A monitor reports a breach.")
    def signal_report_breach(self, breach: RawValue = NOTHING) -> None:
        """Sent by the monitor's own workflow."""
        self._put_in("report_breach", breach)

    @workflow.signal(name="request", description="As the update of the same name, unanswered.")
    def signal_request(self, envelope: RawValue = NOTHING) -> None:
        """As the update of the same name, unanswered."""
        self._put_in("request", envelope)

    # --- updates

    @workflow.update(name="decide", description="Approve or reject at the open gate, signed: see `modelops decide`.")
    def update_decide(self, envelope: Envelope) -> Receipt:
        """The decision counts from now on."""
        return self._accept(self._decision(envelope))

    @update_decide.validator
    def _check_decision(self, envelope: Envelope) -> None:
        self._check(self._decision(envelope))

    @workflow.update(name="submit_version", description="A new version enters, signed for: see `modelops submit`.")
    async def update_submit_version(self, given: HandedIn) -> Receipt:
        """A version under way is withdrawn in its favour."""
        async with self._turn:
            return self._accept(await self._handed_in(given))

    @update_submit_version.validator
    def _check_submission(self, given: HandedIn) -> None:
        self._check_open()

    @workflow.update(name="request", description=f"{', '.join(Action)}, signed: see `modelops --help`.")
    async def update_request(self, envelope: Envelope) -> Receipt:
        """What a person may ask at any time; refused with the reason where it makes no sense."""
        async with self._turn:
            return self._accept(await self._asked(envelope))

    @update_request.validator
    def _check_request(self, envelope: Envelope) -> None:
        self._check_open()
