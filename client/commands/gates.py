"""Gates for those who decide: what waits for whom, what is asked, and what it rests on."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from activities.ports import ArtifactStore
from client.api import Modelops
from client.catalog import Catalog
from client.commands.keys import requested_key
from client.commands.parameters import Json, Model, Person, Utc
from client.console import clean, moment, say, show, show_json
from client.documents import read_envelope, write_text
from client.render import gate as draw_gate
from client.wallet import open_signer
from models.canonical import Digest, Frozen, Slug
from models.errors import InvalidInputError, ModelopsError, RefusedError, UnknownNameError
from models.evidence import Evidence
from models.inventory import RiskTier
from models.state import Phase
from models.statements import DELEGATED_FOR
from models.status import GateStatus, Status
from models.watching import moment_of
from worker.keeping import store_of
from worker.settings import read_settings

_AT_ONCE = 8


class Waiting(Frozen):
    """A gate that waits for a person: for which roles, until when, and for whom else.

    `findings` are those of earlier versions that the person's approval has to close.
    """

    model: Slug
    title: str
    tier: RiskTier
    gate: Slug
    question: str
    version: int
    artifact: Digest
    roles: tuple[Slug, ...]
    others: tuple[Slug, ...]
    due: datetime | None
    findings: tuple[str, ...] = ()
    command: str


class Inbox(Frozen):
    """What waits for a person, the most urgent first; `silent` are lifecycles that could not be asked."""

    person: Slug
    waiting: tuple[Waiting, ...]
    silent: tuple[Slug, ...] = ()


def inbox(person: Person, utc: Utc = False, as_json: Json = False) -> None:
    """Show what waits for a person's decision: the question, the deadline, who else is asked, and how to decide."""
    chosen = read_settings()
    with Catalog(chosen.database) as catalog:
        listed = {one.model: one for one in catalog.models() if one.phase is Phase.DECIDING}

    async def work() -> Inbox:
        async with Modelops.connect(chosen, say) as modelops:
            found = await _ask(modelops, list(listed))
        waiting = [
            _waiting(person, status, status.gate, listed[status.model].title, listed[status.model].tier)
            for status in found.values()
            if status and status.gate and any(person in asked.people for asked in status.gate.asked)
        ]
        urgent = sorted(waiting, key=lambda one: (one.due is None, one.due, one.model))
        return Inbox(person=person, waiting=tuple(urgent), silent=tuple(m for m, status in found.items() if not status))

    found = asyncio.run(work())
    if as_json:
        show_json(found)
        return
    show(*_draw(found, utc))


def show_gate(
    model: Model,
    opened: Annotated[
        str | None, typer.Option("--open", metavar="KIND", help="Print a report that the decision rests on, in place.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the gate that is open: the question, what was measured, the evidence, what was decided, and by when.

    `--open evaluation` prints that report; its bytes are compared with the digest that the decision is about.
    """
    chosen = read_settings()

    async def work() -> Status:
        async with Modelops.connect(chosen, say) as modelops:
            return await modelops.status(model)

    found = asyncio.run(work())
    if found.gate is None:
        raise RefusedError(
            f"no gate of '{model}' is open: {found.waiting_for}", f"`modelops status {model}` shows more"
        )
    evidence = found.version.evidence if found.version else ()
    if opened:
        show(_report(store_of(chosen), evidence, opened))
    elif as_json:
        show_json(found.gate)
    else:
        show(draw_gate(found, found.gate))


def delegate(
    person: Person,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="What `modelops key create` wrote for them.")],
    role: Annotated[str, typer.Option(help="The role that they decide for in your place.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when, with its time zone, at most 30 days on.")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where to write it, for them.")],
    models: Annotated[
        list[str] | None, typer.Option("--model", metavar="MODEL", help="For this model alone; may be repeated.")
    ] = None,
) -> None:
    """Let somebody decide for a role in your place, for a time. They cannot hand that on.

    They pass the file to `modelops decide --delegation FILE`. The same rules hold for both of you, who count once.
    """
    chosen, end = read_settings(), moment_of(until, "--until").astimezone(UTC)
    if end > datetime.now(UTC) + DELEGATED_FOR:
        raise InvalidInputError(
            f"nobody decides for another longer than {DELEGATED_FOR.days} days", "say an earlier moment"
        )
    key = requested_key(read_envelope(to))
    signed = open_signer(chosen, person).delegate(chosen.audience, key.person, key.public, role, end, models or ())
    write_text(output, f"{signed.model_dump_json(indent=2)}\n")
    show(f"{key.person} may decide for {role} in {person}'s place until {moment(end)}: {output}.")


async def _ask(modelops: Modelops, models: Sequence[str]) -> dict[str, Status | None]:
    """The status of each; None of one that does not answer."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(model: str) -> Status | None:
        async with turns:
            try:
                return await modelops.status(model)
            except ModelopsError:
                return None

    return dict(zip(models, await asyncio.gather(*map(one, models)), strict=True))


def _waiting(person: str, status: Status, gate: GateStatus, title: str, tier: RiskTier) -> Waiting:
    roles = tuple(asked.role for asked in gate.asked if person in asked.people)
    others = {other for asked in gate.asked for other in asked.people} - {person}
    subject = status.version or status.champion
    theirs = [one for one in gate.findings if one.role in roles]
    closes = "".join(f" --closes {one.id}" for one in theirs)
    return Waiting(
        model=status.model,
        title=title,
        tier=tier,
        gate=gate.gate,
        question=gate.question,
        version=subject.number if subject else 0,
        artifact=gate.artifact,
        roles=roles,
        others=tuple(sorted(others)),
        due=gate.due,
        findings=tuple(f"{one.id}: {one.text}" for one in theirs),
        command=f"modelops decide {status.model} {gate.gate} approve --as {person} --reason WHY{closes}",
    )


def _draw(found: Inbox, utc: bool) -> Iterator[RenderableType]:
    if not found.waiting:
        yield f"Nothing waits for {found.person}."
    for one in found.waiting:
        due = f"due {moment(one.due, utc)}" if one.due else "overdue"
        yield Group(
            Text(f"{clean(one.title)} ({one.model}), version {one.version}, tier {one.tier}: {due}", style="bold"),
            Text(f"  {clean(one.question)}"),
            Text(f"  As {', '.join(one.roles)}; also asked: {', '.join(one.others) or 'nobody'}", style="dim"),
            *(Text(f"  To be closed: {clean(finding)}", style="yellow") for finding in one.findings),
            Text(f"  Look:   modelops gate show {one.model}"),
            Text(f"  Decide: {one.command}"),
            "",
        )
    for model in found.silent:
        yield Text(f"'{model}' waits at a gate and does not answer: is a worker running?", style="red")


def _report(store: ArtifactStore, evidence: Sequence[Evidence], kind: str) -> RenderableType:
    named = [one for one in evidence if one.kind == kind]
    if not named:
        kinds = ", ".join(dict.fromkeys(one.kind for one in evidence)) or "none"
        raise UnknownNameError(f"the version has no evidence of kind '{kind}'", f"there is: {kinds}")
    text = store.path(named[-1].digest).read_bytes()
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text.decode(errors="replace")
