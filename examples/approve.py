"""Approves what waits at a model's open gate: `python -m examples.approve MODEL PERSON REASON`.

For example: `python -m examples.approve loan-approval rosa "Stable on all groups."`
"""

import asyncio
import sys

from client.api import Modelops
from models.messages import Choice
from worker.settings import Settings


async def main(model: str, person: str, reason: str) -> None:
    """Look first, then decide about exactly what was looked at."""
    async with Modelops.connect(Settings()) as modelops:
        gate = (await modelops.status(model)).gate
        if gate is None:
            raise SystemExit(f"no gate of {model} is open")
        print(gate.question, gate.artifact)
        receipt = await modelops.decide(model, gate.gate, Choice.APPROVE, person, reason, artifact=gate.artifact)
        print(receipt.waiting_for)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
