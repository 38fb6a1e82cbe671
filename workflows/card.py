"""The model card that the Temporal Web UI shows: what is going on, what it waits for, and the exact way to act."""

from typing import NamedTuple
from urllib.parse import quote as escape

from models.calendar import later
from models.emergency import UNREVIEWED
from models.evidence import StepKind
from models.messages import Action, Choice, Decision
from models.plan import Plan
from models.state import Phase
from models.status import GateStatus, Status
from models.waivers import LAPSED
from workflows.card_facts import checks, heading, lineage, links, production, way
from workflows.card_markup import folded, quote, safe, some, table

_SIGNED = '--as YOU --reason "WHY"'
_ELSEWHERE = "With `--print` it writes JSON for *More Actions → Send an Update → `decide`*."

LIMIT = 4_000
"""In bytes. The card travels in a URL of the Web UI, at almost twice this size: longer ones are refused on the way."""

_SECOND = "Only somebody else than who acted in the emergency may; afterwards somebody has to `retry`."


class Section(NamedTuple):
    """A part of the card. Where room is short the one of the highest rank is left out first, rank 0 never."""

    rank: int
    text: str


def render(plan: Plan, status: Status) -> str:
    """Markdown of less than LIMIT bytes in which everything that people wrote is escaped."""
    sections = [
        Section(0, heading(plan, status)),
        Section(3, way(plan, status)),
        Section(0, quote(_banner(plan, status))),
        Section(2, _gate(status)),
        Section(1, _action(status)),
        Section(4, checks(plan, status)),
        Section(5, production(plan, status)),
        Section(6, links(status)),
        Section(7, lineage(status)),
        Section(8, _requests(plan, status)),
    ]
    return _fitting([section for section in sections if section.text])


def moved_on(workflow_id: str) -> str:
    """The card of a run that has continued as new: what it asked for last is asked elsewhere now."""
    latest = f"/namespaces/{{namespace}}/workflows/{escape(workflow_id, safe='')}"
    return quote([f"↪️ **This run is over, the lifecycle goes on:** [open its latest run]({latest})"])


def _fitting(sections: list[Section]) -> str:
    text = "\n\n".join(section.text for section in sections)
    if len(text.encode()) < LIMIT:
        return text
    last = max(sections, key=lambda section: section.rank)
    return _fitting([section for section in sections if section is not last])


# --- what it waits for


def _banner(plan: Plan, status: Status) -> list[str]:
    lines = _situation(plan, status)
    if status.paused and not _held(status):
        lines.insert(0, "⏸ **Paused:** no further step starts until somebody resumes it")
    matters = [f"⚠️ {safe(matter, 200)}" for matter in status.matters[:4]]
    return [*lines, *matters, *(f"🔌 **{safe(trouble, 180)}**" for trouble in status.troubles)]


def _held(status: Status) -> bool:
    return status.paused and status.phase is Phase.WORKING and status.step is None


def _situation(plan: Plan, status: Status) -> list[str]:
    match status.phase:
        case Phase.DECIDING if status.gate:
            return _owed(plan, status, status.gate)
        case Phase.STUCK if failure := status.failure:
            lines = [f"🛑 **Stuck, a person has to act:** {safe(failure.message, 200)}"]
            return [*lines, f"🔧 {safe(failure.remedy)} ({safe(failure.type, 40)})"] if failure.remedy else lines
        case Phase.AWAITING_VERSION:
            return ["📥 **Waiting for a version** to be submitted"]
        case Phase.STEADY:
            serves = f"version {status.champion.number} serves" if status.champion else "nothing serves"
            return [f"🟢 **In production:** {serves}, nothing to do"]
        case Phase.ENDED:
            return ["🏁 **Ended:** nothing serves any more"]
        case _:
            return [f"{'⏸' if _held(status) else '⚙️ Now:'} **{safe(status.waiting_for)}**"]


def _owed(plan: Plan, status: Status, gate: GateStatus) -> list[str]:
    asked = [f"{ask.owed} approval{'s' * (ask.owed > 1)} of {ask.role}" for ask in gate.asked]
    planned = plan.stage(status.stage).gate
    due = later(plan.calendar, gate.opened, planned.sla if planned else 0)
    rejects = planned is not None and planned.on_timeout == "reject"
    when = "until" if status.due else "⏰ overdue since"
    silence = ", then the version is rejected" if rejects else "; silence is not consent"
    return [f"⏳ **Waiting for {some(asked, 3)}**", f"{when} **{due:%Y-%m-%d %H:%M} UTC**{silence}"]


def _gate(status: Status) -> str:
    gate = status.gate
    if gate is None:
        return ""
    rows = [_decided(decision) for decision in gate.decisions[-4:]]
    for ask in gate.asked[:6]:
        people = some(ask.people) or "nobody may: change the directory, then `request` a `retry`"
        rows.append((ask.role, f"⏳\u00a0{ask.owed}\u00a0more", people))
    given = sum(decision.decision is Choice.APPROVE for decision in gate.decisions)
    total = given + sum(ask.owed for ask in gate.asked)
    progress = f"<progress value={given} max={total}></progress> {given} of {total} approvals"
    return f"**{safe(gate.question, 200)}**\n{progress}\n\n" + table(("Role", "Decision", "Who"), rows)


def _decided(made: Decision) -> tuple[str, str, str]:
    word = "✅\u00a0approved" if made.decision is Choice.APPROVE else "❌\u00a0rejected"
    return made.role or "", word, f"{made.person}: {safe(made.reason, 80)}"


# --- how to act


def _action(status: Status) -> str:
    """The next thing that a person may do, and the command for it."""
    model = status.model
    match status.phase:
        case Phase.DECIDING if status.gate:
            how = "`reject` in place of `approve` turns the version away."
            return _command("To decide", f"decide {model} {status.gate.gate} approve {_SIGNED}", f"{how} {_ELSEWHERE}")
        case Phase.STUCK if status.failure and status.failure.type == UNREVIEWED and status.glass:
            return _command("To close the review", f"review {model} {_SIGNED}", _SECOND)
        case Phase.STUCK if status.failure and status.failure.type == LAPSED:
            return _command("To give the version up", f"abandon {model} {_SIGNED}") if status.version else ""
        case Phase.STUCK:
            how = "To give the version up, write `abandon`." if status.version else ""
            return _command("To go on", f"retry {model} {_SIGNED}", how)
        case Phase.ENDED:
            return ""
        case _ if status.paused:
            return _command("To go on", f"resume {model} {_SIGNED}")
        case Phase.AWAITING_VERSION:
            return _command("To submit one", f"submit {model} version.yaml --as YOU")
        case _:
            return ""


def _command(what: str, command: str, how: str = "") -> str:
    lines = filter(None, (f"**{what}**, with your own key:", how))
    return "\n".join(lines) + f"\n\n```\nmodelops {command}\n```"


def _requests(plan: Plan, status: Status) -> str:
    possible = _possible(plan, status)
    if not possible:
        return ""
    return folded("What else may be asked", [f"<code>modelops {action} {status.model}</code>" for action in possible])


def _possible(plan: Plan, status: Status) -> list[Action]:
    if status.phase is Phase.ENDED:
        return []
    pausing = Action.RESUME if status.paused else Action.PAUSE
    if status.stage in plan.closing:
        return [pausing]
    asks = {
        pausing: True,
        Action.RETRY: status.phase is Phase.STUCK or (status.phase is Phase.DECIDING and status.step is None),
        Action.ABANDON: status.version is not None,
        Action.RETRAIN: status.phase is Phase.STEADY,
        Action.ROLLBACK: status.previous is not None and status.step != StepKind.RESTORE,
        Action.SUSPEND: plan.enters.suspension is not None and plan.production in status.serving,
        Action.RETIRE: True,
        Action.CONFIRM: status.glass is not None and status.glass.confirmed is None,
        Action.REVIEW: status.glass is not None,
    }
    return [action for action, possible in asks.items() if possible]
