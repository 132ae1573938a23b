"""Our answers cannot loop, and a flood of machines does not keep a person waiting (invariant 11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import settings
from mailer.delivery import compose
from mailer.inbound import actions as inbound
from mailer.inbound import child, doors, loops, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.parse import parse
from mailer.inbound.rules import Kind
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.terminations import actions as termination_actions
from mailer.terminations.rules import State
from tests import factories
from tests.conftest import Configure
from tests.inbound.world import AT, letter, sent, take_in, terminations, told

OURS = frozenset({"privacy@leadmark.example", "@reply.leadmark.example"})
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _answers(session: Session) -> int:
    return len(sent(session, MailKind.TERMINATION_RECEIPT)) + len(sent(session, MailKind.TERMINATION_CONFIRM))


@pytest.mark.parametrize(
    ("sender", "lines", "goes_to"),
    [
        ("<>", (), "jan@example.nl"),
        ("jan@example.nl", ("Return-Path: <>",), "jan@example.nl"),
        ("jan@example.nl", ("List-Id: <club.example.nl>",), "jan@example.nl"),
        ("jan@example.nl", ("List-Post: <mailto:club@example.nl>",), "jan@example.nl"),
        ("jan@example.nl", ("Precedence: bulk",), "jan@example.nl"),
        ("jan@example.nl", ("Precedence: list",), "jan@example.nl"),
        ("jan@example.nl", ("Auto-Submitted: auto-generated",), "jan@example.nl"),
        ("MAILER-DAEMON@example.nl", (), "jan@example.nl"),
        ("club-bounces+jan=example.nl@example.org", (), "jan@example.nl"),
        ("owner-club@example.org", (), "jan@example.nl"),
        ("club-request@example.org", (), "jan@example.nl"),
        ("jan@example.nl", (), "privacy@leadmark.example"),
        ("jan@example.nl", (), "anyone@Reply.Leadmark.example"),
        ("privacy@leadmark.example", (), "jan@example.nl"),
    ],
)
def test_no_machine_answers_these(sender: str, lines: tuple[str, ...], goes_to: str) -> None:
    mail = parse(letter("Ik zeg op", *lines))
    assert loops.why_silent(sender, mail, goes_to, OURS) is not None


@pytest.mark.parametrize("sender", ["jan@example.nl", "", "jan.request@example.nl", "bouncer@example.nl"])
def test_a_persons_own_mail_is_answered(sender: str) -> None:
    assert loops.why_silent(sender, parse(letter("Ik zeg op", "Auto-Submitted: no")), "jan@example.nl", OURS) is None
    assert loops.why_silent(sender, None, "jan@example.nl", OURS) is None


@pytest.mark.parametrize("sender", ["<>", "owner-club@example.org"])
def test_a_termination_that_no_machine_may_answer_waits_for_a_person(session: Session, sender: str) -> None:
    jan = told(session)
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply, sender=sender)
    assert mail.state is DeskState.FOR_PERSON
    assert _answers(session) == 0


def test_of_many_mails_in_a_week_one_is_answered(session: Session) -> None:
    jan = told(session)
    for number in range(8):
        raw = letter("Ik zeg op", to=jan.reply, message_id=f"<{number}@example.nl>")
        take_in(session, raw, jan.reply, at=AT + number * timedelta(hours=20))
    assert _answers(session) == 1
    assert len(terminations(session)) == 1


def test_a_lost_question_is_asked_again_after_a_week_and_three_times_in_all(session: Session) -> None:
    jan = told(session)
    for number in range(12):
        raw = letter("Ik zeg op", to=jan.reply, message_id=f"<{number}@example.nl>")
        take_in(session, raw, jan.reply, at=AT + number * timedelta(days=4))
    asked = sent(session, MailKind.TERMINATION_CONFIRM)
    assert [one.created_at - AT for one in asked] == [timedelta(days=days) for days in (0, 8, 16)]
    assert len({one.key for one in asked}) == 3


def test_after_three_answers_a_person_looks_and_nothing_is_lost(session: Session) -> None:
    jan = told(session)
    who = factories.staff(session)
    for number in range(3):
        at = AT + number * timedelta(days=40)
        raw = letter("Ik zeg op", to=jan.reply, proven=True, message_id=f"<{number}@example.nl>")
        take_in(session, raw, jan.reply, at=at)
    assert _answers(session) == 3
    raw = letter("Ik zeg op", to=jan.reply, proven=True, message_id="<4@example.nl>")
    mail = take_in(session, raw, jan.reply, at=AT + timedelta(days=120))
    assert (mail.state, _answers(session)) == (DeskState.FOR_PERSON, 3)
    assert "often enough" in " ".join(mail.reasons)
    [*_, last] = terminations(session)
    assert last.state is State.FOR_PERSON
    assert termination_actions.record(session, last, AT, who.id)
    assert _answers(session) == 4  # a person's own decision is no machine's answer


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind is not MailKind.CAMPAIGN])
def test_two_of_us_pointed_at_each_other_stop_at_once(session: Session, configure: Configure, kind: MailKind) -> None:
    """Their mail says “I terminate” and comes from a person we know; ours says nothing back."""
    config = settings.current()
    neighbour = factories.contact(session, "service@neighbour.example", locale="nl")
    theirs = factories.message(session, neighbour, kind=kind, at=AT)
    theirs.content.text = "Ik zeg op"
    theirs.content.sender = "Neighbour <service@neighbour.example>"
    theirs.to_address = config.public_mailbox
    raw = compose.compose(theirs).data
    proof = f"Authentication-Results: {config.trusted_authserv_ids[0]}; dmarc=pass header.from=neighbour.example\r\n"
    before = session.scalar(select(func.count()).select_from(Message))
    mail = take_in(session, proof.encode() + raw, config.public_mailbox, sender="bounce+x@reply.neighbour.example")
    assert session.scalar(select(func.count()).select_from(Message)) == before
    if kind is not MailKind.ANSWER:  # a person wrote that one
        assert mail.kind is Kind.AUTO_REPLY


def test_a_persons_mail_is_read_before_ten_thousand_of_machines(session: Session) -> None:
    keep = {"sender": "a@b.nl", "recipient": "privacy@leadmark.example", "door": "smtp"}
    many = [letter(f"weg {n}", "Auto-Submitted: auto-replied", message_id=f"<{n}@b.nl>") for n in range(60)]
    ids = [inbound.keep(session, raw, **keep, at=AT) for raw in many]  # type: ignore[arg-type]
    person = inbound.keep(session, letter("Ik zeg op"), **keep, at=AT)  # type: ignore[arg-type]
    first, second = inbound.claim(session, AT), inbound.claim(session, AT)
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (person, ids[0])


@only_sqlite
def test_the_order_is_found_by_an_index(session: Session) -> None:
    """Ten thousand unread mails are not sorted for each that is taken."""
    query = queries.unread(AT).limit(1).compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = " ".join(str(row) for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}"))
    assert "ix_inbound_mails_unread" in plan
    assert "TEMP B-TREE" not in plan


def _large() -> bytes:
    return letter("Ik zeg op") + b"\r\n" + (b"x" * 76 + b"\r\n") * (doors.MAX_BYTES // 78 - 10)


def _many_parts() -> bytes:
    head = letter("", 'Content-Type: multipart/mixed; boundary="b"').replace(
        b"Content-Type: text/plain", b"X: text/plain"
    )
    return head + b"\r\n" + b"--b\r\nContent-Type: text/plain\r\n\r\nIk zeg op\r\n" * 10_000 + b"--b--\r\n"


def _nested() -> bytes:
    raw = b"Subject: x\r\n"
    for depth in range(1000):
        raw += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (depth, depth)
    return raw + b"Content-Type: text/plain\r\n\r\nIk zeg op\r\n"


def _charset() -> bytes:
    return letter("Ik zeg op").replace(b"charset=utf-8", b'charset="x-no\x00such"') + b"\xff\xfe\x00"


@only_sqlite
@pytest.mark.parametrize("make", [_large, _many_parts, _nested, _charset])
def test_hostile_mails_are_kept_and_the_next_one_is_not_affected(session: Session, make: Callable[[], bytes]) -> None:
    raw = make()
    keep = {"sender": "a@b.nl", "recipient": "privacy@leadmark.example", "door": "smtp", "at": AT}
    mail_id = inbound.keep(session, raw, **keep)  # type: ignore[arg-type]
    after = inbound.keep(session, letter("Ik zeg op"), **keep)  # type: ignore[arg-type]
    while (claimed := inbound.claim(session, AT)) is not None:
        inbound.act(session, claimed[0], child.read(claimed[1]), AT)
    mail = queries.get(session, mail_id)
    assert mail.raw == raw
    assert mail.state is DeskState.FOR_PERSON
    assert queries.get(session, after).kind is not Kind.UNREADABLE


@only_sqlite
def test_every_malformed_mail_that_is_known_is_kept(session: Session, shared: Path) -> None:
    files = sorted(path for path in (shared / "data/mail").glob("**/malformed*/**/*") if path.is_file())
    files += sorted(path for path in (shared / "data/mail").glob("**/malformed*") if path.is_file())
    if not files:
        pytest.skip("no malformed mails on this machine")
    for path in files[:500]:
        raw = path.read_bytes()
        mail = take_in(session, raw)
        assert mail.state is not DeskState.KEPT, path
        assert mail.raw == raw, path
