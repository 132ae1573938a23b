"""The API: reads, tells ids and standings, and lets in nobody without a token."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer import clock
from mailer.db import transaction
from mailer.services import actions, queries
from tests import factories
from tests.services.conftest import ANNA, Trac


def test_a_contact_is_told_without_an_address(trac: Trac) -> None:
    trac.say("contact.upserted", ANNA)
    told = trac.get("/api/contacts/user-1")
    assert told.status_code == 200
    assert told.get_json()["origin"] == "account_holder"
    assert told.get_json()["time_zone"] is None
    assert "people.example" not in told.text
    assert "Anna" not in told.text


def test_a_contact_has_the_time_zone_that_was_told(trac: Trac) -> None:
    trac.say("contact.upserted", ANNA | {"time_zone": "America/New_York"})
    assert trac.get("/api/contacts/user-1").get_json()["time_zone"] == "America/New_York"


def test_the_standing_says_what_may_be_sent_and_what_binds(trac: Trac, session: Session) -> None:
    factories.policy(session)
    factories.contact(session, reference="user-2", topics=["news"])
    factories.topic(session, "events")
    session.commit()
    told = trac.get("/api/contacts/user-2/standing").get_json()
    assert told["essential"] == {"may": True, "withheld": None}
    assert told["marketing"]["news"] == {"may": True, "withheld": None}
    assert told["marketing"]["events"] == {"may": False, "withheld": "no_consent"}
    assert told["policies"] == [{"policy": "privacy", "in_force": 1, "pending": [], "notices": []}]
    assert told["terminations"] == []


def test_terminations_are_part_of_the_standing(trac: Trac) -> None:
    trac.say("contact.upserted", ANNA)
    trac.say("termination.received", {"reference": "user-1", "at": "2026-01-10T12:00:00Z"})
    [told] = trac.get("/api/contacts/user-1/standing").get_json()["terminations"]
    assert told["received_on"] == "2026-01-10"


def test_a_message_tells_where_it_stands(trac: Trac, session: Session) -> None:
    message = factories.message(session)
    session.commit()
    told = trac.get(f"/api/messages/{message.id}").get_json()
    assert (told["state"], told["kind"], told["attempts"]) == ("queued", "administrative", [])
    assert message.to_address not in str(told)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestTheDoor:
    """Who is let in, and what is not there."""

    @pytest.mark.parametrize("path", ["contacts/user-1", "contacts/user-1/standing", "messages/msg_0000000000001"])
    def test_nobody_reads_without_a_token(self, trac: Trac, path: str) -> None:
        for header in ("", "Bearer", "Bearer ", "Bearer wrong", f"Basic {trac.token}"):
            answer = trac.client.get(f"/api/{path}", headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert "error" in answer.get_json()

    @pytest.mark.parametrize(
        "path", ["contacts/nobody", "contacts/nobody/standing", "messages/msg_0000000000001", "messages/x"]
    )
    def test_what_is_not_there_is_404_in_json(self, trac: Trac, path: str) -> None:
        answer = trac.get(f"/api/{path}")
        assert answer.status_code == 404
        assert answer.get_json()["error"]["message"]

    def test_a_disabled_service_and_an_old_token_are_strangers(self, trac: Trac) -> None:
        with transaction() as session:
            actions.rotate(session, queries.get(session, trac.id), clock.now())
        assert trac.get("/api/contacts/nobody").status_code == 401

    def test_the_token_is_not_kept_readable(self, trac: Trac, session: Session) -> None:
        service = queries.get(session, trac.id)
        assert trac.token not in (service.token_hash, service.secret)
        assert len(service.token_hash) == 64

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_it_only_reads(self, trac: Trac, method: str) -> None:
        call = getattr(trac.client, method)
        assert call("/api/contacts/user-1", headers={"Authorization": f"Bearer {trac.token}"}).status_code == 405
