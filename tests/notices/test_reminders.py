"""A reminder goes out once, before the last day, and only to who may still answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mailer.consent.rules import Withheld
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.inbound import queries as inbound
from mailer.notices import actions as notices
from mailer.notices import agreement, corrections, facts, queries, reminders
from mailer.notices.models import Notice
from mailer.notices.rules import FactKind
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, Release, accept, fan_out, message_of

LAST_DAY = date(2026, 12, 24)
NOBODY = select(Contact.id).where(Contact.id == "")


def remind(session: Session, today: date, answered: Select[str] = NOBODY, days_before: int = 7) -> int:
    return reminders.remind(
        session, today, AT + (today - AT.date()), days_before=days_before, answered=lambda _version: answered
    )


def reminded(session: Session) -> set[str | None]:
    return set(session.scalars(select(Message.contact_id).where(Message.kind == MailKind.REMINDER)))


@pytest.fixture
def told(session: Session, release: Release) -> tuple[Version, dict[str, Contact]]:
    """A version of which several people were told on the same day; one of them is unreached."""
    names = ("waits", "terminated", "agreed", "closed", "unreached", "planned")
    people = {name: factories.contact(session, name=name, locale="nl" if name == "waits" else "en") for name in names}
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for name, person in people.items():
        if name not in ("unreached", "planned"):
            accept(session, version, person)
    accept(session, version, people["unreached"])
    notices.bounced(session, message_of(session, version, people["unreached"]), AT, "550")
    agreement.agree(session, notice_of(session, version, people["agreed"]), "Yes.", "test", AT)
    contacts.close(session, people["closed"], AT)
    return version, people


def notice_of(session: Session, version: Version, person: Contact) -> Notice:
    found = queries.find(session, version.id, person.id)
    assert found is not None
    return found


def test_only_who_may_still_answer_is_reminded_and_once(
    session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    answered = select(Contact.id).where(Contact.id == people["terminated"].id)
    assert remind(session, LAST_DAY - timedelta(days=8), answered) == 0, "too early"
    assert remind(session, LAST_DAY - timedelta(days=7), answered) == 1
    assert reminded(session) == {people["waits"].id}
    assert remind(session, LAST_DAY - timedelta(days=6), answered) == 0, "once"
    notice = notice_of(session, version, people["waits"])
    assert notice.reminded_at is not None
    last = facts.of(session, version.id, people["waits"].id)[-1]
    message = session.scalars(select(Message).where(Message.kind == MailKind.REMINDER)).one()
    assert (last.kind, last.message_row) == (FactKind.REMINDED, message.row)
    assert facts.standing(session, version.id, people["waits"].id).reminded_at == notice.reminded_at


def test_a_clock_that_starts_anew_is_reminded_of_by_its_own_last_day(
    session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    accept(session, version, people["planned"])
    answered = select(Contact.id).where(Contact.id != people["waits"].id)
    assert remind(session, LAST_DAY - timedelta(days=7), answered) == 1
    first = session.scalars(select(Message).where(Message.kind == MailKind.REMINDER)).one()
    later = AT + timedelta(days=26)
    words = {"en": "We wrote 2026.", "nl": "Wij schreven 2026."}
    corrections.correct(session, version, words, "stf_1", later)
    session.refresh(first)
    assert first.withheld is Withheld.CANCELLED, "its day is not the last any more"
    accept(session, version, people["waits"], later)
    assert remind(session, date(2027, 1, 15), answered) == 1
    second = session.scalars(select(Message).where(Message.kind == MailKind.REMINDER).order_by(-Message.row)).first()
    assert second is not None
    assert "19 januari 2027" in compose.preview(second.content).subject


def test_the_reminder_names_this_persons_last_day_in_their_language(
    session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    assert remind(session, LAST_DAY) == 2, "the one who terminated was not said to have answered"
    message = session.scalars(select(Message).where(Message.contact_id == people["waits"].id).order_by(-Message.row))
    seen = compose.preview(next(iter(message)).content)
    assert "donderdag 24 december 2026" in seen.subject
    assert "24.00 uur (Amsterdam)" in " ".join(seen.text.split())
    assert version.sha256 in seen.text


def test_a_reply_to_the_reminder_is_about_the_notice(
    session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, people = told
    remind(session, LAST_DAY)
    mails = select(Message).where(Message.kind == MailKind.REMINDER, Message.contact_id == people["waits"].id)
    reminder = session.scalars(mails).one()
    assert inbound.notice_of_message(session, reminder.row) is notice_of(session, version, people["waits"])
    assert inbound.notice_of_message(session, factories.message(session).row) is None


@pytest.mark.parametrize(("today", "days_before"), [(LAST_DAY, 0), (LAST_DAY + timedelta(days=1), 7)])
def test_nobody_is_reminded_where_it_is_off_or_too_late(
    session: Session, told: tuple[Version, dict[str, Contact]], today: date, days_before: int
) -> None:
    assert remind(session, today, days_before=days_before) == 0
    assert reminded(session) == set()


def test_a_withdrawn_version_is_reminded_of_to_nobody(
    session: Session, told: tuple[Version, dict[str, Contact]]
) -> None:
    version, _ = told
    assert remind(session, LAST_DAY - timedelta(days=7)) > 0
    notices.withdraw(session, version, version.author_id or "", "A mistake.", AT)
    assert remind(session, LAST_DAY) == 0
    reminders_left = select(Message.state).where(Message.kind == MailKind.REMINDER)
    assert set(session.scalars(reminders_left)) == {State.WITHHELD}, "nor by what still waited"
