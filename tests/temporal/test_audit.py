"""The record beside the engine: what Temporal has seen shows what no hash can."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.adapters.file_checkpoints import FileCheckpoints
from client.api import Modelops
from client.bundle import Sources, export
from client.bundle_verifier import Bundle
from client.catalog import Catalog
from client.crosscheck import crosscheck
from client.examination import Dossier, Examined, Examiner, open_dossier
from client.histories import Heard, understand
from models.audit import AuditKind, Tampering
from models.checkpoint import read_checkpoints
from models.messages import Action
from models.records import AuditRecord
from models.state import Phase
from tests.contract.backdoor import execute, rewrite
from tests.signers import AUDIENCE
from tests.temporal.house import House, facts_of, plan_of
from tests.temporal.invariants import seals
from tests.temporal.test_rebuilding import lose, recorded
from worker.policies import built_in_packs
from worker.schedules import CHECKPOINTS, schedule_checkpoints
from workflows.checkpoint import AuditCheckpoint

LOW = plan_of("low-risk")
CREDIT = plan_of("credit-high-risk")


async def examined(house: House, client: type[Modelops] = Modelops) -> Examined:
    """All that `modelops audit verify` finds."""
    with Catalog(house.database) as catalog:
        examiner = Examiner(catalog, seals(house))

        def read() -> Dossier:
            return open_dossier(catalog.record(house.model))

        dossier = read()
        found = await crosscheck(client(house.client, queue=house.queue), examiner, dossier, read)
        return examiner.conclude([dossier], found.compared, found.findings, found.remarks)


async def test_a_true_record_agrees_with_the_engine(house: House) -> None:
    """A whole life, over many runs, refused attempts included: nothing is wrong, and everything was compared."""
    await house.start(CREDIT)
    await house.to_production()
    await house.refusal("decide", house.asked(Action.PAUSE))
    await house.request(Action.SUSPEND)
    await house.until(lambda s: s.phase is not Phase.STEADY and s.step is None)
    await house.recorded()
    house.actuator_parts.notary.checkpoint()
    found = await examined(house)
    assert found.findings == ()
    assert (found.engine, found.remarks, found.vouched) == ((house.model,), (), found.entries)
    assert found.events > 20
    runs = (await Modelops(house.client, queue=house.queue).heard(house.model)).runs
    assert exported(house, runs) == []
    found = await examined(house, Forgetful)
    assert (found.findings, found.engine) == ((), (house.model,))
    assert "what was before is not compared" in found.remarks[0]


def exported(house: House, runs: Sequence[WorkflowHistory]) -> list[str]:
    """What the script in the bundle has against it; the histories of all runs are in it."""
    folder, notary = house.root / "bundle", (house.root / "notary.pub").read_text().split()
    with Catalog(house.database) as catalog:
        dossier = open_dossier(catalog.record(house.model))
        export(Sources(catalog, dossier, seals(house), house.parts.store, built_in_packs(), runs), folder)
    kept = [
        WorkflowHistory.from_json(run.workflow_id, text.read_text())
        for run, text in zip(runs, sorted((folder / "histories").iterdir()), strict=True)
    ]
    assert [len(one.events) for one in kept] == [len(run.events) for run in runs]
    bundle = Bundle(folder, notary[-1])
    bundle.check()
    assert bundle.checked > 5
    return bundle.problems


class Forgetful(Modelops):
    """As if the server had given the first two runs up."""

    async def heard(self, model: str) -> Heard:
        """What is left."""
        return await understand((await super().heard(model)).runs[2:], pydantic_data_converter)


async def in_production(house: House) -> None:
    """A low-risk model that serves, its record complete."""
    await house.start(LOW)
    await house.submit()
    await house.until_phase(Phase.STEADY)
    await house.request(Action.PAUSE)
    await house.recorded()


Deed = Callable[[list[AuditRecord]], list[AuditRecord]]


async def test_what_was_rewritten_without_a_trace_is_found(house: House) -> None:
    """With the chain made anew and no checkpoint, the engine's history still names the entry and the deed."""
    await in_production(house)
    last = max(row.seq or 0 for row in events(house))

    def dropped(rows: list[AuditRecord]) -> list[AuditRecord]:
        return [row for row in rows if not (row.kind == AuditKind.EFFECT and '"step":"scan"' in row.body)]

    def invented(rows: list[AuditRecord]) -> list[AuditRecord]:
        (effect,) = [row for row in rows if row.kind == AuditKind.EFFECT and '"step":"scan"' in row.body]
        body = effect.body.replace('"step":"scan"', '"step":"absolve"')
        return [*rows, AuditRecord(**{**effect.model_dump(), "body": body})]

    def reworded(rows: list[AuditRecord]) -> list[AuditRecord]:
        return [
            AuditRecord(**{**row.model_dump(), "body": row.body.replace("for the test", "for the best")})
            for row in rows
        ]

    deeds: dict[str, tuple[Deed, Tampering, str]] = {
        "dropped": (dropped, Tampering.REMOVED, "scan was performed, and is not on record"),
        "invented": (invented, Tampering.INSERTED, "no execution has ordered effect"),
        "reworded": (reworded, Tampering.INSERTED, f"event {last} is another one by the engine's history"),
    }
    kept = events(house)
    for deed, (edit, kind, words) in deeds.items():
        rewrite(house.database, edit)
        found = await examined(house)
        rewrite(house.database, lambda _: kept)
        assert any(one.kind is kind and words in one.message for one in found.findings), (deed, found.findings)
    assert (await examined(house)).holds


def events(house: House) -> list[AuditRecord]:
    """Every row of the trail."""
    with Catalog(house.database) as catalog:
        rows = [row for row in catalog.record(house.model).rows if row.table == "audit"]
    return [AuditRecord(**dict[str, Any](row.values)) for row in rows]


@pytest.mark.leaves_broken("the trail stays cut")
async def test_a_trail_cut_behind_the_engines_back_is_found(house: House) -> None:
    """A record that knows less than the execution has seen, and an execution that is gone, are findings."""
    await in_production(house)
    cut = "position > (SELECT max(position) - 2 FROM audit)"
    execute(
        house.database,
        f"DELETE FROM audit WHERE {cut}",
        "UPDATE audit_head SET position = (SELECT max(position) FROM audit), "
        "hash = (SELECT hash FROM audit ORDER BY position DESC LIMIT 1)",
    )
    messages = [one.message for one in (await examined(house)).findings]
    assert any("on record any more" in message for message in messages), messages
    await lose(house, "deleted")
    messages = [one.message for one in (await examined(house)).findings]
    assert any("the server has no execution" in message for message in messages), messages


async def test_the_trail_is_sealed_by_the_clock(house: House, temporal: Client) -> None:
    """One schedule, however many workers start; the workflow that it starts seals the head."""
    await house.start(LOW)
    told = await temporal.execute_workflow(AuditCheckpoint.run, id="seal", task_queue=house.queue)
    kept = FileCheckpoints(house.root / "checkpoints").all()
    keys = (house.root / "notary.pub").read_text().split()
    sealed = read_checkpoints(kept, keys, AUDIENCE, datetime.now(UTC))
    assert sealed.problems == ()
    assert told == f"checkpoint 1 seals the trail up to entry {sealed.checkpoints[0].position}"
    for _ in range(2):
        await schedule_checkpoints(temporal, house.queue)
    described = await temporal.get_schedule_handle(CHECKPOINTS).describe()
    assert [interval.every.total_seconds() for interval in described.schedule.spec.intervals] == [3600]
    await temporal.get_schedule_handle(CHECKPOINTS).delete()


async def test_a_rebuilt_lifecycle_is_compared_from_where_it_goes_on(house: House) -> None:
    """What happened before the execution was lost stays on record, and no history tells of it: that is said."""
    await in_production(house)
    await lose(house, "terminated")
    await Modelops(house.client, queue=house.queue).rebuild(facts_of(house.model, LOW.tiers[0]), recorded(house))
    await house.request(Action.RESUME)
    await house.recorded()
    found = await examined(house)
    assert found.findings == ()
    assert found.engine == (house.model,)
    assert "what was before is not compared" in found.remarks[0]
