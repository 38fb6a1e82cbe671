"""Approves what waits at a model's open gate, signed: `python -m examples.approve MODEL PERSON REASON`.

For example: `python -m examples.approve loan-approval rosa "Stable on all groups."`
"""

import asyncio
import sys

from client.api import Modelops
from client.wallet import open_signer
from models.errors import ModelopsError
from models.messages import Choice
from worker.settings import read_settings


async def main(model: str, person: str, reason: str) -> None:
    """Look first, then decide about exactly what was looked at."""
    settings = read_settings()
    signer = open_signer(settings, person)
    async with Modelops.connect(settings) as modelops:
        gate = (await modelops.status(model)).gate
        if gate is None:
            raise SystemExit(f"no gate of {model} is open")
        print(gate.question, gate.artifact)
        receipt = await modelops.decide(model, gate.gate, Choice.APPROVE, signer, reason, artifact=gate.artifact)
        print(receipt.waiting_for)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit("usage: python -m examples.approve MODEL PERSON REASON")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except ModelopsError as error:
        raise SystemExit(f"{error}\n{error.remedy}") from error
