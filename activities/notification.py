"""People are asked and told: into the outbox, in the same transaction as the record of it."""

from collections.abc import Sequence

from pydantic import Field
from temporalio import activity

from activities.ledger import Ledger, Outcome, demand_own
from activities.ports import Directory, Inventory
from models.canonical import Frozen, Slug
from models.errors import UnknownNameError
from models.evidence import EffectKey, StepKind, StepOrder, StepResult
from models.inventory import Notified
from models.journal import Assignment
from models.separation import barring, lineage


class Notice(Frozen):
    """A message to the holders of some groups, and to some people (nobody: the model's owner)."""

    key: EffectKey
    groups: tuple[Slug, ...]
    people: tuple[Slug, ...] = Field(default=(), exclude_if=lambda people: not people)
    subject: str


class NotificationActivities:
    """Finds out who, and tells them."""

    def __init__(self, inventory: Inventory, directory: Directory) -> None:
        self._inventory = inventory
        self._ledger = Ledger(inventory)
        self._directory = directory

    @activity.defn(name="ask_approvers", no_thread_cancel_exception=True)
    def ask_approvers(self, task: Assignment) -> StepResult:
        """Read who holds the gate's roles now, and tell those of them who may decide what waits for them."""
        order = task.order

        def effect() -> Outcome:
            electorate = self._directory.electorate(order.roles)
            holders = sorted({person for held in electorate.people.values() for person in held})
            people = self._unbarred(order, holders)
            subject = f"{order.model}: version {order.version} waits for your decision in stage '{order.stage}'"
            notices = [Notified(recipient=person, subject=subject, body=order.question) for person in people]
            return StepResult(summary=f"asked {', '.join(people) or 'nobody'}", electorate=electorate), notices

        return self._ledger.perform(task, StepKind.ASK, effect)

    def _unbarred(self, order: StepOrder, people: Sequence[Slug]) -> Sequence[Slug]:
        """Those whom separation of duties lets decide about a version; all, while it is not registered."""
        if order.version is None:
            return people
        try:
            facts, given = self._inventory.model(order.model), self._inventory.submission(order.model, order.version)
        except UnknownNameError:
            return people
        plan = self._inventory.governing_plan(order.model)
        did = lineage(plan, facts.owner, given)
        return [person for person in people if not barring(plan, did, person)]

    @activity.defn(name="notify_people", no_thread_cancel_exception=True)
    def notify_people(self, notice: Notice) -> StepResult:
        """Put one message per person into the outbox, for the lifecycle that it is about alone."""
        demand_own(notice.key.model)

        def effect() -> Outcome:
            groups = {group: group for group in notice.groups}
            held = self._directory.electorate(groups).people if groups else {}
            people = sorted({person for holders in held.values() for person in holders}.union(notice.people))
            recipients = people or [self._inventory.model(notice.key.model).owner]
            notices = [Notified(recipient=person, subject=notice.subject, body="") for person in recipients]
            return StepResult(summary=f"told {', '.join(recipients)}"), notices

        return self._ledger.once(notice.key, effect)
