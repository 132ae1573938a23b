"""The migrations build what the models say, once, whoever starts first; append-only tables refuse the rest."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Enum, ForeignKey, Table, insert, select
from sqlalchemy.exc import DBAPIError

from mailer import db, migrations, settings
from mailer.migrations import append_only, tables, write
from mailer.migrations.write import BadMigrationName
from tests.conftest import Configure

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SAMPLES: dict[type[Any], Any] = {
    str: "x",
    int: 1,
    bool: False,
    float: 0.5,
    bytes: b"x",
    datetime: AT,
    date: AT.date(),
    dict: {},
    list: [],
}


def fill(connection: Connection, table: Table) -> None:
    """One row in `table`, with what it refers to; nothing if a row is there."""
    if connection.execute(select(table).limit(1)).first() is not None:
        return
    values: dict[str, Any] = {}
    for column in table.columns:
        key = next(iter(column.foreign_keys), None)
        if not column.nullable and key is not None:
            values[column.name] = _referred(connection, key)
        elif not column.nullable and not (column.primary_key and column.autoincrement is True):
            values[column.name] = column.type.enums[0] if isinstance(column.type, Enum) else _sample(column.type)
    connection.execute(insert(table).values(values))


def _referred(connection: Connection, key: ForeignKey) -> Any:
    fill(connection, key.column.table)
    return connection.execute(select(key.column).limit(1)).scalar_one()


def _sample(kind: Any) -> Any:
    return SAMPLES.get(getattr(kind, "impl_instance", kind).python_type, {})


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrations.config()).get_heads()) == 1


def test_migrations_build_what_the_models_say(database: str) -> None:
    with db.engine().connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": tables.METADATA}
        )
        assert compare_metadata(context, tables.METADATA) == []


def test_a_difference_between_models_and_migrations_is_seen(database: str) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql("CREATE TABLE forgotten (id INTEGER)")
        context = MigrationContext.configure(connection, opts={"target_metadata": tables.METADATA})
        difference = compare_metadata(context, tables.METADATA)
        connection.exec_driver_sql("DROP TABLE forgotten")
    assert len(difference) == 1


def test_migrating_again_changes_nothing(database: str) -> None:
    assert migrations.migrate() == migrations.head()
    with db.engine().connect() as connection:
        assert migrations.revision(connection) == migrations.head()


def test_processes_that_start_together_agree(configure: Configure, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mailer.migrations import migrate; print(migrate())"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    assert said == [migrations.head()] * 4
    assert Path(settings.current().data_dir / "mailer.db").is_file()


def test_everything_a_version_rests_on_is_append_only() -> None:
    rests_on = {
        "policy_versions",
        "version_translations",
        "version_approvals",
        "version_effects",
        "version_withdrawals",
        "draft_approvals",
        "draft_returns",
    }
    assert rests_on <= set(append_only.TABLES)


@pytest.mark.parametrize("name", append_only.TABLES)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_append_only_tables_take_new_rows_and_nothing_else(database: str, name: str, change: str) -> None:
    table = tables.METADATA.tables[name]
    with db.engine().begin() as connection:
        fill(connection, table)
    statement = change.format(name, next(iter(table.columns)).name)
    with pytest.raises(DBAPIError, match=f"{name} is append-only"), db.engine().begin() as connection:
        connection.exec_driver_sql(statement)
    with db.engine().connect() as connection:
        assert connection.execute(select(table)).first() is not None


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", append_only.TABLES)
def test_append_only_tables_cannot_be_emptied_at_once(database: str, name: str) -> None:
    with pytest.raises(DBAPIError, match=f"{name} is append-only"), db.engine().begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {name} CASCADE")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_replaces_no_row_of_an_append_only_table(database: str) -> None:
    table = tables.METADATA.tables["ledger_entries"]
    with db.engine().begin() as connection:
        fill(connection, table)
    with pytest.raises(DBAPIError, match="append-only"), db.engine().begin() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries")


def test_a_later_migration_can_open_a_table_and_close_it_again(database: str) -> None:
    table = tables.METADATA.tables["ledger_entries"]
    with db.engine().begin() as connection:
        fill(connection, table)
        append_only.release(connection, "ledger_entries")
        connection.exec_driver_sql("UPDATE ledger_entries SET seq = seq")
        append_only.guard(connection, "ledger_entries")
    with pytest.raises(DBAPIError), db.engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entries")


@pytest.mark.parametrize("name", ["", "rights", "2_rights", "0002_Rights", "0002_" + "x" * 40, "../0002_x"])
def test_a_migration_needs_a_name_that_says_its_place(name: str) -> None:
    with pytest.raises(BadMigrationName):
        write.write(name)
