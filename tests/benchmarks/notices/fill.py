"""A version and a million people told of it, in a few statements; most agree, three of a hundred are unreached."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from mailer.db import UtcDateTime
from mailer.notices import actions as notices
from mailer.outbox.models import Mailing
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from tests import factories

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
EFFECTIVE_ON = date(2026, 12, 15)
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :people)",
    "postgresql": "WITH numbers(n) AS (SELECT generate_series(1, :people))",
}
_ID = {"sqlite": "printf('con_%026d', n)", "postgresql": "'con_' || lpad(n::text, 26, '0')"}
_DAY = {"sqlite": "date('{}', (n % {}) || ' days')", "postgresql": "DATE '{}' + CAST(n % {} AS integer)"}
_NAME = "CASE n % 10 WHEN 0 THEN 'Zoë' WHEN 1 THEN 'Bram' ELSE 'Anna' END || ' van Person ' || n"
_EMAIL = "'person' || n || '@d' || (n % 5000) || '.example'"
_STATE = "CASE WHEN n % 100 < 3 THEN 'unreached' WHEN n % 100 = 3 THEN 'planned' ELSE 'accepted' END"
_TOLD = "CASE WHEN n % 100 > 3 THEN {} END"
_WHY = (
    "CASE n % 100 WHEN 0 THEN 'dead_address' WHEN 1 THEN 'the mail server refused the mail' "
    "WHEN 2 THEN '5.1.1 no such mailbox' ELSE '' END"
)
_STATEMENTS = (
    "INSERT INTO contacts (id, name, company, locale, origin, created_at) SELECT {id}, {name}, "
    "'Company ' || (n % 9973), 'en', 'account_holder', :at FROM numbers",
    "INSERT INTO addresses (id, contact_id, email, email_key, is_primary, created_at) "
    "SELECT replace({id}, 'con_', 'adr_'), {id}, {email}, {email}, true, :at FROM numbers",
    "INSERT INTO messages (mailing_id, contact_id, kind, channel, content_id, key_id, to_address, name, company, "
    "state, created_at, attempts) SELECT :mailing, {id}, 'notice', 'essential', :content, 'k', {email}, {name}, '', "
    "CASE WHEN n % 100 = 3 THEN 'queued' WHEN n % 100 = 0 THEN 'withheld' WHEN n % 100 = 1 THEN 'refused' "
    "ELSE 'accepted' END, :at, 1 FROM numbers ORDER BY n",
    "INSERT INTO notices (version_id, contact_id, message_row, state, why, notified_on, respond_by_on, binding_on, "
    "computation, updated_at) SELECT :version, contact_id, id, {state}, {why}, {told}, {respond}, {binding}, "
    "'The computation in words, as long as it is in life: accepted by the mail server on some day.', :at "
    "FROM (SELECT id, contact_id, CAST(substr(contact_id, 5) AS bigint) AS n FROM messages "
    "WHERE mailing_id = :mailing) AS mails ORDER BY id",
    "INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row) "
    "SELECT version_id, contact_id, 'planned', updated_at, '2026-11-02', message_row FROM notices",
    "INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row, data) "
    "SELECT version_id, contact_id, 'accepted', updated_at, notified_on, message_row, {days} FROM notices "
    "WHERE state = 'accepted'",
    "INSERT INTO notice_facts (version_id, contact_id, kind, at, on_date, message_row) "
    "SELECT version_id, contact_id, 'refused', updated_at, '2026-11-02', message_row FROM notices "
    "WHERE state = 'unreached'",
    "INSERT INTO deemed_agreements (version_id, contact_id, notified_on, binding_on, used_on, at) "
    "SELECT version_id, contact_id, notified_on, binding_on, binding_on, :at FROM notices "
    "WHERE state = 'accepted' AND id % 10 > 0",
)


def version(session: Session) -> tuple[Version, Mailing]:
    """A released version and the mailing that is to tell of it."""
    author, other = factories.staff(session).id, factories.staff(session).id
    policy = factories.policy(session, at=AT - timedelta(days=300))
    wording = Wording(
        factories.POLICY_TEXT.replace("two", "seven"), effective_on=EFFECTIVE_ON, summary="S.", why="W.", impact="I."
    )
    draft = policies.draft(session, policy, wording.text, author, AT, wording)
    policies.submit(session, draft, author, AT)
    policies.approve(session, draft, other, AT)
    made = policies.release(session, draft, author, AT)
    mailing = notices.plan(session, made, AT)
    assert mailing is not None
    session.flush()
    return made, mailing


def add(session: Session, people: int) -> Version:
    """`people` people with their notices of a new version; contact number n is `con_` and n in 26 digits."""
    made, mailing = version(session)
    dialect = session.get_bind().dialect.name
    given: dict[str, Any] = {"people": people, "version": made.id, "mailing": mailing.id}
    given["content"] = next(iter(mailing.contents.values()))
    spell = _DAY[dialect].format
    words = {"id": _ID[dialect], "name": _NAME, "email": _EMAIL, "state": _STATE, "why": _WHY}
    days = {"told": "2026-11-02", "respond": "2026-12-02", "binding": "2026-12-15"}
    build = "json_object" if dialect == "sqlite" else "jsonb_build_object"
    words["days"] = f"{build}('respond_by_on', respond_by_on, 'binding_on', binding_on)"
    words |= {name: _TOLD.format(spell(first, 20)) for name, first in days.items()}
    for statement in _STATEMENTS:
        spelled = statement.format(**words)
        prepared = text(f"{_NUMBERS[dialect] if 'FROM numbers' in spelled else ''} {spelled}")
        values = {name: given[name] for name in prepared.compile().params if name != "at"}
        if ":at" in spelled:
            prepared = prepared.bindparams(bindparam("at", AT, UtcDateTime()))
        session.execute(prepared, values)
    return made
