"""A database of an earlier release keeps what it holds, and its guards, when it is brought up to this one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, MetaData, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer import migrations
from mailer.notices import facts, figures
from mailer.notices.models import Notice
from mailer.policies import queries
from tests.migrations.test_migrations import AT

FIRST = "0001_foundation"
_WORDS = {"text": "# A\n", "summary": "", "why": "", "impact": "", "class_reason": "", "answers": {}}
_CLASSED = _WORDS | {"change_class": "material", "announce": "email", "effective_on": AT.date()}
ROWS = {
    "staff": {
        "id": "stf_1",
        "email": "a@company.example",
        "email_key": "a@company.example",
        "name": "Anna",
        "roles": [],
        "password_hash": "",
        "must_change": False,
        "epoch": 0,
        "failures": 0,
        "created_at": AT,
    },
    "policies": {"id": "pol_1", "slug": "a", "title": "A", "concerns": [], "created_at": AT},
    "policy_versions": _CLASSED
    | {"id": "ver_1", "policy_id": "pol_1", "number": 1, "sha256": "0" * 64, "released_at": AT},
    "policy_drafts": _CLASSED
    | {
        "id": "drf_1",
        "policy_id": "pol_1",
        "state": "draft",
        "author_id": "stf_1",
        "created_at": AT,
        "updated_at": AT,
    },
    "draft_approvals": {
        "id": "apr_1",
        "draft_id": "drf_1",
        "staff_id": "stf_1",
        "fingerprint": "0" * 64,
        "at": AT,
    },
    "version_effects": {"version_id": "ver_1", "at": AT},
    "contents": {
        "id": "0" * 64,
        "kind": "campaign",
        "locale": "en",
        "sender": "a@company.example",
        "reply_domain": "reply.company.example",
        "url": "https://company.example",
        "subject": "A",
        "text": "A",
        "html": "A",
        "created_at": AT,
    },
    "messages": {
        "id": 1,
        "kind": "campaign",
        "channel": "marketing",
        "content_id": "0" * 64,
        "key_id": "aaaa",
        "to_address": "b@people.example",
        "name": "",
        "company": "",
        "state": "queued",
        "created_at": AT,
        "due_at": AT,
        "attempts": 1,
    },
    "attempts": {
        "id": 1,
        "message_row": 1,
        "at": AT,
        "route": "a",
        "outcome": "deferred",
        "code": 450,
        "reply": "later",
    },
    "contacts": {
        "id": "con_1",
        "name": "",
        "company": "",
        "locale": "en",
        "origin": "account_holder",
        "created_at": AT,
    },
    "notices": {
        "id": 1,
        "version_id": "ver_1",
        "contact_id": "con_1",
        "message_row": 1,
        "state": "unreached",
        "why": "dead_address",
        "computation": "",
        "updated_at": AT,
    },
}


@pytest.fixture
def old(empty: Engine) -> Engine:
    """A database as the first release left it."""
    _migrate_to_first(empty)
    return empty


def _migrate_to_first(engine: Engine) -> None:
    with engine.begin() as connection:
        command.upgrade(migrations.config(connection), FIRST)
        tables = MetaData()
        tables.reflect(connection)
        for name, values in ROWS.items():
            connection.execute(tables.tables[name].insert().values(values))


def row_of(connection: Connection, table: str) -> dict[str, object]:
    """The one row of a table, as the database gives it."""
    return dict(connection.execute(text(f"SELECT * FROM {table}")).one()._mapping)


def test_what_an_earlier_release_kept_is_all_there(old: Engine) -> None:
    with old.connect() as connection:
        before = {table: row_of(connection, table) for table in ROWS}
    migrations.migrate(old)
    with old.connect() as connection:
        after = {table: row_of(connection, table) for table in ROWS}
    assert {table: {key: after[table].get(key) for key in row} for table, row in before.items()} == before


def test_what_is_new_has_a_meaning_for_what_is_old(old: Engine) -> None:
    migrations.migrate(old)
    with Session(old) as session:
        [shelf] = queries.shelves(session)
        [version] = shelf.versions
        assert (shelf.policy.language, version.languages, version.anchors) == ("en", ["en"], [])
        assert version.approvals == []
        draft = queries.get_draft(session, "drf_1")
        assert (draft.revision, draft.returns, draft.translations) == (0, [], [])
        assert (draft.base_number, draft.written_by) == (1, {"stf_1"})


def test_notices_of_old_are_counted_and_stay_so(old: Engine) -> None:
    migrations.migrate(old)
    with Session(old) as session:
        found = figures.of(session, "ver_1", AT.date())
        assert (found.totals, found.unreached_by_reason) == (figures.Totals(unreached=1), {"dead_address": 1})
        session.execute(text("UPDATE notices SET state = 'planned', why = ''"))
        assert figures.of(session, "ver_1", AT.date()).totals == figures.Totals(planned=1)


def test_a_notice_of_old_has_the_facts_that_lead_to_it(old: Engine) -> None:
    days = f"'{AT.date()}', '{AT.date() + timedelta(days=30)}', '{AT.date() + timedelta(days=31)}'"
    with old.begin() as connection:
        for number, state, clock in ((2, "accepted", days), (3, "ended", "NULL, NULL, NULL")):
            for statement in (
                "INSERT INTO contacts (id, name, company, locale, origin, created_at) "
                f"SELECT 'con_{number}', name, company, locale, origin, created_at FROM contacts WHERE id = 'con_1'",
                "INSERT INTO messages (id, kind, channel, content_id, key_id, to_address, name, company, state, "
                f"created_at, due_at, attempts) SELECT {number}, kind, channel, content_id, key_id, to_address, name, "
                "company, state, created_at, due_at, attempts FROM messages WHERE id = 1",
                "INSERT INTO notices (id, version_id, contact_id, message_row, state, why, computation, updated_at, "
                f"notified_on, respond_by_on, binding_on) SELECT {number}, version_id, 'con_{number}', {number}, "
                f"'{state}', '', '', updated_at, {clock} FROM notices WHERE id = 1",
            ):
                connection.execute(text(statement))
    migrations.migrate(old)
    with Session(old) as session:
        notices = session.scalars(select(Notice)).all()
        assert {notice.state.value for notice in notices} == {"unreached", "accepted", "ended"}
        for notice in notices:
            found = facts.standing(session, notice.version_id, notice.contact_id)
            assert (found.state, found.message_row, found.why) == (notice.state, notice.message_row, notice.why)
            assert (found.days.binding_on if found.days else None) == notice.binding_on


@pytest.mark.parametrize("name", ["policy_versions", "draft_approvals", "version_effects"])
def test_every_guard_stands_after_the_upgrade(old: Engine, name: str) -> None:
    migrations.migrate(old)
    for change in (f"DELETE FROM {name}", f"UPDATE {name} SET {next(iter(ROWS[name]))} = NULL"):
        with pytest.raises(DBAPIError, match=f"{name} is append-only"), old.begin() as connection:
            connection.exec_driver_sql(change)
