"""One copy of each plan for all the lifecycles of a worker that are on it."""

from functools import lru_cache

from models.canonical import Digest, digest
from models.plan import Plan

_KEPT = 256


def shared(plan: Plan) -> tuple[Plan, Digest]:
    """An equal plan, the same object for every lifecycle on it, and its digest."""
    return _first(plan.model_dump_json())


@lru_cache(_KEPT)
def _first(content: str) -> tuple[Plan, Digest]:
    plan = Plan.model_validate_json(content)
    return plan, digest(plan)
