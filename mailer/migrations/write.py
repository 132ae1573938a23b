"""Write a migration: what the models say and the migrations so far do not. `make migration NAME=0002_what_it_does`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Enum

from mailer import db
from mailer.errors import MailerError
from mailer.migrations import append_only, config

_NAME = re.compile(r"\d{4}_[a-z0-9_]{3,27}")  # Alembic's own column holds 32 letters


class BadMigrationName(MailerError):
    """A migration's name does not say its place and what it does."""


class Guard(ops.MigrateOperation):
    """Put the append-only triggers on a table."""

    def __init__(self, table: str) -> None:
        self.table = table


def write(name: str) -> Path:
    """Write `versions/<name>.py`: what the models have and an empty database at the present head has not."""
    if not _NAME.fullmatch(name):
        raise BadMigrationName(f"NAME: “{name}” is not a migration's name; write it like 0002_rights_requests.")
    with db.make_engine("sqlite://").begin() as connection:
        options = config(connection)
        command.upgrade(options, "head")
        options.attributes["options"] = {"render_item": _render_type, "process_revision_directives": _add_guards}
        options.set_main_option("file_template", "%%(rev)s")
        made = command.revision(options, name[5:].replace("_", " ").capitalize(), autogenerate=True, rev_id=name)
    assert made is not None
    assert not isinstance(made, list)
    path = Path(made.path)
    path.write_text(
        "".join(line for line in path.read_text().splitlines(True) if not line.lstrip().startswith("# ###"))
    )
    return path


def _render_type(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """A migration spells plain column types: what the code's own types become may change later."""
    match item:
        case Enum():
            return f"sa.String({item.length})"
        case db.UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case JSON():
            context.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
            return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


def _add_guards(_context: MigrationContext, _revision: object, directives: list[Any]) -> None:
    upgrade: ops.UpgradeOps = directives[0].upgrade_ops
    created = {op.table_name for op in upgrade.ops if isinstance(op, ops.CreateTableOp)}
    upgrade.ops.extend(Guard(table) for table in append_only.TABLES if table in created)


@renderers.dispatch_for(Guard)
def _render_guard(_context: AutogenContext, op: Guard) -> Iterable[str] | str:
    return f'append_only.guard(op.get_bind(), "{op.table}")'


if __name__ == "__main__":
    try:
        print(write(sys.argv[1] if len(sys.argv) > 1 else ""))  # noqa: T201
    except MailerError as error:
        sys.exit(str(error))
