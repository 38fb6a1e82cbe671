"""All or nothing, and once: commits that die on the way, and workers that race."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from activities.adapters.sql_inventory import SqlInventory
from models.audit import EffectRecord
from models.canonical import digest_bytes
from models.evidence import EffectKey, StepResult
from models.inventory import Deployed, Environment, Notified
from models.plan import Plan
from tests.contract.backdoor import chain_problems, rows
from tests.contract.reader import Reader
from tests.contract.story import Record, Tell, until

PROJECT = Path(__file__).parents[2]
KEY = EffectKey(model="loan", visit=7, step="promote")
FOUND = StepResult(summary="it is done")
BUNDLE = digest_bytes(b"bundle")


class Crash(BaseException):
    """The process ends here."""


@contextmanager
def crash_after(statements: int) -> Iterator[None]:
    """Every transaction of this process dies after that many statements; at the latest when it commits."""
    done = count(1)

    def die(*_: object) -> None:
        if next(done) > statements:
            raise Crash

    event.listen(Engine, "before_cursor_execute", die)
    event.listen(Engine, "commit", die)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", die)
        event.remove(Engine, "commit", die)


@pytest.mark.parametrize("what", ["plan", "event", "effect"])
def test_a_crash_between_any_two_statements_leaves_nothing(
    what: str, inventory: SqlInventory, inventory_url: str, plan: Plan, tell: Tell, record: Record
) -> None:
    """Wherever a commit dies, no row was written; when it is tried again, it is written once."""
    story = until(tell("loan"), 7)
    last_effect = max(index for index, told in enumerate(story) if isinstance(told, EffectRecord))
    changed = plan.model_copy(update={"version": "2"})
    commit: dict[str, Callable[[], object]] = {
        "plan": lambda: inventory.commit_plan(changed),
        "event": lambda: record(story[-1:]),
        "effect": lambda: record(story[last_effect : last_effect + 1]),
    }
    record(story[:-1] if what == "event" else story[:last_effect])
    before = rows(inventory_url)
    survived = 0
    for statements in count():
        try:
            with crash_after(statements):
                commit[what]()
            break
        except Crash:
            survived += 1
            assert rows(inventory_url) == before
    assert survived >= 5
    assert len(rows(inventory_url)["audit"]) == len(before["audit"]) + 1
    assert chain_problems(inventory_url) == []


KILLED = """
import os, sys
from sqlalchemy import Engine, event
from activities.adapters.sql_inventory import SqlInventory
from models.evidence import EffectKey, StepResult
event.listen(Engine, "commit", lambda connection: os._exit(9))
SqlInventory(sys.argv[1]).commit_effect(EffectKey(model="loan", visit=7, step="promote"), StepResult(summary="x"), ())
"""


def test_a_process_killed_before_its_commit_leaves_nothing(inventory: SqlInventory, inventory_url: str) -> None:
    """The rows of a killed process are not there, and its lock is not in the way of the next one."""
    before = rows(inventory_url)
    killed = subprocess.run([sys.executable, "-c", KILLED, inventory_url], cwd=PROJECT, check=False, timeout=60)
    assert killed.returncode == 9
    assert rows(inventory_url) == before
    assert inventory.commit_effect(KEY, FOUND, ()) == FOUND


def _race(url: str, act: Callable[[SqlInventory, int], object], racers: int = 8) -> list[object]:
    """What each of several workers, each with its own connections, gets for doing something at the same time."""
    barrier = threading.Barrier(racers)

    def run(number: int) -> object:
        own = SqlInventory(url)
        try:
            barrier.wait()
            return act(own, number)
        finally:
            own.close()

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def test_of_eight_racing_workers_one_wins(inventory_url: str) -> None:
    """Eight workers perform the same effect at once: one result, one message, one audit entry."""

    def act(inventory: SqlInventory, number: int) -> object:
        note = Notified(recipient="rita", subject=f"from {number}", body="")
        return inventory.commit_effect(KEY, StepResult(summary=f"by {number}"), [note])

    results = _race(inventory_url, act)
    found = rows(inventory_url)
    assert len({repr(result) for result in results}) == 1
    assert [len(found[table]) for table in ("ledger", "audit", "notification")] == [1, 1, 1]


def test_eight_workers_extend_one_chain(inventory_url: str) -> None:
    """Eight workers with effects of their own make one chain of all of them."""

    def act(inventory: SqlInventory, number: int) -> None:
        for visit in range(5):
            inventory.commit_effect(EffectKey(model=f"model-{number}", visit=visit, step="scan"), FOUND, ())

    _race(inventory_url, act)
    assert len(rows(inventory_url)["audit"]) == 40
    assert chain_problems(inventory_url) == []


def test_eight_promotions_make_one_champion(record: Record, tell: Tell, inventory_url: str) -> None:
    """Eight promotions at once: each was champion for a while, one is."""
    record(until(tell("loan"), 6))

    def act(inventory: SqlInventory, number: int) -> None:
        change = Deployed(environment=Environment.PROD, version=1, bundle=BUNDLE, endpoint=f"http://{number}")
        inventory.commit_effect(EffectKey(model="loan", visit=20 + number, step="promote"), FOUND, [change])

    _race(inventory_url, act)
    catalog = Reader(inventory_url)
    production = [row for row in catalog.deployments("loan") if row.environment is Environment.PROD]
    catalog.close()
    assert len(production) == 8
    assert [row.until is None for row in production] == [False] * 7 + [True]
