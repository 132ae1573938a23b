"""A request is kept, confirmed or closed; it gets one receipt, and the first mail's time stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.ledger.models import Event
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies.actions import Translation
from mailer.policies.models import Version
from mailer.staff.models import Task
from mailer.terminations import actions, queries
from mailer.terminations.models import Termination
from mailer.terminations.rules import State, Timing
from tests import factories

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = date(2026, 12, 1)
LAST = date(2026, 12, 24)
Receive = Callable[..., Termination]


@pytest.fixture
def jan(session: Session) -> Contact:
    return factories.contact(session, "jan@example.nl", name="Jan Bakker")


@pytest.fixture
def version(session: Session) -> Version:
    factories.policy(session, at=AT)
    found = session.scalars(select(Version)).one()
    found.policy.title = "Privacy & cookies"
    return found


@pytest.fixture
def receive(session: Session, jan: Contact, version: Version) -> Receive:
    """Receive a request of Jan's about the version, with what the test says otherwise."""

    def call(source: str, state: State, **other: object) -> Termination:
        facts: dict[str, object] = {
            "contact": jan,
            "version": version,
            "respond_by_on": LAST,
            "received_at": AT,
            "received_on": DAY,
            "at": AT,
        }
        return actions.receive(session, source_id=source, state=state, **(facts | other))  # type: ignore[arg-type]

    return call


def _put(session: Session, kind: MailKind) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.kind == kind).order_by(Message.row)))


def _receipts(session: Session) -> list[Message]:
    return _put(session, MailKind.TERMINATION_RECEIPT)


def test_the_receipt_names_the_text_as_its_reader_knows_it(session: Session, receive: Receive, jan: Contact) -> None:
    dutch = {"nl": Translation("Voorwaarden", "# Voorwaarden\n\nDit zijn ze.\n")}
    terms = policies.import_first(
        session, slug="terms", title="Terms", text="# Terms\n\nThese.\n", effective_on=None, at=AT, translations=dutch
    )
    jan.locale = "nl"
    receive("link/msg_1", State.RECORDED, version=terms)
    said = " ".join(_receipts(session)[0].content.text.split())
    assert "de gewijzigde tekst van “Voorwaarden”, versie 1." in said
    assert "Waarom u dit krijgt: u liet ons weten dat u uw gebruik van onze dienst opzegt." in said


def test_the_same_source_is_one_request(session: Session, receive: Receive) -> None:
    assert receive("inb_1", State.RECORDED) is receive("inb_1", State.RECORDED)
    assert len(_receipts(session)) == 1


def test_others_hear_of_it_received_and_confirmed_once(session: Session, receive: Receive) -> None:
    receive("inb_1", State.RECORDED)
    receive("inb_2", State.RECORDED)
    told = select(Event.kind).where(Event.kind.startswith("termination")).order_by(Event.id)
    kinds = session.scalars(told).all()
    assert kinds == ["termination.received", "termination.confirmed"]


def test_a_second_mail_settles_what_the_first_left_open(session: Session, receive: Receive) -> None:
    first = receive("inb_1", State.TO_BE_CONFIRMED)
    later = {"received_at": AT + timedelta(days=60), "received_on": date(2027, 1, 30)}
    assert receive("inb_2", State.RECORDED, **later) is first
    assert (first.state, first.received_on, first.timing) == (State.RECORDED, DAY, Timing.IN_TIME)


def test_two_unproven_mails_ask_once(session: Session, receive: Receive) -> None:
    receive("inb_1", State.TO_BE_CONFIRMED)
    receive("inb_2", State.TO_BE_CONFIRMED)
    assert len(_put(session, MailKind.TERMINATION_CONFIRM)) == 1


def test_a_mail_about_no_version_repeats_one_that_is(session: Session, receive: Receive) -> None:
    first = receive("inb_1", State.RECORDED)
    assert receive("inb_2", State.RECORDED, version=None, respond_by_on=None) is first


def test_an_earlier_mail_that_is_read_later_makes_a_late_one_in_time(session: Session, receive: Receive) -> None:
    late = {"received_at": AT + timedelta(days=24), "received_on": date(2026, 12, 25)}
    one = receive("inb_2", State.RECORDED, **late)
    assert one.timing is Timing.LATE
    receive("inb_1", State.RECORDED)
    assert (one.timing, one.received_at) == (Timing.IN_TIME, AT)
    assert ["in time" in receipt.content.text for receipt in _receipts(session)] == [False, True]


def test_an_earlier_mail_that_changes_no_timing_sends_nothing(session: Session, receive: Receive) -> None:
    one = receive("inb_1", State.RECORDED)
    receive("inb_2", State.RECORDED, received_at=AT - timedelta(hours=1))
    assert one.received_at == AT - timedelta(hours=1)
    assert len(_receipts(session)) == 1


def test_recording_twice_is_once(session: Session, receive: Receive) -> None:
    one = receive("inb_1", State.TO_BE_CONFIRMED)
    assert actions.record(session, one, AT)
    assert not actions.record(session, one, AT)
    assert len(_receipts(session)) == 1


def test_what_was_closed_is_taken_up_again_by_staff_only(session: Session, receive: Receive) -> None:
    who = factories.staff(session)
    one = receive("inb_1", State.FOR_PERSON)
    actions.close(session, one, AT, who.id)
    with pytest.raises(actions.AlreadyDecided):
        actions.record(session, one, AT)
    with pytest.raises(actions.AlreadyDecided):
        actions.close(session, one, AT, who.id)
    assert receive("inb_1", State.RECORDED, staff_id=who.id) is one
    assert (one.state, one.decided_by) == (State.RECORDED, who.id)


def test_a_new_mail_after_a_closed_one_is_a_new_request(session: Session, receive: Receive) -> None:
    first = receive("inb_1", State.FOR_PERSON)
    actions.close(session, first, AT, factories.staff(session).id)
    assert receive("inb_2", State.RECORDED) is not first


def test_a_mail_that_was_somebody_elses_can_be_that_others_request(session: Session, receive: Receive) -> None:
    first = receive("inb_1", State.TO_BE_CONFIRMED)
    actions.disown(session, first, AT, factories.staff(session).id)
    eve = factories.contact(session, "eve@example.nl")
    other = receive("inb_1", State.RECORDED, contact=eve)
    assert (first.state, other.contact_id, other.state) == (State.CLOSED, eve.id, State.RECORDED)


@pytest.mark.parametrize(
    ("locale", "timing", "words"),
    [
        ("en", Timing.IN_TIME, "It came in time: you could respond until and including Thursday 24 December 2026."),
        ("en", Timing.LATE, "It came after Thursday 24 December 2026, the last day to terminate"),
        ("en", Timing.LATE, "You can still cancel in the ordinary way: confirm that on the page below"),
        ("en", Timing.IN_TIME, "take your data with you, export them before that day"),
        ("nl", Timing.LATE, "Exporteer ze dan vóór die dag"),
        ("en", Timing.NO_WINDOW, "We treat it as an ordinary termination."),
        ("nl", Timing.IN_TIME, "Uw opzegging is op tijd: u kon reageren tot en met donderdag 24 december 2026."),
        ("nl", Timing.LATE, "Uw opzegging kwam na donderdag 24 december 2026, de laatste dag"),
        ("nl", Timing.NO_WINDOW, "Wij behandelen haar als een gewone opzegging."),
    ],
)
def test_the_receipt_says_when_and_what_follows(
    session: Session, receive: Receive, jan: Contact, locale: str, timing: Timing, words: str
) -> None:
    jan.locale = locale
    received_on = date(2026, 12, 25) if timing is Timing.LATE else DAY
    one = receive(
        "inb_1", State.RECORDED, received_on=received_on, respond_by_on=None if timing is Timing.NO_WINDOW else LAST
    )
    assert one.timing is timing
    [receipt] = _receipts(session)
    mail = compose.render(receipt.content, compose.values(receipt))
    flat = " ".join(mail.text.split())
    assert words in flat
    assert "“Privacy & cookies”" in flat
    assert "&amp;" not in mail.text
    assert "“Privacy &amp; cookies”" in mail.html
    assert one.id in mail.text
    assert ("/terminations/ordinary/" in mail.text, "/terminations/ordinary/" in mail.html) == (
        (timing is Timing.LATE,) * 2
    )
    assert max(map(len, mail.text.split("\n"))) <= 72 or "/u/" in mail.text
    assert "<" not in mail.text


@pytest.mark.parametrize("locale", ["en", "nl"])
def test_the_question_holds_a_link_on_a_line_of_its_own(
    session: Session, receive: Receive, jan: Contact, locale: str
) -> None:
    jan.locale = locale
    receive("inb_1", State.TO_BE_CONFIRMED)
    [asked] = _put(session, MailKind.TERMINATION_CONFIRM)
    mail = compose.render(asked.content, compose.values(asked))
    [link] = [line for line in mail.text.splitlines() if "/terminations/" in line]
    assert link.startswith("http")
    assert link in mail.html
    assert len(mail.text) < 1_500


def _heard(session: Session) -> list[str]:
    told = select(Event.kind).where(Event.kind.startswith("termination")).order_by(Event.id)
    return list(session.scalars(told))


@pytest.mark.parametrize("state", [State.RECORDED, State.FOR_PERSON, State.TO_BE_CONFIRMED])
def test_what_stands_or_waits_is_withdrawn_once_and_others_hear_of_it(
    session: Session, receive: Receive, state: State
) -> None:
    who = factories.staff(session)
    one = receive("inb_1", state)
    actions.withdraw(session, one, AT, who.id)
    assert (one.state, one.decided_by) == (State.WITHDRAWN, who.id)
    assert _heard(session)[-1] == "termination.withdrawn"
    with pytest.raises(actions.AlreadyDecided):
        actions.withdraw(session, one, AT, who.id)
    assert receive("inb_2", State.RECORDED) is not one


def test_others_hear_that_it_was_not_meant(session: Session, receive: Receive) -> None:
    one = receive("inb_1", State.TO_BE_CONFIRMED)
    actions.close(session, one, AT, None)
    assert (one.state, one.decided_by) == (State.CLOSED, None)
    assert _heard(session) == ["termination.received", "termination.closed"]


def test_a_late_one_becomes_an_ordinary_cancellation_if_the_person_wants_that(
    session: Session, receive: Receive
) -> None:
    one = receive("inb_1", State.RECORDED, received_on=date(2026, 12, 25))
    assert actions.make_ordinary(session, one, AT)
    assert not actions.make_ordinary(session, one, AT)
    assert (one.state, one.timing, one.ordinary_at) == (State.RECORDED, Timing.LATE, AT)
    assert _heard(session) == ["termination.received", "termination.confirmed", "termination.ordinary"]


def test_one_in_time_is_offered_nothing(session: Session, receive: Receive) -> None:
    with pytest.raises(actions.AlreadyDecided):
        actions.make_ordinary(session, receive("inb_1", State.RECORDED), AT)


def test_a_question_that_nobody_answered_for_a_week_is_on_the_desk_once(session: Session, receive: Receive) -> None:
    one = receive("inb_1", State.TO_BE_CONFIRMED)
    actions.ask_staff(session, AT + timedelta(days=6))
    assert session.scalars(select(Task)).all() == []
    for days in (7, 8):
        actions.ask_staff(session, AT + timedelta(days=days))
    [task] = session.scalars(select(Task)).all()
    assert (task.subject_id, task.due_on) == (one.id, LAST)
    assert queries.unanswered(session, AT) == []  # it is on the desk, and not looked at again every minute


@pytest.mark.parametrize("way", ["confirmed", "closed", "withdrawn"])
def test_what_was_decided_is_off_the_desk(session: Session, receive: Receive, way: str) -> None:
    one = receive("inb_1", State.TO_BE_CONFIRMED)
    actions.ask_staff(session, AT + timedelta(days=7))
    match way:
        case "confirmed":
            actions.record(session, one, AT)
        case "closed":
            actions.close(session, one, AT, None)
        case _:
            actions.withdraw(session, one, AT, factories.staff(session).id)
    [task] = session.scalars(select(Task)).all()
    assert task.done_at == AT
