"""Brings a database to the newest schema."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from activities.adapters.sql_engine import Database

_REVISIONS = Path(__file__).parent / "migrations" / "versions"
_LOCK = int.from_bytes(b"modelops")
"""PostgreSQL's advisory lock is a number of 64 bits."""


def migrate(url: str) -> None:
    """Upgrade to the newest revision, or do nothing if it is there; of several at once, one works and the rest wait.

    UnavailableError if the database does not answer; then nothing was changed.
    """
    database = Database(url)
    try:
        with database.changing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if _revision(connection) != newest():
                from activities.adapters.sql_upgrade import upgrade

                upgrade(connection)
    finally:
        database.close()


def newest() -> str:
    """The last revision there is: their files are named after them, in their order."""
    return max(file.name for file in _REVISIONS.glob("*.py")).partition("_")[0]


def _revision(connection: Connection) -> str:
    """Which revision a database is at, as Alembic has written down; empty if it has not."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
