"""Proofs for people who wait for them."""

from pathlib import Path

from client.console import say
from models.plan import Plan, Proof
from models.proof.certificate import prove
from worker.proofs import KeptProofs


def proof_of(plan: Plan, folder: Path) -> Proof:
    """The kept proof of a plan, else a new one, with word of it; NotPermittedError with a counter-example."""
    return KeptProofs(folder, _explore).prove(plan)


def _explore(plan: Plan) -> Proof:
    say(f"Proving {plan.template} {plan.version}: every state that its lifecycles can come to ...")
    proof = prove(plan)
    say(f"Proved: {proof.states} states, {proof.transitions} transitions; every promise holds.")
    return proof
