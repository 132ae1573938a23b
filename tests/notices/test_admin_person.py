"""One person and one version: everything that happened with each computation in words, and the ways back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, doorbell, ids
from mailer.admin.notices import timeline
from mailer.consent.rules import Withheld
from mailer.contacts import actions as contacts
from mailer.contacts.models import Address, Contact
from mailer.db import reading
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.notices import actions as notices
from mailer.notices import agreement
from mailer.notices.models import Notice
from mailer.notices.rules import FactKind, NoticeState
from mailer.outbox.models import Attempt
from mailer.outbox.rules import Outcome, State
from mailer.policies.models import Version
from mailer.staff.rules import Role
from mailer.terminations.rules import Timing
from tests import factories
from tests.conftest import Configure
from tests.notices.conftest import AT, TODAY, Release, accept, fan_out, message_of, settle

SignIn = Callable[..., FlaskClient]
Told = tuple[Version, Contact]


@pytest.fixture
def told(session: Session, release: Release, configure: Configure) -> Told:
    """A version on its way to Anna, and the clock two days on."""
    configure(demo=True)
    clock.move_to(AT + timedelta(days=2))
    anna = factories.contact(session, "anna@people.example", name="Anna de Vries")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    session.commit()
    return version, anna


def notice_of(session: Session, told: Told) -> Notice:
    session.expire_all()
    version, anna = told
    return session.scalars(select(Notice).where(Notice.version_id == version.id, Notice.contact_id == anna.id)).one()


def kept(told: Told) -> Notice:
    """The same as the doors left it."""
    with reading() as session:
        return notice_of(session, told)


def lose(session: Session, told: Told) -> None:
    """Anna's mail server refuses the mail."""
    message = message_of(session, *told)
    message.state, message.settled_at = State.REFUSED, AT
    session.flush()
    settle(session, message, State.REFUSED)
    session.commit()


def test_every_kind_of_fact_has_its_words() -> None:
    assert set(timeline._TEXTS) == set(FactKind)


def test_the_whole_story_is_told_in_its_order(session: Session, told: Told) -> None:
    version, anna = told
    message = message_of(session, version, anna)
    for minutes, outcome, reply in ((1, Outcome.DEFERRED, "451 Later."), (30, Outcome.ACCEPTED, "250 Taken.")):
        at = AT + timedelta(minutes=minutes)
        session.add(Attempt(message_row=message.row, at=at, route="relay", outcome=outcome, code=1, reply=reply))
    accept(session, version, anna, AT + timedelta(minutes=30))
    session.add(_mail(anna, message.row, AT + timedelta(hours=3)))
    session.add(factories.termination(version, anna, AT + timedelta(hours=3)))
    for day, automatic in ((TODAY, False), (version.effective_on, True), (version.effective_on, False)):
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        contacts.record_use(session, anna, day, at, "trac", automatic)
    session.flush()
    events = timeline.tell(session, version, notice_of(session, told), AT + timedelta(days=2))
    texts = [event.text for event in events]
    assert [event.at for event in events] == sorted(event.at for event in events)
    in_order = (
        "was released",
        "A mail to this person was made",
        "Try 1, by way of relay: the next server asked us to try again later",
        "took the notice",
        "read as: question",
        "The time to answer ends with Thursday 24 December 2026, 24:00",
        "Used trac: the first use since their binding day",
    )
    places = [next(at for at, text in enumerate(texts) if words in text) for words in in_order]
    assert places == sorted(places)
    assert any("A request to terminate, in time" in text for text in texts)
    accepted = next(event for event in events if "took the notice" in event.text)
    assert "The day itself does not count." in accepted.why
    ahead = [event.text for event in events if event.is_ahead]
    assert len(ahead) == 1, "the end of the window is still to come; whoever terminated in time will not be bound"


def said_of(client: FlaskClient, told: Told) -> str:
    """What the person's page says, without its marks."""
    page = client.get(f"/admin/notices/{told[0].id}/people/{told[1].id}").text
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(("timing", "is_bound"), [(Timing.IN_TIME, False), (Timing.LATE, True)])
def test_whoever_terminated_in_time_is_not_said_to_be_bound(
    signed_in: SignIn, session: Session, told: Told, timing: Timing, is_bound: bool
) -> None:
    accept(session, *told)
    ended = factories.termination(*told, AT)
    ended.timing = timing
    session.add(ended)
    session.commit()
    said = said_of(signed_in(Role.POLICY), told)
    assert ("Bound from Not bound. The person terminated." in said) is not is_bound
    assert ("From here on the version binds this person." in said) is is_bound
    people = signed_in(Role.POLICY).get(f"/admin/notices/{told[0].id}").text
    assert ("not bound" in people) is not is_bound


def test_a_consumer_is_said_to_be_bound_only_once_they_agree(signed_in: SignIn, session: Session, told: Told) -> None:
    contacts.set_consumer(session, told[1], True, AT, factories.staff(session).id)
    notice = accept(session, *told)
    session.commit()
    officer = signed_in(Role.POLICY)
    said = said_of(officer, told)
    assert "Bound from Not bound. A consumer is bound only once they agree." in said
    assert "the version binds this person" not in said
    assert "once they agree" in officer.get(f"/admin/notices/{told[0].id}").text
    agreement.agree(session, notice, "I agree.", "test", AT + timedelta(days=1))
    session.commit()
    assert "Bound from Fri 8 January 2027" in said_of(officer, told)
    agreed = officer.get(f"/admin/people/{told[1].id}").text
    assert "By a click" in agreed


def test_why_no_notice_went_out_is_said_in_words(signed_in: SignIn, session: Session, told: Told) -> None:
    message = message_of(session, *told)
    message.state, message.withheld = State.WITHHELD, Withheld.DEAD_ADDRESS
    session.flush()
    settle(session, message, State.WITHHELD)
    session.commit()
    assert "Not reached The address is known to be dead." in said_of(signed_in(Role.POLICY), told)


def test_what_came_back_is_said_on_every_page_of_the_person(signed_in: SignIn, session: Session, told: Told) -> None:
    accept(session, *told)
    message = message_of(session, *told)
    notices.bounced(session, message, AT + timedelta(hours=1), "5.1.1 no mailbox")
    message.bounced_at = AT + timedelta(hours=1)
    session.commit()
    officer = signed_in(Role.POLICY)
    said = said_of(officer, told)
    assert "Not reached It came back: 5.1.1 no mailbox . No clock runs" in said
    assert "accepted, then it came back" in said
    assert "it came back: 5.1.1 no mailbox" in officer.get(f"/admin/people/{told[1].id}").text


def test_what_came_back_is_told_with_the_words_of_the_server_and_stops_the_clock(session: Session, told: Told) -> None:
    version, anna = told
    accept(session, version, anna)
    notices.bounced(session, message_of(session, version, anna), AT + timedelta(hours=1), "5.1.1 no mailbox")
    events = timeline.tell(session, version, notice_of(session, told), AT + timedelta(days=2))
    bounce = next(event for event in events if "came back" in event.text)
    assert (bounce.quote, bounce.tone) == ("5.1.1 no mailbox", "bad")
    assert not [event for event in events if event.is_ahead]


def _mail(who: Contact, message_row: int, at: datetime) -> InboundMail:
    return InboundMail(
        id=ids.new("inb"),
        raw=b"Subject: How long?\r\n\r\n?",
        sha256="0" * 64,
        twin="0" * 64,
        sender="anna@people.example",
        recipient="privacy@company.example",
        door="test",
        received_at=at,
        state=DeskState.FOR_PERSON,
        kind=Kind.QUESTION,
        subject="How long?",
        contact_id=who.id,
        message_row=message_row,
    )


def test_a_letter_is_recorded_with_its_day_and_proof(signed_in: SignIn, session: Session, told: Told) -> None:
    lose(session, told)
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{told[0].id}/people/{told[1].id}"
    assert "Record the letter" in officer.get(here).text
    missing = officer.post(f"{here}/letter", data={"delivered_on": "2026-11-25"})
    assert (missing.status_code, 'href="#proof"' in missing.text) == (422, True)
    early = officer.post(f"{here}/letter", data={"delivered_on": "2026-11-01", "proof": "item 1"})
    assert (early.status_code, 'href="#delivered_on"' in early.text, "item 1" in early.text) == (422, True, True)
    assert kept(told).state is NoticeState.UNREACHED
    done = officer.post(f"{here}/letter", data={"delivered_on": "2026-11-25", "proof": "item RR1, signed for"})
    assert done.status_code == 303
    notice = kept(told)
    assert (notice.state, str(notice.notified_on)) == (NoticeState.ACCEPTED, "2026-11-25")
    page = officer.get(here).text
    assert "item RR1, signed for" in page
    assert "A letter was handed over on Wednesday 25 November 2026." in page
    assert "Record the letter" not in page
    again = officer.post(f"{here}/letter", data={"delivered_on": "2026-11-25", "proof": "item RR1"})
    assert (again.status_code, "not unreached any more" in again.text) == (409, True)


def test_the_notice_goes_to_another_address_on_file(
    redis_server: Redis, signed_in: SignIn, session: Session, told: Told
) -> None:
    lose(session, told)
    officer, here = signed_in(Role.OPERATOR), f"/admin/notices/{told[0].id}/people/{told[1].id}"
    assert "No other address is on file" in officer.get(here).text
    email = "anna@home.example"
    session.add(
        Address(id=ids.new("adr"), contact_id=told[1].id, email=email, email_key=email, is_primary=False, created_at=AT)
    )
    session.commit()
    assert f'<option value="{email}">' in officer.get(here).text
    stranger = officer.post(f"{here}/tell", data={"email": "other@people.example"})
    assert (stranger.status_code, "not on file" in stranger.text) == (422, True)
    assert officer.post(f"{here}/tell", data={"email": email}).status_code == 303
    assert kept(told).state is NoticeState.PLANNED
    assert [job.func_name for job in doorbell.queue("essential").get_jobs()] == ["rq_jobs.deliver.deliver"]
    assert "goes out once more: other address" in officer.get(here).text


def test_who_only_looks_has_no_way_back_to_press(signed_in: SignIn, session: Session, told: Told) -> None:
    lose(session, told)
    here = f"/admin/notices/{told[0].id}/people/{told[1].id}"
    auditor = signed_in(Role.AUDITOR)
    assert "Record the letter" not in auditor.get(here).text
    for way in ("letter", "tell"):
        assert auditor.post(f"{here}/{way}").status_code == 403
    for way in ("letter", "tell"):
        unknown = signed_in(Role.POLICY).post(
            f"/admin/notices/{told[0].id}/people/con_0/{way}", data={"delivered_on": "2026-11-25", "proof": "x"}
        )
        assert unknown.status_code == 404
