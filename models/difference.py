"""What a change to a lifecycle means: two plans side by side, each difference with its direction and a sentence.

Two plans are compared by what they ask, not by how they were written. Their name, version and title are no
difference, nor is the order in which they say things; a plan has none to itself.

Tighter: more people, checks, work or watching; less time, fewer tiers, fewer ways. Looser is the way back.
Neutral: something else, which asks neither more nor less, as a role that another group holds. A route as such is
neutral: what it means for the gates before an environment is told on its own.
"""

from collections.abc import Callable

from models.changes import gates, governance, graph, trials, watch, work
from models.changes.change import Change, Changes
from models.plan import Plan

_FAMILIES: tuple[Callable[[Plan, Plan], Changes], ...] = (
    gates.gates,
    gates.calendar,
    gates.dominance,
    gates.reinstatement,
    work.evidence,
    work.pipelines,
    governance.packs,
    governance.duties,
    governance.tiers,
    watch.kpis,
    watch.monitors,
    watch.kept_and_reviewed,
    graph.entries,
    graph.steps,
    graph.stages,
    trials.trials,
    governance.roles,
)


def difference(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Everything that differs, what matters most first; nothing for plans that ask the same."""
    return tuple(change for family in _FAMILIES for change in family(before, after))
