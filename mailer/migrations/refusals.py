"""Triggers that refuse rows which must not be: whatever the code comes to say, the database says no."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True)
class Refusal:
    """No row of `table` may satisfy `condition`, which speaks of the row as NEW, in SQL that both databases read."""

    name: str
    table: str
    condition: str
    words: str


REFUSALS = (
    Refusal(
        "consent_events_no_agreement",
        "consent_events",
        "lower(NEW.source) = 'agreement' OR lower(NEW.source) LIKE 'agreement/%'",
        "an agreement with a policy is no consent",
    ),
    Refusal(
        "deemed_agreements_no_consumer",
        "deemed_agreements",
        "EXISTS (SELECT 1 FROM contacts WHERE contacts.id = NEW.contact_id AND contacts.is_consumer)",
        "a consumer is not deemed to agree",
    ),
)


def stand(connection: Connection, refusal: Refusal) -> None:
    """From now on `refusal` holds for every row that is added or changed."""
    name, table, words = refusal.name, refusal.table, refusal.words
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {_percent(refusal.condition)} "
            f"THEN RAISE EXCEPTION '{words}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
        return
    for verb in ("INSERT", "UPDATE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {table} WHEN {refusal.condition} "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _percent(condition: str) -> str:
    """Percent signs doubled, for psycopg reads them as places."""
    return condition.replace("%", "%%")
