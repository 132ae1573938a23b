"""What people decide at the reply desk, and what they answer."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.consent import queries as consent
from mailer.delivery import compose
from mailer.inbound import decisions, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.notices.rules import NoticeState
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff, Task
from mailer.terminations import actions as termination_actions
from mailer.terminations.rules import State, Timing
from tests import factories
from tests.inbound.world import AT, Told, address, letter, report, sent, take_in, terminations, told


def _answer(session: Session, mail: InboundMail, sam: Staff, text: str = "Dat kan.", **other: object) -> None:
    facts: dict[str, object] = {"kind": Kind.QUESTION, "auto": False, "text": text}
    decisions.answer(session, mail, staff_id=sam.id, at=AT, **(facts | other))  # type: ignore[arg-type]


def test_a_person_records_a_termination_with_the_mails_own_time(
    session: Session, sam: Staff, unsure: InboundMail
) -> None:
    decisions.decide(session, unsure, Kind.TERMINATION, sam.id, AT)
    [one] = terminations(session)
    assert (one.state, one.timing, one.received_at, one.decided_by) == (
        State.RECORDED,
        Timing.IN_TIME,
        unsure.received_at,
        sam.id,
    )
    assert (unsure.state, unsure.decided_kind, unsure.decided_by) == (DeskState.DECIDED, Kind.TERMINATION, sam.id)
    assert len(sent(session, MailKind.TERMINATION_RECEIPT)) == 1


def test_the_second_of_two_people_is_told_so(session: Session, sam: Staff, unsure: InboundMail) -> None:
    decisions.decide(session, unsure, Kind.QUESTION, sam.id, AT)
    with pytest.raises(decisions.AlreadyDecided):
        decisions.decide(session, unsure, Kind.TERMINATION, sam.id, AT)
    assert terminations(session) == []


def test_a_stranger_terminates_nothing_until_somebody_says_who_it_is(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Ik zeg op"))
    with pytest.raises(decisions.CannotDecide):
        decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    decisions.assign_contact(session, mail, jan.contact, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    [one] = terminations(session)
    assert (one.contact_id, one.version_id, one.timing) == (jan.contact.id, jan.notice.version_id, Timing.IN_TIME)


def test_a_mail_given_to_another_person_is_no_longer_the_firsts(session: Session, jan: Told, sam: Staff) -> None:
    eve = told(session, "eve@example.nl")
    mail = take_in(session, letter("Ik zeg op", sender="eve@example.nl", to=jan.reply, proven=True), jan.reply)
    decisions.assign_contact(session, mail, jan.contact, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    assert {one.contact_id: one.state for one in terminations(session)} == {
        eve.contact.id: State.CLOSED,
        jan.contact.id: State.RECORDED,
    }


def test_a_mail_that_was_no_termination_closes_what_waited(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Ik zeg op", to=jan.reply), jan.reply)
    decisions.put_back(session, mail, sam.id, AT)
    decisions.decide(session, mail, Kind.SPOOF, sam.id, AT)
    assert [one.state for one in terminations(session)] == [State.CLOSED]


def test_a_recorded_termination_does_not_become_a_question(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    decisions.put_back(session, mail, sam.id, AT)
    with pytest.raises(decisions.CannotDecide):
        decisions.decide(session, mail, Kind.QUESTION, sam.id, AT)


def test_what_the_machine_took_for_automatic_can_be_put_back_and_terminate(
    session: Session, jan: Told, sam: Staff
) -> None:
    raw = letter("Ik zeg op", "Auto-Submitted: auto-generated", to=jan.reply, proven=True)
    mail = take_in(session, raw, jan.reply)
    assert mail.state is DeskState.SETTLED
    decisions.put_back(session, mail, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    assert [one.state for one in terminations(session)] == [State.RECORDED]
    with pytest.raises(decisions.AlreadyDecided):
        decisions.assign_contact(session, mail, jan.contact, sam.id, AT)


def test_a_decision_that_was_closed_and_put_back_can_still_terminate(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Ik zeg op", to=jan.reply), jan.reply)
    for kind in (Kind.SPOOF, Kind.TERMINATION):
        decisions.put_back(session, mail, sam.id, AT)
        decisions.decide(session, mail, kind, sam.id, AT)
    assert [one.state for one in terminations(session)] == [State.RECORDED]


def test_what_was_withdrawn_by_mistake_stands_again_when_decided_so(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    [one] = terminations(session)
    termination_actions.withdraw(session, one, AT, sam.id)
    decisions.put_back(session, mail, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    assert one.state is State.RECORDED


def test_what_was_withdrawn_can_be_found_to_be_somebody_elses(session: Session, jan: Told, sam: Staff) -> None:
    eve = told(session, "eve@example.nl")
    mail = take_in(session, letter("Ik zeg op", to=jan.reply, proven=True), jan.reply)
    [one] = terminations(session)
    termination_actions.withdraw(session, one, AT, sam.id)
    decisions.put_back(session, mail, sam.id, AT)
    decisions.assign_contact(session, mail, eve.contact, sam.id, AT)
    decisions.decide(session, mail, Kind.TERMINATION, sam.id, AT)
    assert {row.contact_id: row.state for row in terminations(session)} == {
        jan.contact.id: State.WITHDRAWN,
        eve.contact.id: State.RECORDED,
    }


def test_what_is_on_the_desk_is_not_put_back(session: Session, sam: Staff, unsure: InboundMail) -> None:
    with pytest.raises(decisions.AlreadyDecided):
        decisions.put_back(session, unsure, sam.id, AT)


def test_a_bounce_that_a_person_reads_voids_the_clock(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, report(jan.reply), jan.reply)
    decisions.decide(session, mail, Kind.BOUNCE, sam.id, AT)
    assert jan.notice.state is NoticeState.UNREACHED


def test_leaving_newsletters_takes_effect(session: Session, sam: Staff) -> None:
    reader = factories.contact(session, "jan@example.nl", topics=["news"])
    mail = take_in(session, letter("Wat is dit?"))
    decisions.assign_contact(session, mail, reader, sam.id, AT)
    decisions.decide(session, mail, Kind.LEAVE_NEWSLETTERS, sam.id, AT)
    assert not consent.subscriptions(session, reader.id)["news"].is_subscribed


def test_a_request_about_own_data_keeps_its_task_and_another_thing_ends_it(
    session: Session, jan: Told, sam: Staff
) -> None:
    request = "Graag ontvang ik inzage in mijn gegevens."
    first = take_in(session, letter(request, to=jan.reply), jan.reply)
    decisions.decide(session, first, Kind.RIGHTS_REQUEST, sam.id, AT)
    second = take_in(session, letter(request, to=jan.reply, message_id="<two@example.nl>"), jan.reply)
    decisions.decide(session, second, Kind.QUESTION, sam.id, AT)
    done = {task.subject_id: task.done_at for task in session.scalars(select(Task))}
    assert done == {first.id: None, second.id: AT}


# Answers


def test_an_answer_goes_to_the_primary_address_in_its_thread(session: Session, sam: Staff, unsure: InboundMail) -> None:
    _answer(session, unsure, sam, "Dat kan & mag.\r\n\r\nTot dan.")
    [message] = sent(session, MailKind.ANSWER)
    mail = compose.compose(message).data.decode()
    assert message.to_address == "jan@example.nl"
    assert "In-Reply-To: <one@example.nl>\r\n" in mail
    assert "Subject: Re: Wijziging\r\n" in mail
    assert "Auto-Submitted" not in mail, "a person wrote it"
    assert "Dat kan & mag.\n\nTot dan." in message.content.text
    assert (unsure.state, unsure.decided_kind) == (DeskState.DECIDED, Kind.QUESTION)


def test_a_stranger_with_a_token_does_not_get_the_answer(session: Session, jan: Told, sam: Staff) -> None:
    mail = take_in(session, letter("Hoe kan ik opzeggen?", sender="eve@elsewhere.example", to=jan.reply), jan.reply)
    _answer(session, mail, sam)
    assert [message.to_address for message in sent(session, MailKind.ANSWER)] == ["jan@example.nl"]


def test_somebody_unknown_is_answered_where_they_wrote_from(session: Session, sam: Staff) -> None:
    mail = take_in(session, letter("How do I terminate?", sender="eve@elsewhere.example"))
    _answer(session, mail, sam)
    [message] = sent(session, MailKind.ANSWER)
    assert (message.to_address, message.contact_id, message.content.locale) == ("eve@elsewhere.example", None, "en")
    compose.compose(message)


@pytest.mark.parametrize("sender", ["privacy@leadmark.example", "reply+x@reply.leadmark.example", "no address"])
def test_our_own_and_impossible_addresses_are_not_answered(session: Session, sam: Staff, sender: str) -> None:
    mail = take_in(session, letter("How do I terminate?", sender=sender))
    with pytest.raises(decisions.CannotAnswer):
        _answer(session, mail, sam)
    assert mail.state is DeskState.FOR_PERSON


@pytest.mark.parametrize("way", ["null path", "auto", "machine"])
def test_what_a_machine_may_have_sent_is_not_answered(session: Session, jan: Told, sam: Staff, way: str) -> None:
    headers = ["Auto-Submitted: auto-replied"] if way == "machine" else []
    raw = letter("Hoe kan ik opzeggen?", *headers, to=jan.reply, proven=True)
    mail = take_in(session, raw, jan.reply, sender="<>" if way == "null path" else "jan@example.nl")
    if way == "machine":
        decisions.put_back(session, mail, sam.id, AT)
    with pytest.raises(decisions.CannotAnswer):
        _answer(session, mail, sam, auto=way == "auto")
    assert sent(session, MailKind.ANSWER) == []


def test_an_answer_needs_words_and_a_question(session: Session, sam: Staff, unsure: InboundMail) -> None:
    with pytest.raises(decisions.CannotAnswer):
        _answer(session, unsure, sam, " \n ")
    with pytest.raises(decisions.CannotDecide):
        _answer(session, unsure, sam, kind=Kind.TERMINATION)
    assert unsure.state is DeskState.FOR_PERSON


def test_an_answer_in_words_that_look_like_our_marks_goes_out_as_typed(
    session: Session, sam: Staff, unsure: InboundMail
) -> None:
    unsure.subject = "{{ 7 * 7 }} <b>\x01 =?utf-8?q?=0D=0ABcc:_x?="
    _answer(session, unsure, sam, "{{ slots.leave_url }} {% raw %} <script>")
    [message] = sent(session, MailKind.ANSWER)
    rendered = compose.render(message.content, compose.values(message))
    assert "{{ slots.leave_url }} {% raw %} <script>" in rendered.text
    assert "<script>" not in rendered.html
    assert b"Bcc" not in compose.compose(message).data.split(b"Subject:")[0]


def test_the_desk_shows_by_state_kind_person_and_address(session: Session, jan: Told, unsure: InboundMail) -> None:
    other = take_in(session, letter("How do I terminate?", sender="eve@elsewhere.example"))
    bounce = address(jan.message, "bounce")
    settled = take_in(session, report(bounce), bounce)
    waiting = queries.desk(session, state=DeskState.FOR_PERSON)
    assert list(waiting) == sorted((unsure, other), key=lambda mail: mail.id)
    assert list(queries.desk(session, kind=Kind.BOUNCE)) == [settled]
    assert list(queries.desk(session, words="EVE@")) == [other]
    assert list(queries.desk(session, words="_")) == []
    assert unsure in queries.desk(session, contact_id=jan.contact.id)
    assert queries.counts(session) == {DeskState.FOR_PERSON: 2, DeskState.SETTLED: 1}
