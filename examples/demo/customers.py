"""Customers of a demo: they ask PROD about real cases, all the time; what became of each is put on file."""

import asyncio
import contextlib
import csv
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import httpx2
import pandas as pd

from models.inventory import DataContract

CLIENTS = 6
CASES = 35_000
PAUSE = 0.002
"""Seconds that a customer thinks between two questions."""


class Answered(NamedTuple):
    """One answer: when (seconds of a clock that only goes forward), and by which version."""

    at: float
    version: str


class Customers:
    """Whoever asks is drawn from real cases, with replacement: each question is a case of its own.

    What really became of it, and the group, are known at once; elsewhere it takes months.
    """

    def __init__(self, url: str, model: str, rows: Path, outcomes: Path, contract: DataContract) -> None:
        """`rows` are cases as CSV; `outcomes` is the folder for labels and groups."""
        self.answers: list[Answered] = []
        self.failures: list[str] = []
        self._infer = f"{url}/v2/models/{model}/infer"
        self._outcomes = outcomes
        self._known = [contract.label, *(one.column for one in contract.protected)]
        columns = [column.name for column in contract.inputs]
        cases = pd.read_csv(rows).dropna(subset=[contract.label]).astype({contract.label: int})
        drawn = cases.sample(n=CASES, replace=True, random_state=1996)
        asked = drawn[columns].astype(object).where(drawn[columns].notna(), None)
        self._cases = list(zip(asked.to_numpy().tolist(), drawn[self._known].to_numpy().tolist(), strict=True))
        self._next = 0

    def versions(self, since: float = 0.0) -> Counter[str]:
        """How many answers each version has given since a moment."""
        return Counter(one.version for one in self.answers if one.at >= since)

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """They ask while it lasts."""
        self._outcomes.mkdir(parents=True, exist_ok=True)
        with (self._outcomes / "decided.csv").open("w", newline="", buffering=1) as file:
            writer = csv.writer(file)
            writer.writerow(["unit", *self._known])
            async with httpx2.AsyncClient(trust_env=False, timeout=10) as http:
                tasks = [asyncio.create_task(self._ask(http, writer.writerow)) for _ in range(CLIENTS)]
                try:
                    yield
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, http: httpx2.AsyncClient, write: Callable[[list[object]], object]) -> None:
        while True:
            values, known = self._cases[self._next % len(self._cases)]
            unit, self._next = f"case-{self._next}", self._next + 1
            tensor = {"name": "input", "shape": [1, len(values)], "datatype": "FP64", "data": values}
            write([unit, *known])
            try:
                answer = await http.post(self._infer, json={"parameters": {"unit": unit}, "inputs": [tensor]})
                answer.raise_for_status()
                self.answers.append(Answered(time.monotonic(), answer.json()["model_version"]))
            except httpx2.HTTPError as error:
                self.failures.append(f"{unit}: {error}")
            await asyncio.sleep(PAUSE)
