"""Proofs that were made before are kept: a plan is explored once for each compiler and kernel."""

from pathlib import Path

from pydantic import ValidationError

from client.console import say
from models.canonical import digest
from models.plan import Plan, Proof
from models.proof.certificate import prove


def proof_of(plan: Plan, folder: Path) -> Proof:
    """The kept proof of a plan, else a new one; NotPermittedError with a counter-example."""
    file = folder / f"{digest(plan).removeprefix('sha256:')}.json"
    if kept := _kept(file, plan):
        return kept
    say(f"Proving {plan.template} {plan.version}: every state that its lifecycles can come to ...")
    proof = prove(plan)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(proof.model_dump_json(indent=2), encoding="utf-8")
    unfinished.replace(file)
    say(f"Proved: {proof.states} states, {proof.transitions} transitions; every promise holds.")
    return proof


def _kept(file: Path, plan: Plan) -> Proof | None:
    try:
        proof = Proof.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    return proof if proof.covers(digest(plan)) else None
