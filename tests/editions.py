"""Editions of a directory for tests: who is in it, and what administrators have signed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from models.directory import DirectoryEdition, following
from models.keys import Keyring
from models.people import People
from models.signing import Document
from tests.signers import AUDIENCE, keyring, signer

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Groups = Mapping[str, Sequence[str]]
"""People, and the groups that each is in."""
ADA, BEA = (signer(name).public for name in ("ada", "bea"))
"""The keys of two administrators."""


def people(groups: Groups, **more: object) -> People:
    """Everybody with their groups, and what else is said of each of them."""
    facts = {"name": "Somebody", "email": "x@example.com", **more}
    return People.model_validate({"people": {name: {**facts, "groups": held} for name, held in groups.items()}})


def edition(
    groups: Groups,
    keys: Keyring | None = None,
    before: DirectoryEdition | None = None,
    by: str = "ada",
) -> DirectoryEdition:
    """The next edition, with everybody's key unless others are given, an hour after the one before."""
    at = before.at + timedelta(hours=1) if before else MORNING
    return following(before, AUDIENCE, by, people(groups), keyring(groups) if keys is None else keys, at)


def signed(content: DirectoryEdition, by: str = "") -> Document:
    """The edition, signed by whoever it says or by somebody else."""
    return signer(by or content.by).publish(content)
