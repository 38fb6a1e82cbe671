"""A lifecycle whose execution was lost goes on in another one."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import assert_never

from client.api import Modelops
from client.catalog import Catalog
from client.commands.parameters import Json, Model
from client.console import going_on, moment, say, show, show_json
from client.story import tell_attempt
from models.authentication import decision_of
from models.canonical import Frozen, Slug
from models.errors import ModelopsError, UnknownNameError
from models.messages import Attempted, Body, Breach, Breached, Decided, HandedIn, Request, Requested, VersionSubmitted
from models.rebuilding import Heard, Message, resumed
from models.signing import Envelope
from models.statements import Deciding, Requesting, read_statement
from models.status import Status
from worker.settings import read_settings


class Unrecorded(Frozen):
    """A message that the lost execution took and that is not on record: as it was sent, to be sent again."""

    at: datetime
    sender_was_answered: bool
    told: str
    message: Message


class Rebuilt(Frozen):
    """What became of the lost execution, what it heard beyond the record (None: nobody knows), and where it goes on."""

    model: Slug
    lost: str
    unrecorded: tuple[Unrecorded, ...] | None
    status: Status


def rebuild(model: Model, as_json: Json = False) -> None:
    """Go on with a lifecycle whose execution was terminated or deleted, from where the audit trail says it is.

    The worker reads the record itself and confirms it before anything happens. What the lost execution was told and had
    not recorded yet is listed as it was sent, and has to be sent again; what is signed counts until it runs out.
    """
    settings = read_settings()
    with Catalog(settings.database) as catalog:
        facts, plan, entries = catalog.facts(model), catalog.plan_of(model), catalog.history(model)
    if plan is None:
        raise UnknownNameError(f"the inventory has no lifecycle of '{model}'", f"`modelops start {model}` begins one")
    given = resumed(model, plan, entries)

    async def work() -> Rebuilt:
        async with Modelops.connect(settings, say) as modelops:
            lost = await modelops.lost(model, entries)
            heard = None if lost.unrecorded is None else tuple(map(_unrecorded, lost.unrecorded))
            try:
                status = await modelops.rebuild(facts, given)
            except ModelopsError:
                # The next look would be at the execution that failed just now, which has heard nothing.
                say("\n".join(_to_be_sent(heard or ())))
                raise
            return Rebuilt(model=model, lost=lost.how, unrecorded=heard, status=status)

    found = asyncio.run(work())
    if as_json:
        show_json(found)
    else:
        show(*_lines(found))


def _lines(found: Rebuilt) -> Iterator[str]:
    now = going_on(found.status.waiting_for)
    yield f"Rebuilt the lifecycle of {found.model}, whose execution was {found.lost}. Now: {now.rstrip('.')}."
    if found.unrecorded is None:
        yield f"Its history is gone. Whoever was answered after event {found.status.seq} has to say it again."
    yield from _to_be_sent(found.unrecorded or ())


def _to_be_sent(heard: Iterable[Unrecorded]) -> Iterator[str]:
    for one in heard:
        answered = "and was answered" if one.sender_was_answered else "unanswered"
        yield f"Not on record, has to be sent again ({moment(one.at)}, {answered}): {one.told}"
        yield f"    as it was sent: {one.message.model_dump_json(exclude_defaults=True)}"


def _unrecorded(heard: Heard) -> Unrecorded:
    told = tell_attempt(_body(heard.message))
    return Unrecorded(at=heard.at, sender_was_answered=heard.answered, told=told, message=heard.message)


def _body(message: Message) -> Body:
    match message:
        case Envelope():
            return _signed(message)
        case HandedIn(submission=submission, envelope=envelope):
            return VersionSubmitted(submission=submission, envelope=envelope)
        case Breach():
            return Breached(breach=message)
        case _:
            assert_never(message)


def _signed(envelope: Envelope) -> Body:
    try:
        statement = read_statement(envelope)
    except ValueError:
        return Attempted(envelope=envelope, objection="it is no signed statement")
    match statement.says:
        case Deciding() as says:
            return Decided(decision=decision_of(statement, says), envelope=envelope)
        case Requesting(action=action, reason=reason):
            asked = Request(person=statement.person, reason=reason)
            return Requested(action=action, request=asked, envelope=envelope)
        case _:
            return Attempted(envelope=envelope, objection="it is no message to a lifecycle")
