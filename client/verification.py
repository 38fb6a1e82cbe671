"""Whether what the inventory tells is what happened: the chain of all entries, and the kernel run once more."""

from client.catalog import Catalog
from models.audit import fold, verify_chain
from models.canonical import Frozen
from models.state import State


class Verification(Frozen):
    """`entries` of the whole trail up to `head`; `problems` of the chain; `replay` disagreements of one model."""

    entries: int
    head: str
    problems: tuple[str, ...]
    replay: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not self.replay


def verify(catalog: Catalog, model: str) -> Verification:
    """Check the trail of all models, and the events of one."""
    head = catalog.head()
    found = verify_chain(catalog.trail(), head)
    return Verification(
        entries=head.position,
        head=head.hash,
        problems=tuple(problem.message for problem in found),
        replay=_replay(catalog, model),
    )


def _replay(catalog: Catalog, model: str) -> tuple[str, ...]:
    plan = catalog.plan_of(model)
    if plan is None:
        return ()
    initial = State(model=model, owner=catalog.facts(model).owner)
    return fold(plan, initial, catalog.history(model)).problems
