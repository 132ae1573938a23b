"""Writing for many in one statement: the rows go as one JSON text, which both databases read as a table (FIGURES)."""

# ruff: noqa: S608  what stands in these statements are names of ours; every value is bound

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.ledger.rules import merkle_root
from mailer.outbox import rules
from mailer.outbox.outgoing import Done
from mailer.outbox.rules import MailKind

# what one row of the JSON holds, with PostgreSQL's type; every name in the statements below is one of ours
_COLUMNS = {
    "id": "bigint",
    "at": "timestamptz",
    "sha256": "text",
    "dated_at": "timestamptz",
    "sent_from": "text",
    "envelope_domain": "text",
    "facts": "jsonb",
    "route": "text",
    "outcome": "text",
    "code": "integer",
    "reply": "text",
}
_PATH = "'$.{}'"
_AS_TABLE = {
    "postgresql": f"json_to_recordset(CAST(:rows AS json)) AS j({', '.join(f'{c} {t}' for c, t in _COLUMNS.items())})",
    "sqlite": f"(SELECT {', '.join(f'json_extract(value, {_PATH.format(c)}) AS {c}' for c in _COLUMNS)} "
    "FROM json_each(:rows)) AS j",
}
_ACCEPT = {
    name: text(
        "UPDATE messages SET state = 'accepted', settled_at = j.at, sha256 = j.sha256, attempts = attempts + 1, "
        "dated_at = j.dated_at, sent_from = j.sent_from, envelope_domain = j.envelope_domain, "
        "facts = coalesce(j.facts, messages.facts), batch = :batch, due_at = NULL, lease_token = NULL "
        f"FROM {table} WHERE messages.id = j.id"
    )
    for name, table in _AS_TABLE.items()
}
_ADD_ATTEMPTS = {
    name: text(
        "INSERT INTO attempts (message_row, at, route, outcome, code, reply) "
        f"SELECT j.id, j.at, j.route, j.outcome, j.code, j.reply FROM {table} WHERE true ORDER BY j.id"
    )
    for name, table in _AS_TABLE.items()
}


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written of messages that a server took and of answers to others, spelled for one database."""

    dialect: str
    accepted: str
    others: str
    rows: tuple[int, int] | None
    """The first and the last message that a server took; None if it took none."""
    count: int
    root: str
    """The Merkle root of their digests, in the order of their rows (DESIGN §12)."""


def spell(session: Session, accepted: Sequence[Done], others: Sequence[Done]) -> Written:
    """Spell what is to be written; no statement yet, for nobody else can write once there is one.

    Each gets the instant of its answer, its digest and the day on it; the words are kept without mail addresses.
    """
    dialect = session.get_bind().dialect.name
    in_order = sorted(accepted, key=lambda one: one.mail.row)
    return Written(
        dialect,
        _as_json(in_order, _SPELL[dialect]) if in_order else "",
        _as_json(others, _SPELL[dialect]) if others else "",
        (in_order[0].mail.row, in_order[-1].mail.row) if in_order else None,
        len(in_order),
        merkle_root(one.sha256 for one in in_order),
    )


def write(session: Session, spelled: Written, batch: str) -> None:
    """Settle what was taken, and keep every answer."""
    dialect = spelled.dialect
    if spelled.accepted:
        session.execute(_ACCEPT[dialect], {"rows": spelled.accepted, "batch": batch})
        session.execute(_ADD_ATTEMPTS[dialect], {"rows": spelled.accepted})
    if spelled.others:
        session.execute(_ADD_ATTEMPTS[dialect], {"rows": spelled.others})


def _as_json(done: Sequence[Done], spell: Callable[[datetime], str]) -> str:
    spelled: dict[datetime, str] = {}
    for one in done:
        for at in (one.at, one.mail.dated_at):
            if at not in spelled:
                spelled[at] = spell(at)
    return json.dumps([_row(one, spelled) for one in done], ensure_ascii=False, separators=(",", ":"))


def _row(one: Done, spelled: dict[datetime, str]) -> dict[str, Any]:
    mail, answer = one.mail, one.answer
    row: dict[str, Any] = {
        "id": mail.row,
        "at": spelled[one.at],
        "sha256": one.sha256,
        "dated_at": spelled[mail.dated_at],
    }
    if mail.sent_from or mail.envelope_domain:
        row |= {"sent_from": mail.sent_from, "envelope_domain": mail.envelope_domain}
    if mail.kind is MailKind.NOTICE:  # the dates on it were reckoned when it was claimed
        row["facts"] = mail.facts
    if answer is not None:
        row |= {"route": answer.route, "outcome": answer.outcome, "code": answer.code}
        row["reply"] = rules.without_addresses(answer.reply)
    return row


def _spell_postgresql(at: datetime) -> str:
    return at.isoformat()


def _spell_sqlite(at: datetime) -> str:
    """As SQLAlchemy keeps it: UTC, without its zone."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_SPELL: dict[str, Callable[[datetime], str]] = {"postgresql": _spell_postgresql, "sqlite": _spell_sqlite}
