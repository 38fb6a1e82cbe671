"""Who somebody is who has signed something, by the directory as it is now."""

from temporalio import activity

from activities.ports import Directory
from models.canonical import Frozen, Slug
from models.evidence import Electorate


class Inquiry(Frozen):
    """A person, and the roles (with their groups) that could be held."""

    person: Slug
    roles: dict[Slug, Slug]


class IdentityActivities:
    """Looks people up."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @activity.defn(name="identify", no_thread_cancel_exception=True)
    def identify(self, inquiry: Inquiry) -> Electorate:
        """The roles that a person holds, and the keys with which they sign; nobody else's."""
        held = self._directory.electorate(inquiry.roles, (inquiry.person,))
        roles = {role: (inquiry.person,) for role, people in held.people.items() if inquiry.person in people}
        keys = {person: keys for person, keys in held.keys.items() if person == inquiry.person}
        return Electorate(people=roles, audience=held.audience, keys=keys)
