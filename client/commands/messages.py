"""What people say to a lifecycle: decisions, versions, requests. The answer says what it waits for now."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from client.api import Modelops
from client.commands.parameters import File, Model, Person, Reason
from client.console import going_on, say, show, show_json
from client.documents import read_envelope, read_submission
from client.signer import Signer, delegated_role
from client.wallet import open_signer
from models.messages import Action, Choice, Receipt
from models.signing import Envelope
from worker.settings import Settings, read_settings

Printed = Annotated[
    bool,
    typer.Option("--print", help="Print the signed JSON for Web UI, curl or MLflow, instead of sending it."),
]

_WHAT = {
    Action.RETIRE: "Retire a model: tell its consumers, undeploy it everywhere, seal its records.",
    Action.SUSPEND: "Stop serving a model now; a new version or a rollback brings it back.",
    Action.ROLLBACK: "Put the previous champion back into production.",
    Action.ABANDON: "Withdraw the version under way; the champion stays.",
    Action.RETRAIN: "Train a new version like the champion, on the newest data; it has every gate before it.",
    Action.RETRY: "Try a stuck step again, or read anew who may decide at an open gate.",
    Action.PAUSE: "Start no further step until the lifecycle is resumed.",
    Action.RESUME: "Go on after a pause.",
    Action.CONFIRM: "Stand by what somebody else did in an emergency, within 24 hours.",
    Action.REVIEW: "Close the review of what somebody else did in an emergency: REASON is what you found.",
}


def decide(
    model: Model,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="The gate that is open: see `modelops gate show`.")],
    choice: Annotated[Choice, typer.Argument(metavar="approve|reject", help="One rejection turns the version away.")],
    person: Person,
    reason: Reason,
    role: Annotated[str | None, typer.Option(help="Only for a person who holds several of the gate's roles.")] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="What you looked at: refused if another version waits now.")
    ] = None,
    finding: Annotated[
        list[str] | None, typer.Option(help="With reject: what must be mended first; may be repeated.")
    ] = None,
    closes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="With approve: a finding that is closed; may be repeated.")
    ] = None,
    delegation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide in somebody's place: what `modelops delegate` wrote.")
    ] = None,
    printed: Printed = False,
) -> None:
    """Sign a decision about the version that waits at a gate, and send it.

    Refused, with the reason, for people without a role of the gate, and who own, developed or submitted the version.
    """
    chosen, signer = _signer(person)
    handed_over = read_envelope(delegation) if delegation else None

    async def work() -> Envelope | Receipt:
        async with Modelops.connect(chosen, say) as modelops:
            signed = await modelops.sign_decision(
                *(model, gate, choice, signer, reason),
                role=role or (delegated_role(handed_over) if handed_over else None),
                artifact=artifact,
                findings=finding or (),
                closes=closes or (),
                delegation=handed_over,
            )
            return signed if printed else await modelops.send(model, "decide", signed)

    _acknowledge(asyncio.run(work()))


def submit(
    model: Model,
    file: File,
    person: Person,
    wait: Annotated[bool, typer.Option(help="With --no-wait no worker is needed now; see `modelops history`.")] = True,
    printed: Printed = False,
) -> None:
    """Sign for a new version, and hand it in. PERSON becomes its submitter, whoever the file names."""
    submission = read_submission(file, person)
    chosen, signer = _signer(person)

    if printed:
        show_json(signer.submit(chosen.audience, model, submission))
        return

    async def work() -> Receipt | None:
        async with Modelops.connect(chosen, say) as modelops:
            if wait:
                return await modelops.submit(model, submission, signer)
            await modelops.leave(model, "submit_version", signer.submit(chosen.audience, model, submission))
            return None

    receipt = asyncio.run(work())
    if receipt:
        _acknowledge(receipt)
    else:
        say(f"Left for the lifecycle; whether it counts, `modelops history {model}` will tell.")


def asks(action: Action) -> Callable[..., None]:
    """The command that makes one request."""

    def command(model: Model, person: Person, reason: Reason) -> None:
        _request(model, action, person, reason)

    command.__doc__ = _WHAT[action]
    return command


def turns_back(action: Action) -> Callable[..., None]:
    """The command that makes one request which may be made in an emergency."""

    def command(
        model: Model,
        person: Person,
        reason: Reason,
        emergency: Annotated[
            bool, typer.Option("--emergency", help="Break the glass: somebody else confirms and reviews it afterwards.")
        ] = False,
    ) -> None:
        _request(model, action, person, reason, emergency)

    command.__doc__ = _WHAT[action]
    return command


def _request(model: str, action: Action, person: str, reason: str, emergency: bool = False) -> None:
    chosen, signer = _signer(person)

    async def work() -> Receipt:
        async with Modelops.connect(chosen, say) as modelops:
            return await modelops.request(model, action, signer, reason, emergency)

    _acknowledge(asyncio.run(work()))


def _signer(person: str) -> tuple[Settings, Signer]:
    chosen = read_settings()
    return chosen, open_signer(chosen, person)


def _acknowledge(answer: Receipt | Envelope) -> None:
    if isinstance(answer, Envelope):
        show_json(answer)
        return
    receipt = answer
    show(f"Recorded as event {receipt.seq}. Now: {going_on(receipt.waiting_for)}.")
