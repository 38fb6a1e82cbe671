"""Real databases, made when a test first asks for one, and a story to record in them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.sql_inventory import SqlInventory
from activities.adapters.sql_migration import migrate
from models.canonical import digest_bytes
from models.journal import JournalEntry
from models.plan import Plan
from tests.contract.copies import Copies, is_empty
from tests.contract.serving import PROD, TOKEN, Server, Shop
from tests.contract.story import Record, Tell, Told, small_plan, tell_story
from tests.postgresql import Postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers that nobody had before."""
    return count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path, numbers: Iterator[int]) -> Iterator[str]:
    """A database without any table, once on each system."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{next(numbers)}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def inventory_url(request: pytest.FixtureRequest, tmp_path: Path, numbers: Iterator[int]) -> Iterator[str]:
    """A migrated database of the test's own, once on each system."""
    with database_of_its_own(request, tmp_path, numbers) as url:
        yield url


@contextmanager
def database_of_its_own(request: pytest.FixtureRequest, tmp_path: Path, numbers: Iterator[int]) -> Iterator[str]:
    """A migrated database on the system that is the fixture's parameter."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "inventory.db")
        yield f"sqlite:///{tmp_path / 'inventory.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"inventory_{next(numbers)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE template_modelops")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def inventory(inventory_url: str) -> Iterator[SqlInventory]:
    """The system of record on that database."""
    opened = SqlInventory(inventory_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The plan of the stories."""
    return small_plan()


@pytest.fixture(scope="session")
def tell(plan: Plan) -> Tell:
    """The story of a model, from its beginning to its retirement: events and effects in their order."""
    told = cache(lambda model: tuple(tell_story(plan, model)))
    return lambda model: list(told(model))


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """Databases after a story."""
    return Copies(tmp_path_factory.mktemp("copies"))


@pytest.fixture
def record(inventory: SqlInventory, inventory_url: str, plan: Plan, copies: Copies) -> Record:
    """Write a story, or a part of it, into the inventory; the plan first. The same beginning is recorded only once."""

    def write(story: list[Told]) -> None:
        whole = digest_bytes("".join(told.model_dump_json() for told in story).encode())
        begins = is_empty(inventory_url)
        if begins and copies.holds(inventory_url, whole):
            copies.put(inventory_url, whole)
            return
        tell(story)
        if begins:
            copies.keep(inventory_url, whole)

    def tell(story: list[Told]) -> None:
        inventory.commit_plan(plan)
        for told in story:
            if isinstance(told, JournalEntry):
                inventory.commit_event(told)
            else:
                inventory.commit_effect(told.key, told.result, told.changes)

    return write


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Models and bundles to deploy."""
    return Shop(tmp_path_factory.mktemp("store"))


@pytest.fixture
def server(tmp_path: Path, shop: Shop) -> Iterator[Server]:
    """An inference server of PROD, in a process of its own."""
    process = Server(tmp_path / "prod", shop.folder)
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Server]:
    """A server shared by the tests that deploy nothing."""
    process = Server(tmp_path_factory.mktemp("empty"), shop.folder)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def deployer(server: Server) -> Iterator[OipDeployer]:
    """The deployer of that server."""
    adapter = OipDeployer({PROD: server.url}, TOKEN, timeout=30)
    yield adapter
    adapter.close()
