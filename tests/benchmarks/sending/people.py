"""People by the million in a few statements: names, addresses, consent, as the product keeps them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from mailer.consent import actions as consent
from mailer.db import UtcDateTime

NEWS = "news"
FEW = "few"
LEFT = 0.03
"""So many more stand in the audience and may not get the mail: half of them left, half complained."""
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :everybody)",
    "postgresql": "WITH numbers(n) AS (SELECT generate_series(1, :everybody))",
}
_ID = {"sqlite": "printf('con_%026d', n)", "postgresql": "'con_' || lpad(n::text, 26, '0')"}
_NAME = "CASE n % 10 WHEN 0 THEN 'Zoë' WHEN 1 THEN 'Bram' ELSE 'Anna' END || ' van Person ' || n"
_EMAIL = "'person' || n || '@d' || (n % 5000) || '.example'"
_SAID = "contact_id, topic, act, basis, wording, source, at"
_STATEMENTS = (
    "INSERT INTO contacts (id, name, company, locale, origin, created_at) SELECT {id}, {name}, "
    "'Company ' || (n % 9973), CASE n % 4 WHEN 0 THEN 'nl' ELSE 'en' END, 'account_holder', :at FROM numbers",
    "INSERT INTO addresses (id, contact_id, email, email_key, is_primary, created_at) "
    "SELECT replace({id}, 'con_', 'adr_'), {id}, {email}, {email}, true, :at FROM numbers",
    "INSERT INTO consent_events ({said}) SELECT {id}, 'news', "
    "CASE WHEN n > :people AND n % 2 = 1 THEN 'withdrawn' ELSE 'granted' END, "
    "'consent', 'Yes, send me news.', 'bench', :at FROM numbers",
    "INSERT INTO consent_events ({said}) SELECT {id}, 'few', 'granted', "
    "'consent', 'Yes, send me these too.', 'bench', :at FROM numbers WHERE n <= :few",
    "INSERT INTO subscriptions (contact_id, topic, is_subscribed, since, event_id) "
    "SELECT contact_id, topic, act = 'granted', at, id FROM consent_events",
    "INSERT INTO suppressions (email_key, reason, stops_essential, source, at) "
    "SELECT {email}, 'complaint', false, 'bench', :at FROM numbers WHERE n > :people AND n % 2 = 0",
)


def add(session: Session, people: int, few: int, at: datetime) -> int:
    """`people` who get the news, `few` of whom get a second topic too, and those who left; how many in all.

    Contact number n has the id `con_` and n in 26 digits, so the people who get mail come first.
    """
    dialect = session.get_bind().dialect.name
    given = {"people": people, "few": few, "everybody": people + max(2, int(people * LEFT))}
    consent.add_topic(session, NEWS, "News", "Yes, send me news.")
    consent.add_topic(session, FEW, "A few", "Yes, send me these too.")
    session.flush()
    for statement in _STATEMENTS:
        wants_numbers = "" if statement.endswith("consent_events") else _NUMBERS[dialect]
        spelled = statement.format(id=_ID[dialect], name=_NAME, email=_EMAIL, said=_SAID)
        prepared = text(f"{wants_numbers} {spelled}")
        values = {name: given[name] for name in prepared.compile().params if name != "at"}
        if ":at" in spelled:
            prepared = prepared.bindparams(bindparam("at", at, UtcDateTime()))
        session.execute(prepared, values)
    return given["everybody"]


def id_of(number: int) -> str:
    """The id of contact `number`."""
    return f"con_{number:026d}"
