"""A lifecycle whose people and keys are those that an administrator has published in the database."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel
from temporalio.client import Client

from activities.adapters.sql_directory import SqlDirectory
from client.catalog import Catalog
from client.examination import Examiner, Seals
from models.directory import DirectoryEdition, following
from models.keys import EnrolledKey, Keyring
from models.messages import Action, Choice
from models.people import load_people
from models.signing import key_id
from models.state import Phase
from tests.editions import ADA, signed
from tests.signers import AUDIENCE, keyring, signer
from tests.temporal.attackers import DEV, ONE, PROD, TEST, rightful
from tests.temporal.doubles import NAMES, PEOPLE
from tests.temporal.house import House, plan_of

CREDIT = plan_of("credit-high-risk")
DMITRI = key_id(signer("dmitri").public)


class Administered(House):
    """A house whose directory an administrator publishes; its worker and its actuator read it each by themselves."""

    def __init__(self, client: Client, root: Path, name: str) -> None:
        super().__init__(client, root, name)
        ours, theirs = (SqlDirectory(self.database, (ADA,), AUDIENCE) for _ in range(2))
        self.parts = dataclasses.replace(self.parts, directory=ours)
        self.actuator_parts = dataclasses.replace(self.actuator_parts, directory=theirs)
        self.directories = ours, theirs

    def publish(self, keys: Keyring) -> DirectoryEdition:
        """The same people, with other keys."""
        kept = self.directories[0].kept()
        people = load_people(PEOPLE.encode(), Path("directory.yaml"))
        content = following(kept.edition if kept else None, AUDIENCE, "ada", people, keys, datetime.now(UTC))
        self.directories[0].publish(signed(content))
        return content


@pytest.fixture
async def house(temporal: Client, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Administered]:
    """Nothing is published yet."""
    built = Administered(temporal, tmp_path, request.node.name)
    with closing(built.directories[0]), closing(built.directories[1]):
        async with built:
            yield built


async def test_who_decides_is_who_is_published(house: Administered) -> None:
    """Before anything is published nobody is known; then a gate opens, and its people decide.

    A key whose revocation is published counts for nothing: at the actuator what it decided before, at the next gate
    what it would decide. Whoever withholds the revocation stops everything, and turns nothing back.
    """
    await house.start(CREDIT)
    given = house.handed_in(house.version())
    assert "no edition of the directory is published" in await house.refusal("submit_version", given)
    registry = keyring(NAMES)
    house.publish(registry)
    await house.update("submit_version", given)
    await house.until_phase(Phase.DECIDING, "validation")
    stolen = datetime.now(UTC)
    await house.decide("dmitri")
    registry = registry.revoke(DMITRI, stolen, "it was stolen")
    house.publish(registry)
    await house.decide("rosa")
    stuck = await house.until_phase(Phase.STUCK, "staging")
    assert stuck.failure is not None
    assert "dmitri at 'independent-validation'" in stuck.failure.message
    assert f"was revoked as of {stolen:%Y-%m-%d %H:%M} UTC: it was stolen" in stuck.failure.message
    await rightful(house, CREDIT, ONE[:1])

    with withheld(house.database, 2):
        said = await house.refusal("request", house.asked(Action.RETRY))
        assert "olga is cannot be found out now: The directory in the database is not what was published" in said
    await house.request(Action.ABANDON)
    await house.submit()
    await house.until_phase(Phase.DECIDING, "validation")
    assert "dmitri has no key" in await house.refusal("decide", await house.decision("dmitri"))

    second = signer("dmitri", key="dmitri-2")
    house.publish(registry.enrol(EnrolledKey(person="dmitri", public=second.public, enrolled=stolen)))
    again = await house.request(Action.RETRY)
    status = await house.until(lambda status: status.phase is Phase.DECIDING and status.seq > again.seq)
    assert status.gate is not None
    assert status.gate.about is not None
    await house.update("decide", second.decide(status.gate.about, Choice.APPROVE, "data_science", "looked at it"))
    await house.decide("rosa")
    await house.approve("staging", "lena", "paul")
    await house.until_phase(Phase.STEADY)
    await rightful(house, CREDIT, (*ONE[:1], (DEV, 2), (TEST, 2), (PROD, 2)))
    with Catalog(house.database) as catalog:
        found = Examiner(catalog, Seals((), (), AUDIENCE, datetime.now(UTC), (ADA,))).conclude((), (), (), ()).findings
    assert found == ()


@contextmanager
def withheld(database: str, number: int) -> Iterator[None]:
    """An edition is not there, for a while."""
    engine, table = create_engine(database), SQLModel.metadata.tables["directory"]
    row = table.c.number == number
    with engine.begin() as connection:
        kept = connection.execute(table.select().where(row)).one()._asdict()
        connection.execute(table.delete().where(row))
    yield
    with engine.begin() as connection:
        connection.execute(table.insert(), kept)
    engine.dispose()
