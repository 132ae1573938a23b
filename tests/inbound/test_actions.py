"""What a mail does: kept first, read once, effective once; and what is not proven changes nothing by itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.consent import queries as consent
from mailer.consent.rules import SuppressionReason
from mailer.inbound import actions as inbound
from mailer.inbound import child, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices.rules import NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.staff.models import Task
from mailer.terminations import queries as termination_queries
from mailer.terminations.rules import State, Timing
from tests import factories
from tests.inbound.world import AT, Told, address, complaint, letter, report, sent, take_in, terminations, told

RECEIPT, CONFIRM = MailKind.TERMINATION_RECEIPT, MailKind.TERMINATION_CONFIRM


def _reasons(session: Session, told: Told) -> frozenset[SuppressionReason]:
    return consent.reasons_against(session, told.contact.addresses[0].email_key)


# Terminations


def test_a_proven_reply_is_recorded_with_one_receipt(session: Session) -> None:
    jan = told(session)
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    assert (mail.state, mail.kind) == (DeskState.SETTLED, Kind.TERMINATION)
    [one] = terminations(session)
    assert (one.state, one.timing, one.version_id) == (State.RECORDED, Timing.IN_TIME, jan.notice.version_id)
    [receipt] = sent(session, RECEIPT)
    assert receipt.to_address == "jan@example.nl"
    assert receipt.in_reply_to == "<one@example.nl>"
    assert "op tijd" in receipt.content.text


def test_the_same_mail_twice_is_one_row_one_termination_one_receipt(session: Session) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", to=jan.reply, proven=True)
    first, second = take_in(session, raw, jan.reply), take_in(session, raw, jan.reply, at=AT + timedelta(hours=1))
    assert first.id == second.id
    assert len(terminations(session)) == len(sent(session, RECEIPT)) == 1


def test_two_different_mails_are_one_termination_with_one_receipt(session: Session) -> None:
    jan = told(session)
    take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    take_in(session, letter("Hierbij zeg ik mijn account op.", proven=True, message_id="<two@example.nl>"))
    assert len(terminations(session)) == len(sent(session, RECEIPT)) == 1


def test_a_token_alone_asks_at_the_primary_address_and_the_first_time_stands(session: Session) -> None:
    jan = told(session)
    take_in(session, letter("Ik zeg op", sender="eve@elsewhere.example", to=jan.reply), jan.reply)
    [one] = terminations(session)
    assert (one.state, one.received_at) == (State.TO_BE_CONFIRMED, AT)
    [asked] = sent(session, CONFIRM)
    assert asked.to_address == "jan@example.nl"
    assert sent(session, RECEIPT) == []
    later = AT + timedelta(days=40)
    take_in(session, letter("Ik zeg op", to=jan.reply, proven=True, message_id="<two@example.nl>"), jan.reply, at=later)
    [one] = terminations(session)
    assert (one.state, one.received_at, one.timing) == (State.RECORDED, AT, Timing.IN_TIME)
    assert len(sent(session, RECEIPT)) == 1


def test_a_stranger_who_saw_the_mail_ends_nothing(session: Session) -> None:
    jan = told(session)
    take_in(session, letter("Ik zeg op", f"Cc: {jan.reply}", sender="eve@elsewhere.example", proven=True))
    assert [one.state for one in terminations(session)] == [State.TO_BE_CONFIRMED]
    assert {message.to_address for message in sent(session, CONFIRM)} == {"jan@example.nl"}


def test_a_proven_sender_without_token_is_asked_to_confirm(session: Session) -> None:
    told(session)
    take_in(session, letter("Ik zeg op", proven=True))
    [one] = terminations(session)
    assert (one.state, one.timing) == (State.TO_BE_CONFIRMED, Timing.IN_TIME)
    assert len(sent(session, CONFIRM)) == 1


def test_neither_token_nor_proof_goes_to_a_person(session: Session) -> None:
    told(session)
    mail = take_in(session, letter("Ik zeg op"))
    assert (mail.state, mail.kind, mail.contact_id) == (DeskState.FOR_PERSON, Kind.TERMINATION, None)
    assert terminations(session) == []
    assert sent(session, RECEIPT) == sent(session, CONFIRM) == []


def test_a_known_person_on_anothers_mail_goes_to_a_person_and_counts_for_who_wrote(session: Session) -> None:
    jan = told(session)
    eve = told(session, "eve@example.nl")
    mail = take_in(session, letter("Ik zeg op", sender="eve@example.nl", to=jan.reply, proven=True), jan.reply)
    assert (mail.state, mail.contact_id) == (DeskState.FOR_PERSON, eve.contact.id)
    [one] = terminations(session)
    assert (one.contact_id, one.state) == (eve.contact.id, State.FOR_PERSON)
    assert sent(session, CONFIRM) == []


def test_a_proven_sender_with_two_open_notices_goes_to_a_person(session: Session) -> None:
    jan = told(session)
    told(session, contact=jan.contact, slug="terms", respond_by_on=date(2026, 12, 30))
    mail = take_in(session, letter("Ik zeg op", proven=True))
    assert mail.state is DeskState.FOR_PERSON
    [one] = terminations(session)
    assert (one.state, one.version_id, one.respond_by_on) == (State.FOR_PERSON, None, date(2026, 12, 24))


def test_a_late_one_is_kept_and_answered_as_late(session: Session) -> None:
    jan = told(session)
    late = datetime(2027, 1, 5, 12, tzinfo=UTC)
    take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply, at=late)
    [one] = terminations(session)
    assert (one.state, one.timing) == (State.RECORDED, Timing.LATE)
    [receipt] = sent(session, RECEIPT)
    assert "kwam na donderdag 24 december 2026" in receipt.content.text


@pytest.mark.parametrize(("days", "timing"), [(1, Timing.LATE), (30, Timing.LATE), (31, Timing.NO_WINDOW)])
def test_plain_mail_after_the_last_day_is_late_as_a_reply_would_be(session: Session, days: int, timing: Timing) -> None:
    jan = told(session)
    take_in(session, letter("Ik zeg op", proven=True), at=datetime(2026, 12, 24, 12, tzinfo=UTC) + timedelta(days=days))
    [one] = terminations(session)
    assert (one.state, one.timing) == (State.TO_BE_CONFIRMED, timing)
    assert one.version_id == (jan.notice.version_id if timing is Timing.LATE else None)


@pytest.mark.parametrize(
    ("respond_by_on", "received_at", "timing"),
    [
        (date(2026, 12, 24), datetime(2026, 12, 24, 22, 59, 59, tzinfo=UTC), Timing.IN_TIME),  # 23:59:59 in Amsterdam
        (date(2026, 12, 24), datetime(2026, 12, 24, 23, 0, tzinfo=UTC), Timing.LATE),  # midnight
        (date(2027, 3, 28), datetime(2027, 3, 28, 21, 59, tzinfo=UTC), Timing.IN_TIME),  # summer time began that night
        (date(2027, 3, 28), datetime(2027, 3, 28, 22, 1, tzinfo=UTC), Timing.LATE),
        (date(2026, 10, 25), datetime(2026, 10, 25, 22, 59, tzinfo=UTC), Timing.IN_TIME),  # and ended here
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, 1, tzinfo=UTC), Timing.LATE),
    ],
)
def test_the_last_day_ends_at_midnight_where_the_company_is(
    session: Session, respond_by_on: date, received_at: datetime, timing: Timing
) -> None:
    jan = told(session, respond_by_on=respond_by_on)
    take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply, at=received_at)
    assert [one.timing for one in terminations(session)] == [timing]


def test_a_second_termination_after_a_month_is_one_of_its_own(session: Session) -> None:
    factories.contact(session, "jan@example.nl")
    first = take_in(session, letter("Ik zeg op", proven=True))
    termination = termination_queries.by_source(session, first.id)
    assert termination is not None
    termination.state = State.RECORDED
    later = AT + timedelta(days=200)
    take_in(session, letter("Ik zeg op", proven=True, message_id="<two@example.nl>"), at=later)
    assert [one.state for one in terminations(session)] == [State.RECORDED, State.TO_BE_CONFIRMED]


def test_an_automatic_mail_never_terminates_and_is_never_answered(session: Session) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", "Auto-Submitted: auto-replied", to=jan.reply, proven=True)
    mail = take_in(session, raw, jan.reply, sender="<>")
    assert (mail.state, mail.kind) == (DeskState.SETTLED, Kind.AUTO_REPLY)
    assert terminations(session) == []
    assert session.scalars(select(Message).where(Message.kind != MailKind.NOTICE)).all() == []
    assert session.scalars(select(Task)).all() == []


def test_a_person_is_not_deemed_to_agree_while_their_mail_waits(session: Session) -> None:
    jan = told(session)
    take_in(session, letter("Misschien zeg ik op.", to=jan.reply), jan.reply)
    assert list(session.scalars(queries.undecided_contacts())) == [jan.contact.id]


# Bounces and complaints


def test_a_hard_bounce_voids_the_clock_of_a_notice_and_ends_the_address(session: Session) -> None:
    jan = told(session)
    bounce_address = address(jan.message, "bounce")
    mail = take_in(session, report(bounce_address), bounce_address, sender="<>")
    assert (mail.state, mail.kind) == (DeskState.SETTLED, Kind.BOUNCE)
    assert jan.message.bounced_at == AT
    assert jan.notice.state is NoticeState.UNREACHED
    assert _reasons(session, jan) == {SuppressionReason.HARD_BOUNCE}


def test_a_final_failure_that_is_no_dead_mailbox_voids_the_clock_and_keeps_the_address(session: Session) -> None:
    jan = told(session)
    bounce_address = address(jan.message, "bounce")
    take_in(session, report(bounce_address, status="5.2.2", said="552 5.2.2 mailbox full"), bounce_address)
    assert jan.notice.state is NoticeState.UNREACHED
    assert _reasons(session, jan) == frozenset()


def test_a_delay_changes_nothing(session: Session) -> None:
    jan = told(session)
    bounce_address = address(jan.message, "bounce")
    mail = take_in(
        session, report(bounce_address, action="delayed", status="4.4.1", said="450 no answer"), bounce_address
    )
    assert mail.state is DeskState.SETTLED
    assert (jan.message.bounced_at, jan.notice.state) == (None, NoticeState.ACCEPTED)
    assert _reasons(session, jan) == frozenset()


@pytest.mark.parametrize("way", ["public address", "forged token", "reply address", "Message-ID"])
def test_a_bounce_without_our_bounce_token_changes_nothing(session: Session, way: str) -> None:
    jan = told(session)
    token = address(jan.message, "bounce")
    to = {
        "public address": "privacy@leadmark.example",
        "forged token": token.replace("@", "0@", 1),
        "reply address": jan.reply,
        "Message-ID": "privacy@leadmark.example",
    }[way]
    raw = report(to)
    if way == "Message-ID":
        raw = f"In-Reply-To: {jan.message_id}\r\n".encode() + raw
    mail = take_in(session, raw, to)
    assert mail.kind is Kind.BOUNCE
    assert (jan.message.bounced_at, jan.notice.state) == (None, NoticeState.ACCEPTED)
    assert _reasons(session, jan) == frozenset()
    assert "nothing was changed" in mail.reasons[-1]
    # who could have seen the mail may mean it: a person looks before anybody is deemed to have been told
    assert (mail.state is DeskState.FOR_PERSON) is (way in ("reply address", "Message-ID"))


def test_a_complaint_stops_marketing_and_not_essential_mail(session: Session) -> None:
    jan = told(session)
    to = address(jan.message, "bounce")
    mail = take_in(session, complaint(to), to)
    assert (mail.kind, mail.state) == (Kind.COMPLAINT, DeskState.SETTLED)
    [row] = consent.suppressions(session, "jan@example.nl")
    assert (row.reason, row.stops_essential) == (SuppressionReason.COMPLAINT, False)
    assert jan.message.complained_at == AT
    assert jan.notice.state is NoticeState.ACCEPTED


def test_a_complaint_that_names_no_mail_of_ours_goes_to_a_person(session: Session) -> None:
    jan = told(session)
    assert take_in(session, complaint("privacy@leadmark.example")).state is DeskState.FOR_PERSON
    assert _reasons(session, jan) == frozenset()


# Leaving, rights, and what cannot be read


def test_a_mail_to_the_leave_address_leaves_newsletters(session: Session) -> None:
    reader = factories.contact(session, "jan@example.nl", topics=["news"])
    message = factories.message(session, reader, kind=MailKind.CAMPAIGN, topic="news")
    to = address(message, "leave")
    mail = take_in(session, letter("", to=to), to)
    assert (mail.kind, mail.state) == (Kind.LEAVE_NEWSLETTERS, DeskState.SETTLED)
    assert not consent.subscriptions(session, reader.id)["news"].is_subscribed


def test_a_request_about_own_data_opens_a_task_with_its_last_day(session: Session) -> None:
    jan = told(session)
    mail = take_in(session, letter("Graag ontvang ik inzage in mijn gegevens.", to=jan.reply), jan.reply)
    assert mail.state is DeskState.FOR_PERSON
    task = session.scalars(select(Task)).one()
    assert (task.subject_id, task.contact_id, task.due_on) == (mail.id, jan.contact.id, date(2026, 12, 15))


@pytest.mark.parametrize(
    "raw",
    [
        b"no headers, only words: ik zeg op",
        b"",
        b"\x00\xff\xfe" * 100,
        b"From: a@b.nl\r\nSubject: \xff\x00\x01\r\n\r\n\x00\xed\xa0\x80",
        b"X: " + b"a" * 200_000 + b"\r\n\r\nIk zeg op",
        b"From: a@b.nl\r\n\r\n" + b"Ik zeg op\r\n" * 1_100_000,
    ],
    ids=["no headers", "empty", "rubbish", "NUL and surrogate", "huge headers", "huge"],
)
def test_what_cannot_be_read_goes_to_a_person(session: Session, raw: bytes) -> None:
    mail = take_in(session, raw)
    assert mail.state is DeskState.FOR_PERSON
    assert mail.raw == raw


def test_an_unreadable_answer_is_still_its_persons(session: Session) -> None:
    jan = told(session)
    mail = take_in(session, b"X: " + b"a" * 200_000 + b"\r\n\r\nIk zeg op", jan.reply)
    assert (mail.kind, mail.contact_id) == (Kind.UNREADABLE, jan.contact.id)


def test_odd_letters_in_reasons_and_names_are_stored(session: Session) -> None:
    raw = b"From: a\xff@b.nl, c@d.nl\r\nAuto-Submitted: \x00\xed\xa0\x80x\r\nMessage-ID: <\x01@b.nl>\r\n\r\nhallo"
    mail = take_in(session, raw, "privacy@leadmark.example\x00", sender="\udcff@b.nl")
    session.commit()
    assert mail.reasons


# Keeping and reading


def test_what_was_kept_and_not_read_is_read_later_once(session: Session) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", to=jan.reply, proven=True)
    mail_id = inbound.keep(session, raw, sender="", recipient=jan.reply, door="smtp", at=AT)
    assert inbound.claim(session, AT) == (mail_id, raw)  # and here the reader is killed
    assert queries.has_unread(session)
    assert inbound.claim(session, AT) is None
    assert not inbound.is_waiting(session, AT)
    later = AT + inbound.LEASE + timedelta(seconds=1)
    assert inbound.is_waiting(session, later)
    claimed = inbound.claim(session, later)
    assert claimed is not None
    inbound.act(session, claimed[0], child.read_here(raw), later)
    assert not queries.has_unread(session)
    [one] = terminations(session)
    assert one.received_at == AT


def test_acting_twice_has_one_effect(session: Session) -> None:
    jan = told(session)
    raw = letter("Ik zeg op", to=jan.reply, proven=True)
    mail = take_in(session, raw, jan.reply)
    inbound.act(session, mail.id, child.read_here(letter("Hoe kan ik opzeggen?")), AT)
    assert mail.kind is Kind.TERMINATION
    assert len(terminations(session)) == len(sent(session, RECEIPT)) == 1


def test_a_mail_that_breaks_its_reader_goes_to_a_person_and_the_next_is_read(session: Session) -> None:
    first = inbound.keep(session, letter("een"), sender="", recipient="a@b.nl", door="smtp", at=AT)
    at = AT
    for _ in range(inbound.ATTEMPTS):
        assert inbound.claim(session, at) is not None
        at += inbound.LEASE + timedelta(seconds=1)
    second = inbound.keep(session, letter("twee"), sender="", recipient="a@b.nl", door="smtp", at=at)
    claimed = inbound.claim(session, at)
    assert claimed is not None
    assert claimed[0] == second
    broken = queries.get(session, first)
    assert (broken.state, broken.kind) == (DeskState.FOR_PERSON, Kind.UNREADABLE)


def test_one_mail_to_two_of_our_addresses_is_two_rows(session: Session) -> None:
    for recipient in ("privacy@leadmark.example", "reply@reply.leadmark.example"):
        inbound.keep(session, b"x", sender="", recipient=recipient, door="smtp", at=AT)
    assert session.scalar(select(func.count()).select_from(InboundMail)) == 2


def test_ledger_and_events_hold_no_personal_data(session: Session) -> None:
    jan = told(session)
    take_in(session, letter("Ik zeg op, Jan Bakker", to=jan.reply, proven=True), jan.reply, sender="jan@example.nl")
    to = address(jan.message, "bounce")
    take_in(session, report(to), to)
    take_in(session, letter("Graag inzage in mijn gegevens", to=jan.reply), jan.reply)
    session.commit()
    entries = session.scalars(select(LedgerEntry.subjects)).all()
    told_others = [json.dumps(data) for data in session.scalars(select(Event.data))]
    assert any("inbound" not in entry and "inb_" in entry for entry in entries)
    for written in [*entries, *told_others]:
        assert "@" not in written
        assert "Bakker" not in written
