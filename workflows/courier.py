"""Messages to people on their way: a directory that cannot be read delays them, and nothing else."""

from collections.abc import Iterable, Mapping

from activities.notification import Notice, NotificationActivities
from models.canonical import Slug
from models.messages import Notify
from models.notices import put
from workflows.persistence import Tell, insist


class Courier:
    """Keeps every message until it is delivered, one after the other; what is left goes on into the next run."""

    def __init__(self, model: Slug, groups: Mapping[Slug, Slug], waiting: Iterable[Notify], tell: Tell) -> None:
        self._model = model
        self._groups = groups
        self._waiting = list(waiting)
        self._tell = tell
        self._busy = False

    @property
    def pending(self) -> tuple[Notify, ...]:
        """What is not known to be delivered."""
        return tuple(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether something waits and nobody delivers it."""
        return bool(self._waiting) and not self._busy

    def add(self, message: Notify) -> None:
        """One more message."""
        put(self._waiting, message)

    async def deliver(self) -> None:
        """Everything that waits."""
        self._busy = True
        while self._waiting:
            message = self._waiting[0]
            groups = tuple(self._groups[role] for role in message.roles)
            key = message.key(self._model)
            notice = Notice(key=key, groups=groups, people=message.people, subject=message.subject)
            await insist(NotificationActivities.notify_people, notice, message.subject, self._tell)
            self._waiting.pop(0)
        self._busy = False
