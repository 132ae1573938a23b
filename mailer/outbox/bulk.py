"""Writing for many at once, in the way that is quickest on each database (FIGURES).

PostgreSQL gets what differs from row to row as one JSON text, which it reads as a table, and what is the same in all of
them once. SQLite is no journey away: it gets the rows one by one, through a statement that is prepared once.
"""

# ruff: noqa: S608  what stands in these statements are names of ours; every value is bound

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from mailer import db, ids
from mailer.ledger.merkle import merkle_root
from mailer.outbox import rules
from mailer.outbox.outgoing import Done
from mailer.outbox.rules import MailKind, Outcome

Row = tuple[Any, ...]
# what a row holds, in this order, with PostgreSQL's types
_ACCEPTED = {
    "at": "timestamptz",
    "sha256": "text",
    "dated_at": "timestamptz",
    "sent_from": "text",
    "envelope_domain": "text",
    "facts": "jsonb",
    "batch": "text",
    "id": "bigint",
}
_ANSWERED = {
    "id": "bigint",
    "at": "timestamptz",
    "route": "text",
    "outcome": "text",
    "code": "integer",
    "reply": "text",
}
_SETTLED = _ACCEPTED | _ANSWERED
_ACCEPT = (
    "UPDATE messages SET state = 'accepted', settled_at = {at}, sha256 = {sha256}, attempts = attempts + 1, "
    "dated_at = {dated_at}, sent_from = {sent_from}, envelope_domain = {envelope_domain}, "
    "facts = coalesce({facts}, messages.facts), batch = {batch}, due_at = NULL, lease_token = NULL "
)
_ADD = "INSERT INTO attempts (message_row, at, route, outcome, code, reply) "
_ACCEPT_ROW = _ACCEPT.format(**dict.fromkeys(_ACCEPTED, "?")) + "WHERE id = ?"
_ADD_ROW = f"{_ADD} VALUES ({', '.join('?' for _ in _ANSWERED)})"
_SETTLE = (
    f"WITH j AS MATERIALIZED (SELECT {{columns}} FROM json_to_recordset(CAST(:rows AS json)) AS r({{table}})), "
    f"took AS ({_ACCEPT.format(**{name: f'j.{name}' for name in _ACCEPTED})} "
    f"FROM j WHERE messages.id = j.id AND j.outcome = '{Outcome.ACCEPTED.value}') "
    f"{_ADD} SELECT {', '.join(f'j.{name}' for name in _ANSWERED)} FROM j ORDER BY j.id"
)


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written of the messages that a server took, and of every answer, in the order of their rows."""

    batch: str
    accepted: list[Row]
    answered: list[Row]
    rows: tuple[int, int] | None
    """The first and the last message that a server took; None if it took none."""
    root: str
    """The Merkle root of the digests of what was taken (DESIGN §12)."""


def spell(session: Session, accepted: Sequence[Done], others: Sequence[Done]) -> Written:
    """Spell what is to be written, before the first statement: from then on nobody else can write on SQLite.

    Each mail gets the instant of its answer, its digest and the day on it; a server's words are kept without mail
    addresses.
    """
    is_postgresql = db.is_postgresql(session)
    spell_at = datetime.isoformat if is_postgresql else _spell_sqlite
    took, batch = sorted(accepted, key=_row), ids.new("bat")
    days = {day: spell_at(day) for day in {one.mail.dated_at for one in took}}  # a batch has few
    at = [spell_at(one.at) for one in took]
    answered = [_answered(one, spelled) for one, spelled in zip(took, at, strict=True)]
    return Written(
        batch,
        [
            _accepted(one, spelled, days, batch, is_text=not is_postgresql)
            for one, spelled in zip(took, at, strict=True)
        ],
        answered + [_answered(one, spell_at(one.at)) for one in sorted(others, key=_row)],
        (_row(took[0]), _row(took[-1])) if took else None,
        merkle_root([one.sha256 for one in took]),
    )


def write(session: Session, spelled: Written) -> None:
    """Settle what was taken, and keep every answer."""
    if db.is_postgresql(session):
        if spelled.answered:
            _write_at_once(session, spelled)
        return
    connection = session.connection()
    if spelled.accepted:
        connection.exec_driver_sql(_ACCEPT_ROW, spelled.accepted)
    if spelled.answered:
        connection.exec_driver_sql(_ADD_ROW, spelled.answered)


def _row(one: Done) -> int:
    return one.mail.row


def _accepted(one: Done, at: str, days: Mapping[datetime, str], batch: str, *, is_text: bool) -> Row:
    mail = one.mail
    facts: Any = mail.facts if mail.kind is MailKind.NOTICE else None  # the dates on it were reckoned at the claim
    if is_text and facts is not None:
        facts = _spelled(facts)
    return (at, one.sha256, days[mail.dated_at], mail.sent_from, mail.envelope_domain, facts, batch, mail.row)


def _answered(one: Done, at: str) -> Row:
    answer = one.answer
    assert answer is not None
    words = rules.without_addresses(answer.reply, one.mail.to_address)
    return (one.mail.row, at, answer.route, answer.outcome.value, answer.code, words)


def _write_at_once(session: Session, spelled: Written) -> None:
    """Write all rows by one statement of PostgreSQL."""
    took, others = spelled.answered[: len(spelled.accepted)], spelled.answered[len(spelled.accepted) :]
    rows = [(*accepted, *answer[2:]) for accepted, answer in zip(spelled.accepted, took, strict=True)]
    blank = dict.fromkeys(_ACCEPTED)
    rows += [(*(blank | {"at": at, "id": number}).values(), *answer) for number, at, *answer in others]
    named = dict(zip(_SETTLED, zip(*rows, strict=True), strict=True))
    same = frozenset(name for name, values in named.items() if name != "id" and values.count(values[0]) == len(values))
    differing = [name for name in _SETTLED if name not in same]
    of_rows = zip(*(named[name] for name in differing), strict=True)
    table = [dict(zip(differing, row, strict=True)) for row in of_rows]
    given = {name: _bound(named[name][0]) for name in same}
    session.execute(_settle(same), {"rows": _spelled(table), **given})


@lru_cache(maxsize=64)
def _settle(same: frozenset[str]) -> TextClause:
    """The statement where the columns `same` hold one value in all rows."""
    columns = (f"CAST(:{name} AS {kind}) AS {name}" if name in same else f"r.{name}" for name, kind in _SETTLED.items())
    table = (f"{name} {kind}" for name, kind in _SETTLED.items() if name not in same)
    return text(_SETTLE.format(columns=", ".join(columns), table=", ".join(table)))


def _bound(value: Any) -> Any:
    """A value as a statement takes it beside its rows: what is JSON as its text."""
    return _spelled(value) if isinstance(value, dict) else value


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _spell_sqlite(at: datetime) -> str:
    """As SQLAlchemy keeps it: UTC, without its zone."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ", "microseconds")[:26]
