"""Registers a model and starts its lifecycle: `python -m examples.start_lifecycle FACTS.yaml TEMPLATE`.

For example, while `modelops up` runs:
`python -m examples.start_lifecycle examples/loan_approval/model.yaml credit-high-risk`
"""

import asyncio
import sys
from pathlib import Path

from client.api import Modelops
from client.documents import read_facts
from client.library import find_template, policy_of
from models.errors import ModelopsError
from models.proof.certificate import prove
from worker.settings import read_settings


async def main(file: str, template: str) -> None:
    """Prove, register, start, and say where to look."""
    settings = read_settings()
    facts = read_facts(Path(file), policy_of(settings))
    plan = find_template(template).compiled(policy_of(settings, facts)).plan
    proof = prove(plan)
    async with Modelops.connect(settings) as modelops:
        print((await modelops.register(facts)).summary)
        print(await modelops.start(facts, plan, proof), modelops.link(facts.id))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m examples.start_lifecycle FACTS.yaml TEMPLATE")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except ModelopsError as error:
        raise SystemExit(f"{error}\n{error.remedy}") from error
