"""A material version on its way to people, made through the real actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices import actions as notices
from mailer.notices import queries, settling
from mailer.notices.models import Notice
from mailer.notices.settling import Answered
from mailer.outbox import actions as outbox
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import State
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from mailer.policies.rules import approvals_needed
from tests import factories

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
EFFECTIVE_ON = date(2027, 1, 8)
TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
WORDING = Wording(
    TEXT,
    effective_on=EFFECTIVE_ON,
    summary="We keep your data for seven years.",
    why="The tax office asks for it.",
    impact="You will notice nothing.",
)
Release = Callable[..., tuple[Version, Mailing | None]]


@pytest.fixture
def release(session: Session) -> Release:
    """`release(wording)`: a version of a fresh policy, released by two people, with its mailing, if it has one."""

    def make(wording: Wording = WORDING) -> tuple[Version, Mailing | None]:
        author, *others = (factories.staff(session).id for _ in range(3))
        policy = factories.policy(session, at=AT - timedelta(days=300))
        draft = policies.draft(session, policy, wording.text, author, AT, wording)
        policies.submit(session, draft, author, AT)
        for other in others[: approvals_needed(wording.change_class)]:
            policies.approve(session, draft, other, AT)
        version = policies.release(session, draft, author, AT)
        return version, notices.plan(session, version, AT)

    return make


def fan_out(session: Session, mailing: Mailing, at: datetime = AT) -> None:
    """What the job does, slice by slice, to the end."""
    while outbox.fan_out_slice(session, mailing, at, size=2):
        notices.adopt(session, mailing, at)


def message_of(session: Session, version: Version, contact: Contact) -> Message:
    """The mail that carries one person's notice."""
    notice = queries.find(session, version.id, contact.id)
    assert notice is not None
    return session.scalars(select(Message).where(Message.row == notice.message_row)).one()


def settle(session: Session, message: Message, state: State, at: datetime = AT) -> None:
    """What the worker does with the answer to one mail."""
    settling.settled(session, [Answered(message, state, at)], at)


def accept(session: Session, version: Version, contact: Contact, at: datetime = AT) -> Notice:
    """The next server took this person's mail."""
    message = message_of(session, version, contact)
    message.state, message.settled_at = State.ACCEPTED, at
    session.flush()
    settle(session, message, State.ACCEPTED, at)
    notice = queries.find(session, version.id, contact.id)
    assert notice is not None
    return notice
