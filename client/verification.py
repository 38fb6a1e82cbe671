"""Whether what the inventory tells is what happened: the chain of all entries, the kernel run once more, every row."""

from typing import NamedTuple

from client.catalog import Catalog, Record
from models.audit import Replayed, replay, verify_chain
from models.canonical import Frozen
from models.inventory_fold import Told, fold_inventory
from models.plan import Plan
from models.rows import Deviation, Row, deviations, differences
from models.state import State


class Verification(Frozen):
    """`entries` of the whole trail up to `head`; `problems` of the chain; of one model's `events` and rows, the rest.

    `replay` says where the kernel disagrees, `rows` which rows are not what the trail makes of them.
    """

    entries: int
    head: str
    events: int
    problems: tuple[str, ...]
    replay: tuple[str, ...]
    rows: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not self.replay and not self.rows


class Rerun(NamedTuple):
    """The recorded events of a model, run through the kernel again; `obstacle` is why they cannot be."""

    plan: Plan | None
    events: tuple[Replayed, ...] = ()
    obstacle: str = ""

    @property
    def state(self) -> State | None:
        """Where they lead."""
        return self.events[-1].state if self.events else None


def verify(catalog: Catalog, record: Record) -> Verification:
    """Check the trail of all models, and what is recorded of one."""
    head = record.head or record.end
    told = fold_inventory(record.model, record.entries)
    rerun = run_again(record, told)
    obstacle = (rerun.obstacle,) if rerun.obstacle else ()
    return Verification(
        entries=head.position,
        head=head.hash,
        events=record.events,
        problems=tuple(problem.message for problem in verify_chain(catalog.trail(), head)),
        replay=(*obstacle, *(problem for event in rerun.events for problem in event.problems)),
        rows=(*told.problems, *differences((*told.rows, _end(record)), record.rows)),
    )


def misplaced(record: Record, told: Told) -> tuple[Deviation, ...]:
    """The rows of a model that are not what the trail makes of them."""
    return tuple(deviations((*told.rows, _end(record)), record.rows))


def run_again(record: Record, told: Told) -> Rerun:
    """Run the recorded events of a model through the kernel again."""
    if told.under is None:
        return Rerun(None, obstacle=f"no recorded event of '{record.model}' can be read" if record.events else "")
    plan = told.plans.get(told.under)
    if plan is None:
        reason = f"the trail does not keep plan {told.under}, by which the events are to be judged"
        return Rerun(None, obstacle=reason)
    if told.facts is None:
        return Rerun(plan, obstacle=f"the trail does not register '{record.model}', whose events it has")
    initial = State(model=record.model, owner=told.facts.owner)
    return Rerun(plan, tuple(replay(plan, initial, record.history)))


def _end(record: Record) -> Row:
    return Row("audit_head", {"id": 1, "position": record.end.position, "hash": record.end.hash})
