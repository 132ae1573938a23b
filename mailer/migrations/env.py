"""Alembic runs this for every command; the connection comes from `mailer.migrations`, already inside a transaction."""

from __future__ import annotations

from alembic import context

from mailer.migrations import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    transactional_ddl=False,  # the caller's transaction holds the whole of it
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    **context.config.attributes.get("options", {}),
)
context.run_migrations()
