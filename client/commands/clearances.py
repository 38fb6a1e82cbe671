"""Whether a digest may enter an environment: asked of the installation, or held against its key later."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from pydantic import ValidationError
from rich.text import Text

from client.commands.parameters import Json
from client.console import clean, show, show_json
from client.documents import read_envelope
from client.exit_codes import REFUSED
from models.clearance_check import check_clearance
from models.clearance_statement import Clearance, Question
from models.errors import InvalidInputError, UnavailableError
from models.inventory import Environment
from models.signing import Envelope
from worker.keeping import notary_keys
from worker.settings import Settings, read_settings

_WITHIN = 60.0
_ANSWERS = (200, 403)

Kept = Annotated[Path | None, typer.Option("--verify", metavar="FILE", help="Ask nobody: an answer that was kept.")]
Key = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="The installation's public key, as in notary.pub.")
]


def may(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="Of an artifact or a bundle: sha256:...")],
    environment: Annotated[Environment, typer.Option("--environment", help="Where it should go.")],
    kept: Kept = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Ask whether a digest may enter an environment: exit status 0 is yes, anything else is no.

    The answer is signed with the installation's key, which is verified here, and counts for five minutes. --json writes
    the signed envelope, which anybody who has the key can verify: with --verify, or with any DSSE library.
    """
    chosen = read_settings()
    asked = _question(digest, environment, None if kept else secrets.token_urlsafe(18))
    envelope = read_envelope(kept) if kept else _ask(chosen, asked)
    keys = (key,) if key else notary_keys(chosen)
    told = check_clearance(envelope, keys, chosen.audience, asked, datetime.now(UTC))
    if as_json:
        show_json(envelope)
    else:
        show(*_told(told))
    if told.verdict != "yes":
        raise typer.Exit(REFUSED)


def _question(digest: str, environment: Environment, nonce: str | None) -> Question:
    try:
        return Question(subject=digest, environment=environment, nonce=nonce)
    except ValidationError as error:
        raise InvalidInputError(f"'{digest}' is no digest", "write sha256: and 64 hexadecimal digits") from error


def _ask(chosen: Settings, asked: Question) -> Envelope:
    url, remedy = f"{chosen.clearance}/v1/clearance", "is `modelops up` running? or set MODELOPS_CLEARANCE"
    given = {"digest": asked.subject, "environment": asked.environment.value, "nonce": asked.nonce or ""}
    try:
        answered = httpx2.get(url, params=given, timeout=_WITHIN, trust_env=False)
        if answered.status_code not in _ANSWERS:
            raise UnavailableError(f"{url} answers {answered.status_code}: {answered.text[:300]}", remedy)
        return Envelope.model_validate_json(answered.content)
    except (httpx2.HTTPError, ValidationError) as error:
        raise UnavailableError(f"nobody answers as an installation does at {url}: {error}", remedy) from error


def _told(told: Clearance) -> list[Text]:
    yes = told.verdict == "yes"
    said = "may enter" if yes else "may not enter"
    lines = [Text(f"{told.subject} {said} {told.environment}.", style="bold green" if yes else "bold red")]
    for one in told.versions:
        lines.append(Text(clean(f"Version {one.version} of {one.model}, bundle {one.bundle or 'none yet'}.")))
        for gate in one.passed:
            lines.append(Text(clean(f"  passed {gate.gate}: {', '.join(gate.approved_by) or 'by its checks'}")))
        lines += [Text(clean(f"  missing {gate}")) for gate in one.missing]
    lines += [Text(clean(f"  {reason}"), style="red") for reason in told.reasons]
    return [
        *lines,
        Text(f"Signed by the installation '{told.audience}'; it counts until {told.expires_at:%H:%M:%S} UTC."),
    ]
