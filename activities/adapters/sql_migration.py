"""Brings a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from activities.adapters.sql_engine import Database

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = int.from_bytes(b"modelops")
"""PostgreSQL's advisory lock is a number of 64 bits."""


def migrate(url: str) -> None:
    """Upgrade to the newest revision, or do nothing if it is there; of several at once, one works and the rest wait.

    UnavailableError if the database does not answer; then nothing was changed.
    """
    database, config = Database(url), configuration()
    try:
        with database.changing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def configuration() -> Config:
    """What Alembic has to know; the connection is handed over in `attributes`."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
