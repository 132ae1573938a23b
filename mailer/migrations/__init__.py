"""The way of the database from one release to the next: Alembic, inside the package, one head."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from mailer import db

MIGRATION_LOCK = 0x6D696772  # "migr": one advisory lock on PostgreSQL


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file; it works from the wheel too."""
    made = Config()
    made.set_main_option("script_location", "mailer:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def migrate(engine: Engine | None = None) -> str:
    """Bring the database to the newest revision and return it; processes that start together agree on who does it.

    One transaction holds all of it. On SQLite `BEGIN IMMEDIATE` is the lock, on PostgreSQL an advisory lock.
    """
    with (engine or db.engine()).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        command.upgrade(config(connection), "head")
    return head()


def head() -> str:
    """The newest revision this release knows."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def revision(connection: Connection) -> str:
    """The revision the database is at; empty before the first."""
    return MigrationContext.configure(connection).get_current_revision() or ""
