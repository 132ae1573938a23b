"""The database: one engine a process, SQLite or PostgreSQL, one transaction a door (STYLE §4)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from mailer import settings

SQLITE_BUSY_MILLISECONDS = 30_000
SQLITE_LOOK_SECONDS = 0.001  # between two looks whether one may write

# measured by the size of the file, for nobody wants to count rows; below 64 pages any plan is a good one
_GROWN = text(
    "SELECT relname FROM pg_class WHERE oid = ANY(CAST(CAST(:tables AS text[]) AS regclass[])) "
    "AND pg_relation_size(oid) > 8192 * greatest(64, 2 * relpages) ORDER BY relname"
)

BigInt = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only for INTEGER
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """Every table of the product."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; a naive one is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_of(kind: type[StrEnum]) -> Enum:
    """A text column that holds the values of `kind` and gives its members back."""
    return Enum(
        kind, native_enum=False, length=40, values_callable=lambda e: [m.value for m in e], validate_strings=True
    )


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process, made at first use."""
    return make_engine(settings.current().database)


def make_engine(url: str) -> Engine:
    """An engine as this product needs it, on either database."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = create_engine(parsed, json_serializer=_json, hide_parameters=True)
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    return create_engine(parsed, json_serializer=_json, hide_parameters=True, pool_pre_ping=True, pool_size=10)


@contextmanager
def transaction(*, is_durable: bool = False) -> Iterator[Session]:
    """A session that commits at the end of the block, or leaves nothing behind. For doors only.

    A commit outlives every process. `is_durable` says that it must outlive the loss of power, too, because somebody
    drops their own copy on our word: PostgreSQL's always does, SQLite then waits for the disk.
    """
    bind = engine().execution_options(sqlite_synchronous="FULL") if is_durable else engine()
    with Session(bind, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session for looking only: it takes no write lock, and nothing that was written in it stays.

    PostgreSQL's is read-only and ends by a commit: at a rollback psycopg forgets the statements that it has prepared.
    """
    bind = engine().execution_options(sqlite_begin="DEFERRED", postgresql_readonly=True)
    with Session(bind, expire_on_commit=False) as session:
        yield session
        if is_postgresql(session):
            session.commit()


def is_postgresql(session: Session) -> bool:
    """Whether this session talks to PostgreSQL, and not to SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def insert(session: Session, table: type[Base]) -> Any:
    """This database's INSERT into a table, which knows ON CONFLICT."""
    return (postgresql if is_postgresql(session) else sqlite).insert(table)


def note_growth(session: Session, *tables: str) -> list[str]:
    """Tell PostgreSQL's planner of tables that hold more than twice what it last heard of; which ones.

    A plan is kept as long as its connection. One made while a table was nearly empty reads the whole of it for each
    row that refers to it, until autovacuum comes by a minute later; so whoever adds thousands of rows says so.
    """
    if not is_postgresql(session):
        return []
    grown = session.scalars(_GROWN, {"tables": sorted(tables)}).all()
    for table in grown:
        session.execute(text(f"ANALYZE {table}"))
    return list(grown)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would come too late
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE deletes past the guards of append-only tables
        f"busy_timeout={SQLITE_BUSY_MILLISECONDS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer waits at the door instead of failing halfway with "database is locked"
    kind = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    _wait_for_disk(connection, connection.get_execution_options().get("sqlite_synchronous", "NORMAL"))
    if kind == "IMMEDIATE":
        _wait_to_write(connection)
    else:
        connection.exec_driver_sql(f"BEGIN {kind}")


def _wait_for_disk(connection: Connection, how: str) -> None:
    if connection.info.get("synchronous", "NORMAL") != how:  # it cannot be changed inside a transaction
        raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
        raw.execute(f"PRAGMA synchronous={how}")
        connection.info["synchronous"] = how


def _wait_to_write(connection: Connection) -> None:
    """Begin to write as soon as the writer before is done: SQLite's own waiting sleeps up to 0.1 seconds."""
    raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
    end = time.monotonic() + SQLITE_BUSY_MILLISECONDS / 1000
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", 0) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(SQLITE_LOOK_SECONDS)
            else:
                return
    finally:
        raw.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MILLISECONDS}")
