"""A model's report: one page that explains itself, for people who decide about risk."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from client.charts import Mark, timeline
from client.milestones import LANES, Milestone
from client.report_charts import drift, fairness, judged, others, read_evaluation, read_window
from client.report_summary import health, lately, open_matters, why
from client.story import Line
from client.verification import Verification
from client.views import Held, Looked
from models.inventory import ModelFacts
from models.plan import Plan


class Sources(NamedTuple):
    """Everything that a report is made of. `window` and `evaluation` are the newest reports, None if there is none.

    The summary tells what has happened from `since` on, and everything else of all time until `at`.
    """

    facts: ModelFacts
    regulations: Sequence[str]
    held: Held
    plan: Plan | None
    looks: Sequence[Looked]
    window: bytes | None
    evaluation: bytes | None
    milestones: Sequence[Milestone]
    lines: Sequence[Line]
    verification: Verification
    since: datetime
    at: datetime


def write_report(sources: Sources) -> str:
    """The page as HTML. It loads nothing and runs nothing; whatever people wrote stands there as text."""
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        files("client").joinpath("report.html").read_text(encoding="utf-8")
    )
    looks, plan, held = sources.looks, sources.plan, sources.held
    window, marks = read_window(sources.window), [Mark(*one) for one in sources.milestones]
    return template.render(
        facts=sources.facts,
        regulations=sources.regulations,
        held=held,
        at=sources.at,
        health=health(held),
        why=list(why(held, looks)),
        open=list(open_matters(held, looks)),
        lately=lately(sources.milestones, sources.since),
        readings=list(judged(looks, plan, [mark for mark in marks if mark.lane == "champions"])),
        others=list(others(looks, plan)),
        drift=drift(window, plan),
        fairness=list(fairness(window, read_evaluation(sources.evaluation))),
        story=timeline("What happened when", marks, LANES),
        milestones=sources.milestones,
        lines=sources.lines,
        standing=list(_standing(sources.verification)),
    )


def _standing(found: Verification) -> Iterator[str]:
    wrong = (*found.problems, *found.rows, *found.replay)
    if not wrong:
        yield f"The audit trail holds: a chain of {found.entries} entries, up to {found.head}."
        yield "The inventory is what the trail makes of it, and the rules, run once more, agree with the record."
    yield from (f"Does not hold: {problem}" for problem in wrong)
    yield "The command modelops audit verify also checks signatures, the checkpoints and the engine's history."
