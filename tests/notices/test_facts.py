"""A notice's row is where the facts about it lead, whatever happened in whatever order; a batch proves each person."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import ids
from mailer.consent.models import ConsentEvent
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from mailer.errors import MailerError
from mailer.ledger.merkle import merkle_root
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices import actions as notices
from mailer.notices import agreement, clocks, corrections, facts, queries, reminders, rules, settling, unreached
from mailer.notices.models import Notice, NoticeFact
from mailer.notices.rules import Days, FactKind
from mailer.notices.settling import Answered
from mailer.outbox.models import Attempt, Message
from mailer.outbox.rules import MailingState, Outcome, State
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, TODAY, Release, accept, fan_out, message_of, settle

NOBODY = select(Contact.id).where(Contact.id == "")


def notice_of(session: Session, version: Version, person: Contact) -> Notice:
    session.expire_all()
    found = queries.find(session, version.id, person.id)
    assert found is not None
    return found


def assert_replays(session: Session, notice: Notice) -> None:
    """What is stored of a person is what follows from the facts."""
    session.flush()
    session.refresh(notice)
    found = facts.standing(session, notice.version_id, notice.contact_id)
    days = found.days
    assert (notice.state, notice.via, notice.message_row, notice.why, notice.evidence, notice.reminded_at) == (
        found.state,
        found.via,
        found.message_row,
        found.why,
        found.evidence,
        found.reminded_at,
    )
    stored = (notice.notified_on, notice.respond_by_on, notice.binding_on)
    assert stored == ((days.notified_on, days.respond_by_on, days.binding_on) if days else (None, None, None))
    assert bool(notice.computation) is (days is not None)
    if days is not None:
        assert days == clocks.on(session.get_one(Version, notice.version_id), days.notified_on).days


class Life:
    """Everything that may happen to one person and one version, by the real actions."""

    def __init__(self, session: Session, version: Version, person: Contact, chance: random.Random) -> None:
        self.session, self.version, self.person, self.chance = session, version, person, chance

    @property
    def notice(self) -> Notice:
        return notice_of(self.session, self.version, self.person)

    @property
    def message(self) -> Message:
        return message_of(self.session, self.version, self.person)

    def answered(self, at: datetime) -> None:
        message = self.message
        if message.state in (State.QUEUED, State.SENDING):
            message.state = self.chance.choice([State.ACCEPTED, State.ACCEPTED, State.REFUSED])
            message.settled_at = at
            self.session.flush()
            settle(self.session, message, message.state, at)

    def came_back(self, at: datetime) -> None:
        notices.bounced(self.session, self.message, at, "550 5.1.1")

    def shown(self, at: datetime) -> None:
        unreached.shown(self.session, self.notice, at, "shown by trac", at)

    def lettered(self, at: datetime) -> None:
        unreached.record_letter(self.session, self.notice, clocks.day_of(at), "item 1", "stf_1", at)

    def elsewhere(self, at: datetime) -> None:
        email = self.chance.choice([address.email for address in self.person.addresses])
        unreached.tell_at(self.session, self.notice, email, "stf_1", at)

    def moved(self, at: datetime) -> None:
        email = f"moved{self.chance.randrange(3)}@people.example"
        new = {"email": email, "reference": "a-1", "origin": Origin.ACCOUNT_HOLDER, "source": "test"}
        contacts.upsert(self.session, at=at, **new)  # type: ignore[arg-type]
        self.session.expire_all()
        notices.catch_up(self.session, at)

    def reminded(self, at: datetime) -> None:
        reminders.remind(self.session, clocks.day_of(at), at, days_before=29, answered=lambda _version: NOBODY)

    def agreed(self, at: datetime) -> None:
        agreement.agree(self.session, self.notice, "Yes.", "test", at)

    def corrected(self, at: datetime) -> None:
        wrong = self.chance.randrange(9)
        corrections.correct(self.session, self.version, {"en": f"Wrong {wrong}.", "nl": "Fout."}, "stf_1", at)

    def withdrawn(self, at: datetime) -> None:
        if self.chance.random() < 0.2:
            notices.withdraw(self.session, self.version, self.version.author_id or "", "A mistake.", at)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_row_is_where_the_facts_lead(session: Session, release: Release, seed: int) -> None:
    chance = random.Random(seed)
    person = factories.contact(session, "anna@people.example", reference="a-1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    mailing.state = MailingState.FANNED_OUT
    life = Life(session, version, person, chance)
    steps: list[Callable[[datetime], None]] = [
        life.answered,
        life.answered,
        life.came_back,
        life.shown,
        life.lettered,
        life.elsewhere,
        life.moved,
        life.reminded,
        life.agreed,
        life.corrected,
        life.withdrawn,
    ]
    at = AT
    for _ in range(24):
        at += timedelta(hours=chance.randrange(1, 40))
        with session.begin_nested() as step:
            try:
                chance.choice(steps)(at)
            except MailerError:
                step.rollback()  # what may not be done now changes nothing
        assert_replays(session, life.notice)
    assert len(facts.of(session, version.id, person.id)) >= 3
    assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 0, "no agreement grants marketing"


def test_a_batch_starts_all_its_clocks_with_one_entry_that_proves_each(session: Session, release: Release) -> None:
    people = [factories.contact(session) for _ in range(5)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    messages = [message_of(session, version, person) for person in people]
    late = AT + timedelta(days=1)
    answers = [Answered(one, State.ACCEPTED, late if n == 4 else AT) for n, one in enumerate(messages)]
    for answer in answers:
        assert isinstance(answer.mail, Message)
        answer.mail.state, answer.mail.settled_at = State.ACCEPTED, answer.at
    session.flush()
    settling.settled(session, answers, late)
    session.commit()
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.kind == "notices.accepted").order_by(LedgerEntry.seq)
    ).all()
    assert [json.loads(entry.subjects)["count"] for entry in entries] == [4, 1], "an entry a version and day"
    said = json.loads(entries[0].subjects)
    written = session.scalars(
        select(NoticeFact).where(NoticeFact.batch == said["batch"]).order_by(NoticeFact.message_row)
    ).all()
    days = Days(TODAY, *(clocks.on(version, TODAY).days.__dict__[name] for name in ("respond_by_on", "binding_on")))
    leaves = [rules.leaf(version.id, one.contact_id, ids.message_id(one.message_row or 0), days) for one in written]
    assert said["root"] == merkle_root(hashlib.sha256(leaf.encode()).hexdigest() for leaf in leaves)
    assert [one.at for one in written] == [AT] * 4, "each at the instant of its own answer"
    events = select(func.count()).select_from(Event).where(Event.kind == "notice.accepted")
    assert session.scalar(events) == 5
    for person in people:
        assert_replays(session, notice_of(session, version, person))
    settling.settled(session, answers, late)
    session.commit()
    assert session.scalar(events) == 5, "once more changes nothing"


def test_a_mail_put_off_for_long_is_noted_once_and_its_clock_starts_late(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    message = message_of(session, version, anna)

    def put_off(at: datetime) -> None:
        session.add(
            Attempt(message_row=message.row, at=at, route="a", outcome=Outcome.DEFERRED, code=451, reply="later")
        )
        session.flush()
        settling.settled(session, [Answered(message, State.QUEUED, at, is_deferred=True)], at)

    def noted() -> int:
        return [fact.kind for fact in facts.of(session, version.id, anna.id)].count(FactKind.DEFERRED)

    put_off(AT)
    put_off(AT + timedelta(hours=23))
    assert noted() == 0
    put_off(AT + timedelta(hours=24))
    put_off(AT + timedelta(hours=48))
    assert noted() == 1
    notice = accept(session, version, anna, AT + timedelta(days=4))
    assert notice.notified_on == TODAY + timedelta(days=4)
    assert notice.binding_on == EFFECTIVE_ON
