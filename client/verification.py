"""Whether what the inventory tells is what happened: the chain of all entries, the kernel run once more, every row."""

from client.catalog import Catalog, Record
from models.audit import fold, verify_chain
from models.canonical import Frozen
from models.inventory_fold import Told, fold_inventory
from models.rows import Row, differences
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


def verify(catalog: Catalog, record: Record) -> Verification:
    """Check the trail of all models, and what is recorded of one."""
    head = record.head or record.end
    told = fold_inventory(record.model, record.entries)
    end = Row("audit_head", {"id": 1, "position": record.end.position, "hash": record.end.hash})
    return Verification(
        entries=head.position,
        head=head.hash,
        events=record.events,
        problems=tuple(problem.message for problem in verify_chain(catalog.trail(), head)),
        replay=_replay(record, told),
        rows=(*told.problems, *differences((*told.rows, end), record.rows)),
    )


def _replay(record: Record, told: Told) -> tuple[str, ...]:
    if told.under is None:
        return (f"no recorded event of '{record.model}' can be read",) if record.events else ()
    plan = told.plans.get(told.under)
    if plan is None:
        return (f"the trail does not keep plan {told.under}, by which the events are to be judged",)
    if told.facts is None:
        return (f"the trail does not register '{record.model}', whose events it has",)
    initial = State(model=record.model, owner=told.facts.owner)
    return fold(plan, initial, record.history).problems
