"""Triggers that let rows be added and refuse everything else, on both databases (invariant 6)."""

from __future__ import annotations

from sqlalchemy import Connection

TABLES = (
    "attempts",
    "consent_events",
    "deemed_agreements",
    "draft_approvals",
    "draft_returns",
    "express_agreements",
    "inbound_arrivals",
    "ledger_entries",
    "ledger_heads",
    "ledger_runs",
    "notice_facts",
    "policy_versions",
    "version_approvals",
    "version_effects",
    "version_translations",
    "version_withdrawals",
)


def guard(connection: Connection, table: str) -> None:
    """From now on `table` takes new rows only."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_REFUSE)
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {_name(table, verb)} BEFORE {verb} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
    else:
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {_name(table, verb)} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def release(connection: Connection, table: str) -> None:
    """Take the triggers of `table` away, for a later migration that must rewrite it; `guard` puts them back."""
    is_postgresql = connection.dialect.name == "postgresql"
    for verb in ("UPDATE", "DELETE", "TRUNCATE") if is_postgresql else ("UPDATE", "DELETE"):
        connection.exec_driver_sql(f"DROP TRIGGER {_name(table, verb)}" + (f" ON {table}" if is_postgresql else ""))


def _name(table: str, verb: str) -> str:
    return f"{table}_no_{verb.lower()}"


_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
