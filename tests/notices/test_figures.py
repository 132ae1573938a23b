"""The counts that triggers keep are the truth: whatever happens to notices, adding up equals counting."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from mailer.consent.rules import Withheld
from mailer.notices import actions as notices
from mailer.notices import figures
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice, NoticeCount
from mailer.notices.rules import NoticeState
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, TODAY, Release, accept, fan_out, message_of, settle

WHYS = ("", Withheld.DEAD_ADDRESS, Withheld.NO_ADDRESS, "the mail server refused the mail", "550 5.1.1 gone")
SENDS = {
    NoticeState.UNREACHED: {"the mail server refused the mail": "refused", "550 5.1.1 gone": "bounced", "": "bounced"}
}


def truth(session: Session, version_id: str) -> Counter[tuple[Any, ...]]:
    """The cells, counted row by row in Python."""
    found: Counter[tuple[Any, ...]] = Counter()
    for one in session.execute(select(Notice.__table__).where(Notice.version_id == version_id)):
        reason = SENDS[NoticeState.UNREACHED].get(one.why, one.why) if one.state is NoticeState.UNREACHED else ""
        days = one.notified_on, one.respond_by_on, one.binding_on
        since = quarter(one.updated_at) if one.state in (NoticeState.UNREACHED, NoticeState.ENDED) else None
        found[(one.state, one.via, reason, *days, since)] += 1
    for table, what in ((DeemedAgreement, "deemed"), (ExpressAgreement, "agreed")):
        for row in session.execute(select(table.__table__).where(table.version_id == version_id)):
            found[what, "", "", None, None, None, quarter(row.at)] += 1
    return found


def quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def kept(session: Session, version_id: str) -> Counter[tuple[Any, ...]]:
    found = figures.of(session, version_id, TODAY).cells
    cells = [(c.what, c.via, c.reason, c.notified_on, c.respond_by_on, c.binding_on, c.since) for c in found]
    assert len(set(cells)) == len(cells)
    return Counter({cell: one.n for cell, one in zip(cells, found, strict=True)})


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_notices_the_counts_equal_the_rows(session: Session, release: Release, seed: int) -> None:
    chance = random.Random(seed)
    people = [factories.contact(session) for _ in range(30)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for step in range(40):
        some = [one.id for one in chance.sample(people, chance.randint(1, 12))]
        at = AT + timedelta(minutes=17 * step)
        session.execute(
            chance.choice(
                [
                    update(Notice).values(_told(chance) | {"updated_at": at}),
                    update(Notice).values(_untold(chance) | {"updated_at": at}),
                    update(Notice).values(evidence="seen", updated_at=at),
                    update(Notice).values(via=chance.choice(["mail", "letter"])),
                ]
            ).where(Notice.contact_id.in_(some))
        )
        if step % 10 == 5:
            session.execute(delete(Notice).where(Notice.contact_id == some[0]))
            figures.fold(session)
    agreed = {"version_id": version.id, "at": AT + timedelta(minutes=50)}
    deemed = agreed | {"notified_on": TODAY, "binding_on": TODAY, "used_on": TODAY}
    clicked = agreed | {"source": "page", "wording_digest": "0" * 64}
    session.execute(insert(DeemedAgreement), [deemed | {"contact_id": one.id} for one in people[:7]])
    session.execute(insert(ExpressAgreement), [clicked | {"contact_id": one.id} for one in people[5:9]])
    assert kept(session, version.id) == truth(session, version.id)
    figures.fold(session)
    assert kept(session, version.id) == truth(session, version.id)


def _told(chance: random.Random) -> dict[str, Any]:
    day = TODAY + timedelta(days=chance.randint(0, 3))
    window = {"respond_by_on": day + timedelta(days=30), "binding_on": day + timedelta(days=45)}
    return {"state": NoticeState.ACCEPTED, "why": "", "notified_on": day} | window


def _untold(chance: random.Random) -> dict[str, Any]:
    state = chance.choice([NoticeState.PLANNED, NoticeState.UNREACHED, NoticeState.ENDED])
    why = chance.choice(WHYS) if state is NoticeState.UNREACHED else ""
    return {"state": state, "why": why, "notified_on": None, "respond_by_on": None, "binding_on": None}


def test_figures_say_where_people_stand(session: Session, release: Release) -> None:
    people = [factories.contact(session) for _ in range(4)]
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, people[0])
    accept(session, version, people[1], AT + timedelta(days=60))
    refuse(session, version, message_of(session, version, people[2]))
    accept(session, version, people[3])
    notices.bounced(session, message_of(session, version, people[3]), AT + timedelta(hours=15), "5.1.1")
    session.flush()
    found = figures.of(session, version.id, date(2027, 1, 10))
    assert (found.totals.concerned, found.totals.accepted, found.totals.unreached) == (4, 2, 2)
    assert found.unreached_by_reason == {"bounced": 1, "refused": 1}
    assert (found.may_answer, found.bound, found.bound_later_than(version.effective_on)) == (1, 1, 1)
    assert found.told_on() == {TODAY: 1, TODAY + timedelta(days=60): 1}
    span = found.span("respond_by_on")
    assert span is not None
    assert (span.first, span.last) == (date(2026, 12, 24), date(2027, 2, 22))
    assert figures.totals(session, [version.id, "ver_other"])[version.id] == found.totals
    assert found.since_on(ZoneInfo("Europe/Amsterdam"), NoticeState.UNREACHED) == {
        TODAY: 1,
        TODAY + timedelta(days=1): 1,
    }


def refuse(session: Session, version: Version, message: Message) -> None:
    message.state, message.settled_at = State.REFUSED, AT
    session.flush()
    settle(session, message, State.REFUSED)


def test_a_quarter_of_an_hour_is_exact_in_every_zone(session: Session) -> None:
    at = datetime(2026, 11, 24, 18, 20, tzinfo=UTC)  # 00:05 in Kathmandu, five past midnight
    session.add(NoticeCount(version_id="ver_x", what="unreached", via="mail", reason="bounced", since=quarter(at), n=2))
    session.flush()
    found = figures.of(session, "ver_x", TODAY)
    assert found.since_on(ZoneInfo("Asia/Kathmandu"), "unreached") == {date(2026, 11, 25): 2}


def test_a_version_nobody_was_told_of_has_no_numbers(session: Session) -> None:
    found = figures.of(session, "ver_none", TODAY)
    assert (found.totals.concerned, found.may_answer, found.span("notified_on")) == (0, 0, None)
