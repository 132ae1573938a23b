"""A release says what it will do before it does it; notices are watched person by person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.contacts import actions as contacts
from mailer.contacts.rules import Origin
from mailer.db import reading, transaction
from mailer.notices import actions as notices
from mailer.notices.models import Notice
from mailer.outbox.models import Mailing, Message, Parcel
from mailer.outbox.rules import State
from mailer.policies import actions as policies
from mailer.policies.models import Draft, Version
from mailer.staff.rules import Role
from tests import factories
from tests.conftest import Configure
from tests.notices.conftest import AT, WORDING, Release, accept, fan_out

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def approved(session: Session) -> Draft:
    """A draft that takes effect in ten days: too early for a material change."""
    author, other, at = factories.staff(session).id, factories.staff(session).id, clock.now()
    factories.contact(session, name="Anna de Vries")
    policy = factories.policy(session)
    day = clock.local_day(at, settings.current().zone)
    wording = replace(WORDING, effective_on=day + timedelta(days=10))
    draft = policies.draft(session, policy, wording.text, author, at, wording)
    policies.submit(session, draft, author, at)
    policies.approve(session, draft, other, at)
    session.commit()
    return draft


def count(table: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_release_is_told_first_refused_when_too_early_and_planned_with_its_mail(
    signed_in: SignIn, session: Session, approved: Draft
) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/policies/drafts/{approved.id}/release"
    page = officer.get(here).text
    assert "1 people" in page or "1 person" in page
    assert "The mail they get" in page
    read = {"seen": read_on(page)}
    early = officer.post(here, data=read | {"effective_on": approved.effective_on})
    assert early.status_code == 422
    assert "The earliest lawful date is" in early.text
    assert count(Version) == 1
    assert approved.effective_on is not None
    later = approved.effective_on + timedelta(days=40)
    answer = officer.post(here, data=read | {"effective_on": later})
    assert answer.status_code == 303
    with reading() as session:
        version = session.get_one(Version, session.scalars(select(Mailing.subject_id)).one())
    assert version.effective_on == later
    assert f"/admin/notices/{version.id}" in answer.headers["Location"]
    assert officer.post(here, data=read | {"effective_on": later}).status_code == 409
    assert officer.get("/admin/notices/").status_code == 200


def read_on(page: str) -> str:
    """The fingerprint of the draft that a page of a release shows."""
    found = re.search(r'name="seen"[^>]*value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_release_covers_only_what_its_page_showed(signed_in: SignIn, session: Session, approved: Draft) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/policies/drafts/{approved.id}/release"
    later = clock.local_day(clock.now(), settings.current().zone) + timedelta(days=60)
    read = read_on(officer.get(here).text)
    other = factories.staff(session).id
    policies.edit(session, approved, replace(WORDING, why="Tax.", effective_on=later), approved.author_id, clock.now())
    policies.submit(session, approved, approved.author_id, clock.now())
    policies.approve(session, approved, other, clock.now())
    session.commit()
    unread = officer.post(here, data={"effective_on": later})
    stale = officer.post(here, data={"effective_on": later, "seen": read})
    for answer in (unread, stale):
        assert (answer.status_code, "Read the draft again as it is now" in answer.text) == (409, True)
    faulty = officer.post(here, data={"effective_on": "soon", "seen": read})
    assert (faulty.status_code, read_on(faulty.text)) == (422, read), "a mistake elsewhere is no new reading"
    assert count(Version) == 1
    assert officer.post(here, data={"effective_on": later, "seen": read_on(stale.text)}).status_code == 303


def test_one_person_alone_is_refused_at_the_release(signed_in: SignIn, session: Session, approved: Draft) -> None:
    session.execute(Draft.__table__.update().values(summary="Edited behind the back."))
    session.commit()
    later = clock.now().date() + timedelta(days=60)
    officer, here = signed_in(Role.POLICY), f"/admin/policies/drafts/{approved.id}/release"
    answer = officer.post(here, data={"effective_on": later, "seen": read_on(officer.get(here).text)})
    assert (answer.status_code, "second person" in answer.text) == (409, True)


def test_the_sample_mail_is_the_real_one_with_sample_dates(
    signed_in: SignIn, session: Session, approved: Draft
) -> None:
    officer, here = signed_in(Role.POLICY), f"/admin/policies/drafts/{approved.id}/mail"
    html = officer.get(here)
    assert "frame-ancestors 'self'" in html.headers["Content-Security-Policy"]
    assert "for two years" in html.text
    assert "for seven years" in html.text
    text = officer.get(f"{here}?lang=nl&part=text").text
    assert "WOORD VOOR WOORD" in text
    assert "Uw laatste dag om op te zeggen" in text
    assert officer.get(f"{here}?lang=xx").status_code == 404
    assert count(Message) == 0


def test_notices_are_listed_filtered_and_explained(signed_in: SignIn, session: Session, release: Release) -> None:
    anna = factories.contact(session, "anna@people.example", name="Anna de Vries")
    factories.contact(session, "bas@people.example", name="Bas Smit")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    session.commit()
    officer, here = signed_in(Role.POLICY), f"/admin/notices/{version.id}"
    page = officer.get(here).text
    assert "Anna de Vries" in page
    assert "Bas Smit" in page
    told = officer.get(f"{here}?state=accepted").text
    assert ("Anna de Vries" in told, "Bas Smit" in told) == (True, False)
    found = officer.post(f"{here}/find", data={"words": "bas@"}).text  # by POST: an address stands in no URL
    assert ("Bas Smit" in found, "Anna de Vries" in found) == (True, False)
    assert "Nobody here" in officer.get(f"{here}?state=agreed&after=x").text
    assert "Nobody here" in officer.post(f"{here}/find", data={"words": "zzz"}).text
    person = officer.get(f"{here}/people/{anna.id}").text
    assert "The day itself does not count." in person
    assert officer.get(f"{here}/people/con_0").status_code == 404
    marketing = signed_in(Role.AUDITOR).get(here)
    assert marketing.status_code == 200


def test_a_withdrawal_counts_beforehand_who_was_told_at_an_earlier_address(
    signed_in: SignIn, session: Session, release: Release
) -> None:
    anna = factories.contact(session, "old@people.example", reference="a-1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    contacts.upsert(
        session, email="new@people.example", origin=Origin.ACCOUNT_HOLDER, at=AT, reference="a-1", source="test"
    )
    session.expire(anna)
    assert notices.catch_up(session, AT) == 1
    session.commit()
    page = signed_in(Role.POLICY).get(f"/admin/policies/versions/{version.id}/withdraw").text
    assert "<strong>1 person</strong> was told of it and gets a mail" in page


def test_a_withdrawal_wants_a_reason_and_the_word(
    signed_in: SignIn, session: Session, release: Release, configure: Configure
) -> None:
    configure(demo=True)
    clock.move_to(AT)  # whenever this runs, the sample version is pending
    anna = factories.contact(session)
    at = clock.now()
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing, at)
    accept(session, version, anna, at)
    session.commit()
    officer, here = signed_in(Role.POLICY), f"/admin/policies/versions/{version.id}/withdraw"
    assert "1 people" in officer.get(here).text or "1 person" in officer.get(here).text
    wrong = officer.post(here, data={"reason": "A mistake.", "confirm": "yes"})
    assert (wrong.status_code, "Type the word" in wrong.text, "A mistake." in wrong.text) == (422, True, True)
    assert officer.post(here, data={"reason": "A mistake.", "confirm": "withdraw"}).status_code == 303
    with reading() as session:
        assert session.scalars(select(Notice.state)).one() == "ended"
    assert officer.post(here, data={"reason": "A mistake.", "confirm": "withdraw"}).status_code == 409


def test_a_notice_that_said_something_wrong_goes_out_again_put_right(
    redis_server: Redis, signed_in: SignIn, session: Session, release: Release, configure: Configure
) -> None:
    configure(demo=True)
    clock.move_to(AT)
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    accept(session, version, anna)
    session.commit()
    officer, here = signed_in(Role.POLICY), f"/admin/policies/versions/{version.id}/correct"
    assert here in officer.get(f"/admin/notices/{version.id}").text
    assert "<strong>1 person</strong> was told" in officer.get(here).text
    right = {"words_en": "The date was wrong.", "words_nl": "De datum was fout.", "confirm": "correct"}
    for field in right:
        faulty = officer.post(here, data=right | {field: ""})
        assert (faulty.status_code, f'href="#{field}"' in faulty.text) == (422, True)
    assert officer.post(here, data=right).status_code == 303
    with reading() as session:
        assert session.scalars(select(Notice.state)).one() == "planned"
    assert here not in officer.get(f"/admin/notices/{version.id}").text, "while parcels of the first are left"
    with transaction() as session:
        session.execute(delete(Parcel))
    assert here in officer.get(f"/admin/notices/{version.id}").text
    assert "For 1 a mail waits" in officer.get(here).text
    assert officer.post(here, data=right).status_code == 409, "pressed twice"
    assert count(Message) == 2
    assert officer.post(here, data=right | {"words_en": "The day was wrong too."}).status_code == 303
    with reading() as session:
        sent = session.scalars(select(Message.state).order_by(Message.row)).all()
    assert sent == [State.ACCEPTED, State.WITHHELD, State.QUEUED], "only the last goes out"
    assert signed_in(Role.OPERATOR).get(here).status_code == 403
