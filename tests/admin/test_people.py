"""People: the list and one person."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from mailer import clock, db
from mailer.consent import actions as consent
from mailer.consent.rules import SuppressionReason
from mailer.contacts import actions as contacts
from mailer.contacts.rules import Origin
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.rules import NoticeState
from mailer.policies.models import Version
from mailer.staff.rules import Role
from mailer.terminations.models import Termination
from mailer.terminations.rules import State as TerminationState
from mailer.terminations.rules import Timing
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_both_standings_stand_side_by_side(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example", topics=["news"])
        factories.topic(session, "events")
    page = signed_in().get(f"/admin/people/{who.id}").text
    assert "Leaving newsletters does not stop them." in page
    assert "the person&#39;s own consent" in page
    assert "Yes, send me news." in page
    assert "never agreed to this topic" in page


def test_the_time_zone_is_said_or_that_it_is_not_known(signed_in: SignIn) -> None:
    with db.transaction() as session:
        known, unknown = factories.contact(session), factories.contact(session)
        known.time_zone = "America/New_York"
    client = signed_in()
    assert "America/New_York" in client.get(f"/admin/people/{known.id}").text
    assert "not told; the company’s counts" in client.get(f"/admin/people/{unknown.id}").text


def test_what_stands_against_mailing_is_said_with_its_reason(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example", topics=["news"])
        key = "anna@people.example"
        consent.suppress(session, key, SuppressionReason.HARD_BOUNCE, source="msg_1", at=clock.now())
    page = signed_in().get(f"/admin/people/{who.id}").text
    assert "Gets none" in page
    assert "The address is dead" in page
    assert "takes no mail; it gets none at all" in page


def test_an_erased_person_has_a_page_without_a_name(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example", topics=["news"])
        factories.message(session, who)
        contacts.erase(session, who, clock.now())
    client = signed_in()
    page = client.get(f"/admin/people/{who.id}").text
    assert "Anna" not in page
    assert "The person was erased" in page
    assert who.id not in client.get("/admin/people/").text


def test_pages_follow_each_other_and_filter_by_origin(signed_in: SignIn) -> None:
    with db.transaction() as session:
        for number in range(51):
            factories.contact(session, name=f"Person {number}")
        factories.contact(session, name="Third Party", origin=Origin.THIRD_PARTY)
    client = signed_in()
    first = client.get("/admin/people/").text
    assert first.count('<th scope="row">') == 50
    following = re.search(r'href="(/admin/people/\?before=[^"]+)"', first)
    assert following
    assert client.get(following[1]).text.count('<th scope="row">') == 2
    filtered = client.get("/admin/people/?origin=third_party").text
    assert filtered.count('<th scope="row">') == 1
    assert client.get("/admin/people/?origin=nonsense").status_code == 200


def test_csv_holds_what_is_shown_and_no_formula(signed_in: SignIn) -> None:
    with db.transaction() as session:
        factories.contact(session, "a@people.example", name="=HYPERLINK(1)")
    answer = signed_in().get("/admin/people/?format=csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(answer.text.lstrip("\ufeff").splitlines()))
    assert [(row["name"], row["email"]) for row in rows] == [("'=HYPERLINK(1)", "a@people.example")]


def test_an_unknown_person_is_not_found(signed_in: SignIn) -> None:
    assert signed_in().get("/admin/people/con_none").status_code == 404


def test_notices_and_terminations_stand_there_with_their_reasons(signed_in: SignIn) -> None:
    now, day = clock.now(), date(2026, 11, 24)
    with db.transaction() as session:
        who = factories.contact(session)
        factories.policy(session)
        version = session.scalars(select(Version)).one()
        dates = {"notified_on": day, "respond_by_on": date(2026, 12, 24), "binding_on": date(2027, 1, 8)}
        said = {"version_id": version.id, "contact_id": who.id}
        why = {"state": NoticeState.ACCEPTED, "computation": "30 days end on Thu 24 December."}
        session.add(Notice(updated_at=now, **why, **dates, **said))
        session.add(DeemedAgreement(notified_on=day, binding_on=day, used_on=day, at=now, **said))
        ended = {"state": TerminationState.RECORDED, "timing": Timing.IN_TIME, "received_at": now, "received_on": day}
        session.add(Termination(id="trm_1", source_id="inb_1", **said, **ended))
    page = signed_in().get(f"/admin/people/{who.id}").text
    assert "30 days end on Thu 24 December." in page
    assert "Fri 8 January 2027" not in page
    assert "not bound" in page
    assert "The person terminated." in page
    assert "By use" in page
    assert f"/admin/notices/{version.id}/people/{who.id}" in page
    assert "/admin/replies/terminations/trm_1" in page
    assert "In time" in page


def test_an_officer_says_who_is_a_consumer(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example")
    here, officer = f"/admin/people/{who.id}", signed_in(Role.POLICY)
    assert "Say: a consumer" in officer.get(here).text
    assert officer.post(f"{here}/consumer", data={"consumer": "yes"}).status_code == 303
    page = officer.get(here).text
    assert "This person is a consumer now." in page
    assert "agrees with a change only by saying so" in page
    officer.post(f"{here}/consumer", data={"consumer": "no"})
    assert "no consumer any more" in officer.get(here).text
    auditor = signed_in(Role.AUDITOR)
    assert "Say: a consumer" not in auditor.get(here).text
    assert auditor.post(f"{here}/consumer", data={"consumer": "yes"}).status_code == 403
