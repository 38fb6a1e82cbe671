"""Separation of duties: who had a hand in a version, or in the template that governs it, does not decide about it."""

from collections.abc import Collection, Mapping

from models.canonical import Slug
from models.inventory import Submission
from models.plan import Duty, Plan
from models.state import State, Version


def duty_of(plan: Plan, state: State, version: Version, person: Slug) -> Duty | None:
    """What a person did for a version that bars them from approving it."""
    return barring(plan, lineage(plan, state.owner, version), person)


def lineage(plan: Plan, owner: Slug, version: Version | Submission) -> dict[Duty, tuple[Slug, ...]]:
    """Who did what for a version, and for the template that governs it."""
    return {
        Duty.OWNER: (owner,),
        Duty.DEVELOPER: (version.developer,),
        Duty.SUBMITTER: (version.submitter,),
        Duty.TRAINER: (version.trained_by,) if version.trained_by else (),
        Duty.EDITOR: plan.editors,
    }


def barring(plan: Plan, did: Mapping[Duty, Collection[Slug]], person: Slug) -> Duty | None:
    """The duty that bars a person from approving a version, by who did what for it."""
    return next((duty for duty in plan.separation if person in did[duty]), None)
