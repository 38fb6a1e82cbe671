"""Registers a model and starts its lifecycle: `python -m examples.start_lifecycle FACTS.yaml TEMPLATE`.

For example, while `modelops up` runs: `python -m examples.start_lifecycle examples/loan_approval/model.yaml low-risk`
"""

import asyncio
import sys
from pathlib import Path

from client.api import Modelops
from client.documents import read_facts
from client.library import find_template
from models.proof.certificate import prove
from worker.settings import Settings


async def main(file: str, template: str) -> None:
    """Register, start, and say where to look."""
    facts = read_facts(Path(file))
    plan = find_template(template).compiled().plan
    async with Modelops.connect(Settings()) as modelops:
        print((await modelops.register(facts)).summary)
        print(await modelops.start(facts, plan, prove(plan)), modelops.link(facts.id))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
