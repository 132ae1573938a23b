"""From when a version binds one person whose clock runs: their answer, or that they are a consumer, may change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices import agreement, clocks
from mailer.notices.models import Notice
from mailer.notices.rules import Days, NoticeState
from mailer.notices.standing import rules
from mailer.notices.standing.rules import Held
from mailer.policies.models import Version
from mailer.terminations import queries as terminations

TERMINATED = "The person terminated."
ONCE_AGREED = "A consumer is bound only once they agree."


@dataclass(frozen=True)
class Bound:
    """The first local day on which a version binds a person, None while there is none; `why` it is not the clock's."""

    on: date | None
    why: str = ""


def of(session: Session, version: Version, notice: Notice) -> Bound:
    """What a page says of one person and one version, by the rule of their standing."""
    if notice.state is not NoticeState.ACCEPTED:
        return Bound(None)
    if notice.notified_on is None or notice.respond_by_on is None or notice.binding_on is None:
        return Bound(None)
    contact, said = session.get_one(Contact, notice.contact_id), agreement.find(session, notice)
    held = Held(
        version_id=version.id,
        policy=version.policy.slug,
        number=version.number,
        effective_on=version.effective_on,
        is_noticed=True,
        state=notice.state,
        days=Days(notice.notified_on, notice.respond_by_on, notice.binding_on),
        agreed_on=clocks.day_of(said.at) if said is not None else None,
        terminated=bool(terminations.in_time_among(session, version.id, [contact.id])),
    )
    on = rules.bound_from(held, date.min, contact.is_consumer)
    if on == notice.binding_on:
        return Bound(on)
    return Bound(on, TERMINATED if held.terminated else ONCE_AGREED)
