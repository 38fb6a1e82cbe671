"""Gates on a real server: reminders, escalation, deadlines."""

from zoneinfo import ZoneInfo

from models.calendar import later
from models.inventory import VersionStatus
from models.messages import Choice
from models.state import Phase
from tests.contract.reader import Reader
from tests.temporal.house import House, plan_of

SOON = (
    ("sla: 10d", "sla: 3s"),
    ("remind: [3d, 7d]", "remind: [1s, 2s]"),
    ("after: 10d, to: risk", "after: 3s, to: legal"),
)


def told(house: House) -> list[tuple[str, str]]:
    """Who was told, and what kind of message it was."""
    reader = Reader(house.database)
    found = [(row.recipient, row.subject) for row in reader.notifications(house.model)]
    reader.close()
    return found


async def test_people_are_asked_reminded_and_escalated_to(house: House) -> None:
    """Holders of the open roles are reminded, those who may decide are asked, the escalation goes to its role.

    The gate stays open.
    """
    await house.start(plan_of("credit-high-risk", *SOON))
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    await house.decide("rosa")
    await house.until(lambda s: s.due is None)
    status = await house.recorded()
    assert status.phase is Phase.DECIDING
    messages = told(house)
    asked = {person for person, subject in messages if "waits for your decision" in subject}
    assert asked == {"dmitri", "rosa"}
    reminded = [person for person, subject in messages if "reminder" in subject]
    assert sorted(reminded) == ["ana", "ana", "dmitri", "dmitri"]
    assert [person for person, subject in messages if "escalation" in subject] == ["lena"]


async def test_a_gate_may_reject_when_nobody_answers(house: House) -> None:
    """With `on_timeout: reject` the deadline turns the version away; it never approves."""
    edits = (*SOON, ("on_timeout: hold               # silence", "on_timeout: reject             # silence"))
    await house.start(plan_of("credit-high-risk", *edits))
    await house.submit()
    status = await house.until(lambda s: s.statuses.get(1) is VersionStatus.REJECTED)
    assert "nobody decided" in status.passages[-1].reason
    assert status.phase is Phase.AWAITING_VERSION


async def test_business_days_are_counted_in_the_workflow(house: House) -> None:
    """A gate that waits two business days of Tokyo is due by Tokyo's days, whatever the clock of the server shows."""
    calendar = "calendar: {zone: Asia/Tokyo, workdays: [mon, wed, fri], hours: [9, 17]}\nretention: 3653d"
    plan = plan_of("credit-high-risk", ("retention: 3653d", calendar), ("sla: 10d", "sla: 9bd"))
    ZoneInfo.clear_cache()
    await house.start(plan)
    await house.submit()
    status = await house.until_phase(Phase.DECIDING, "validation")
    assert status.gate is not None
    assert status.due == later(plan.calendar, status.gate.opened, "9bd")
    assert status.due.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%a") in ("Mon", "Wed", "Fri")


async def test_an_approval_lapses_and_is_given_anew(house: House) -> None:
    """Nobody sends anything: the approval is gone in time, its role is told, and a fresh signature counts."""
    await house.start(plan_of("credit-high-risk", ("sla: 10d", "sla: 10d\n      approvals_lapse: 3s")))
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    first = await house.decision("dmitri")
    await house.update("decide", first)
    await house.until(lambda s: s.gate is not None and not s.gate.decisions)
    assert "before dmitri was asked again" in await house.refusal("decide", first)
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    await house.recorded()
    assert [person for person, subject in told(house) if "dmitri does not count any more" in subject] == [
        "ana",
        "dmitri",
    ]


async def test_findings_are_closed_before_a_further_version_passes(house: House) -> None:
    """Signed: a rejection leaves a finding, and the same role's approval of the next version names it."""
    await house.start(plan_of("credit-high-risk"))
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    await house.update("decide", await house.decision("rosa", Choice.REJECT, findings=("Too slow.",)))
    await house.submit(note="better")
    status = await house.until_phase(Phase.DECIDING, "validation")
    assert [(one.id, one.role, one.version) for one in status.findings] == [("F1", "risk", 1)]
    assert "F1 (Too slow)" in await house.refusal("decide", await house.decision("rosa"))
    await house.update("decide", await house.decision("rosa", closes=("F1",)))
    await house.decide("dmitri")
    assert (await house.until_phase(Phase.DECIDING, "staging")).findings == ()
