"""Proofs that were made before are kept: a plan is explored once for each compiler and kernel."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from models.canonical import digest
from models.plan import Plan, Proof


class KeptProofs:
    """Fits `Prover`: proofs in a folder, made by `explore` where there is none yet."""

    def __init__(self, folder: Path, explore: Callable[[Plan], Proof]) -> None:
        self._folder = folder
        self._explore = explore

    def prove(self, plan: Plan) -> Proof:
        """The kept proof of a plan, else a new one; NotPermittedError with a counter-example."""
        name = digest(plan)
        file = self._folder / f"{name.removeprefix('sha256:')}.json"
        try:
            proof = Proof.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            proof = None
        if proof and proof.covers(name):
            return proof
        proof = self._explore(plan)
        with suppress(OSError):  # what cannot be kept is a proof all the same
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(f".{os.getpid()}.tmp")
            unfinished.write_text(proof.model_dump_json(indent=2), encoding="utf-8")
            unfinished.replace(file)
        return proof
