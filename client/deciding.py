"""What somebody who decides at a gate has to sign: about what, and for which role."""

from client.documents import in_plain_words
from models.canonical import Digest, Slug
from models.errors import RefusedError
from models.statements import Challenge
from models.status import GateStatus, Status


def open_gate(status: Status, name: Slug) -> GateStatus:
    """The gate of a name, which is open; RefusedError if it is not."""
    found = status.gate
    if found and found.gate == name:
        return found
    none = f"it is in stage '{status.stage}', {status.phase.replace('_', ' ')}; no gate is"
    now = f"gate '{found.gate}' is" if found else none
    raise RefusedError(
        f"gate '{name}' of '{status.model}' is not open: {now}",
        f"`modelops status {status.model}` shows what it waits for",
    )


def challenge_at(gate: GateStatus, artifact: Digest | None = None) -> Challenge:
    """What a decision there has to be about: the artifact that waits, or the one that somebody has looked at."""
    if gate.about is None:
        raise RefusedError(
            f"nobody's signature can be checked at gate '{gate.gate}': no key was known when it opened",
            "enrol the approvers' keys, then `modelops retry`",
        )
    with in_plain_words("the decision"):
        return Challenge.model_validate(gate.about.model_dump() | ({"artifact": artifact} if artifact else {}))


def role_of(gate: GateStatus, person: Slug) -> Slug:
    """The one role of the gate that a person holds; of several, the one that still owes an approval."""
    held = [role for role, people in gate.holders.items() if person in people]
    owed = [ask.role for ask in gate.asked if ask.role in held]
    choices = owed if len(owed) == 1 else held
    if len(choices) == 1:
        return choices[0]
    roles = f"the roles that the gate asks: {', '.join(gate.holders)}"
    if held:
        raise RefusedError(f"{person} holds several of {roles}", "say with `--role` for which role the decision is")
    raise RefusedError(f"{person} holds none of {roles}", "`modelops inbox` shows what is yours")
