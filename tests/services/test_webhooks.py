"""Webhooks in: who is heard, what is said, and that it is said once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from mailer import clock
from mailer.consent import queries as consent
from mailer.consent.models import ConsentEvent
from mailer.contacts import queries as contacts
from mailer.contacts.models import Contact, ContactUse
from mailer.db import transaction
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox.models import Message
from mailer.policies.models import Version
from mailer.services import actions, queries
from mailer.services.models import ReceivedWebhook
from mailer.staff.models import Task
from mailer.terminations.models import Termination
from mailer.terminations.rules import State as TerminationState
from mailer.terminations.rules import Timing
from tests import factories
from tests.services.conftest import ANNA, Trac


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def error(answer: Any) -> dict[str, str]:
    found: dict[str, str] = answer.get_json()["error"]
    return found


def test_a_signed_call_is_kept_and_done(trac: Trac, session: Session) -> None:
    answer = trac.say("contact.upserted", ANNA)
    assert answer.status_code == 202
    contact = contacts.get_by_reference(session, "user-1")
    assert answer.get_json()["result"] == {"contact": contact.id}
    assert answer.get_json()["id"].startswith("whk_")


def test_a_repeat_gets_the_first_answer_and_has_no_second_effect(trac: Trac, session: Session) -> None:
    trac.say("contact.upserted", ANNA)
    data = {"reference": "user-1", "subject": "Ready", "body": "It is ready."}
    first = trac.say("message.requested", data, webhook_id="once")
    again = trac.say("message.requested", data, webhook_id="once")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.get_json() == again.get_json()
    assert count(session, Message) == 1


def test_one_webhook_id_of_two_services_is_two_calls(trac: Trac, make_service: Any, session: Session) -> None:
    other = make_service("other")
    assert trac.say("contact.upserted", ANNA, webhook_id="same").status_code == 202
    assert other.say("contact.upserted", ANNA, webhook_id="same").status_code == 202
    assert count(session, ReceivedWebhook) == 2


def test_two_that_come_at_the_same_instant_are_one(trac: Trac, session: Session) -> None:
    trac.say("contact.upserted", ANNA)
    data = {"reference": "user-1", "subject": "Ready", "body": "It is ready."}
    answers: list[Any] = []
    both = [threading.Thread(target=lambda: answers.append(say_anew(trac, data))) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]
    assert len({json.dumps(answer.get_json()) for answer in answers}) == 1
    assert count(session, Message) == 1


def test_two_calls_that_bring_the_same_person_at_the_same_instant_are_both_taken(trac: Trac, session: Session) -> None:
    answers: list[Any] = []
    together = threading.Barrier(6)

    def add(number: int) -> None:
        together.wait()
        answers.append(say_anew(trac, ANNA, kind="contact.upserted", webhook_id=f"call-{number}"))

    callers = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert [answer.status_code for answer in answers] == [202] * 6
    assert len({answer.get_json()["result"]["contact"] for answer in answers}) == 1
    assert (count(session, Contact), count(session, ReceivedWebhook)) == (1, 6)


def say_anew(trac: Trac, data: object, kind: str = "message.requested", webhook_id: str = "at-once") -> Any:
    caller = Trac(trac.id, trac.name, trac.secret, trac.token, trac.client.application.test_client())
    return caller.say(kind, data, webhook_id=webhook_id)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestRefusals:
    """Nothing is kept of a call that is refused."""

    def test_a_wrong_signature_and_an_unknown_service_get_the_same_answer(self, trac: Trac, session: Session) -> None:
        wrong = trac.say("contact.upserted", ANNA, secret="whsec_" + "B" * 44)
        unknown = trac.say("contact.upserted", ANNA, to="nobody")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.data == unknown.data
        assert count(session, ReceivedWebhook) == count(session, Contact) == 0

    def test_another_body_than_the_signed_one_is_refused(self, trac: Trac) -> None:
        assert trac.post(b'{"type": "x"}', signed_body=b'{"type": "y"}').status_code == 401

    def test_a_disabled_service_is_not_heard(self, trac: Trac) -> None:
        with transaction() as session:
            actions.disable(session, queries.get(session, trac.id), clock.now())
        assert trac.say("contact.upserted", ANNA).status_code == 401

    @pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
    def test_a_stale_call_is_told_so(self, trac: Trac, age: timedelta) -> None:
        answer = trac.say("contact.upserted", ANNA, age=age)
        assert answer.status_code == 401
        assert "five minutes" in error(answer)["message"]
        assert error(answer)["field"] == "webhook-timestamp"

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"webhook-id": "a", "webhook-timestamp": "hello", "webhook-signature": "v1,AAAA"},
            {"webhook-id": "a", "webhook-timestamp": "nan", "webhook-signature": "v1,AAAA"},
            {"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": ""},
            {"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": "rubbish"},
            {"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": "v1,a,b"},
            {"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": "v1,***"},
        ],
    )
    def test_headers_that_say_nothing_are_no_signature(self, trac: Trac, headers: dict[str, str]) -> None:
        now = str(int(datetime.now(UTC).timestamp()))
        told = {name: value.replace("NOW", now) for name, value in headers.items()}
        answer = trac.client.post("/webhooks/trac", data=b"{}", headers=told, content_type="application/json")
        assert answer.status_code == 401

    def test_one_good_signature_among_others_is_enough(self, trac: Trac) -> None:
        body = json.dumps({"type": "contact.upserted", "timestamp": "2026-11-02T09:30:00Z", "data": ANNA})
        at = datetime.now(UTC)
        good = Webhook(trac.secret).sign("a", at, body)
        headers = {
            "webhook-id": "a",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": f"v1,{'A' * 43}= v2,{'B' * 43}= {good}",
        }
        answer = trac.client.post("/webhooks/trac", data=body, headers=headers, content_type="application/json")
        assert answer.status_code == 202

    def test_a_body_of_2_mb_is_too_large(self, trac: Trac) -> None:
        answer = trac.post(b" " * 2_000_000)
        assert answer.status_code == 413

    def test_more_than_256_kb_is_too_large(self, trac: Trac) -> None:
        answer = trac.post(b" " * (256 * 1024 + 1))
        assert answer.status_code == 413
        assert "256 KB" in error(answer)["message"]

    def test_another_kind_of_content_is_refused(self, trac: Trac) -> None:
        assert trac.say("contact.upserted", ANNA, content_type="text/plain").status_code == 415

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"type": "contact.closed"}', b"[" * 200_000])
    def test_what_is_no_event_is_refused(self, trac: Trac, body: bytes) -> None:
        assert trac.post(body).status_code == 400

    def test_an_unknown_event_is_told_the_known_ones(self, trac: Trac) -> None:
        answer = trac.say("contact.exploded", {})
        assert answer.status_code == 422
        assert error(answer)["field"] == "type"
        assert "contact.upserted" in error(answer)["message"]

    @pytest.mark.parametrize(
        ("kind", "change", "field"),
        [
            ("contact.upserted", {"reference": None}, "reference"),
            ("contact.upserted", {"reference": ""}, "reference"),
            ("contact.upserted", {"reference": "\ud800"}, "reference"),
            ("contact.upserted", {"reference": "x" * 121}, "reference"),
            ("contact.upserted", {"email": "no address"}, "email"),
            ("contact.upserted", {"email": 5}, "email"),
            ("contact.upserted", {"email": "anna@people.example\r\nBcc: x@evil.example"}, "email"),
            ("contact.upserted", {"name": "=?UTF-8?Q?=0D=0ABcc:_x@example.com?="}, "name"),
            ("contact.upserted", {"origin": "friend"}, "origin"),
            ("contact.upserted", {"locale": "de"}, "locale"),
            ("contact.upserted", {"time_zone": "Amsterdam time"}, "time_zone"),
            ("contact.upserted", {"time_zone": 1}, "time_zone"),
            ("contact.active", {"used_at": "yesterday"}, "used_at"),
            ("contact.active", {"used_at": "2026-11-02T09:30:00"}, "used_at"),
            ("contact.active", {"used_at": "0001-01-01T00:00:00+14:00"}, "used_at"),
            ("contact.active", {"used_at": "1999-12-31T23:59:59Z"}, "used_at"),
            ("contact.active", {"used_at": 5}, "used_at"),
            ("contact.active", {"used_at": "2026-11-02T09:30:00Z", "automatic": "yes"}, "automatic"),
            ("announcement.shown", {"announcement": "for anna@people.example"}, "announcement"),
            ("announcement.shown", {"announcement": "x" * 61}, "announcement"),
            ("message.requested", {"subject": "Hello\nBcc: x", "body": "x"}, "subject"),
            ("message.requested", {"subject": "Hello", "body": ""}, "body"),
            ("message.requested", {"subject": "Hello", "body": "nul \0"}, "body"),
            ("message.requested", {"subject": "Hello", "body": "{{ password }}"}, "body"),
            ("message.requested", {"subject": "Hello", "body": "{{ ().__class__ }}"}, "body"),
        ],
    )
    def test_a_wrong_field_is_named(self, trac: Trac, kind: str, change: dict[str, Any], field: str) -> None:
        trac.say("contact.upserted", ANNA)
        data = {k: v for k, v in {**ANNA, **change}.items() if v is not None}
        answer = trac.say(kind, data)
        assert answer.status_code == 422
        assert error(answer)["field"] == field
        assert error(answer)["message"].startswith(field)

    def test_an_unknown_person_is_told_so_and_may_come_again(self, trac: Trac) -> None:
        answer = trac.say("contact.closed", {"reference": "user-1"}, webhook_id="late")
        assert answer.status_code == 404
        trac.say("contact.upserted", ANNA)
        assert trac.say("contact.closed", {"reference": "user-1"}, webhook_id="late").status_code == 202

    def test_use_in_the_future_is_refused(self, trac: Trac) -> None:
        trac.say("contact.upserted", ANNA)
        late = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        answer = trac.say("contact.active", {"reference": "user-1", "used_at": late})
        assert answer.status_code == 422
        assert error(answer)["field"] == "used_at"

    def test_a_get_says_how(self, trac: Trac) -> None:
        assert trac.client.get("/webhooks/trac").status_code == 405


class TestEffects:
    """What each event does."""

    def test_use_counts_on_the_local_day(self, trac: Trac, session: Session) -> None:
        trac.say("contact.upserted", ANNA)
        answer = trac.say("contact.active", {"reference": "user-1", "used_at": "2026-01-10T23:30:00Z"})
        assert answer.get_json()["result"]["used_on"] == "2026-01-11"  # half past midnight in Amsterdam
        assert count(session, ContactUse) == 1

    def test_consent_comes_with_wording_time_and_evidence(self, trac: Trac, session: Session) -> None:
        factories.topic(session)
        session.commit()
        trac.say("contact.upserted", ANNA)
        answer = trac.say("consent.granted", granted())
        assert answer.get_json()["result"]["withheld"] is None
        said = session.scalars(select(ConsentEvent)).one()
        assert (said.wording, said.source) == ("Yes, send me news.", "service trac")
        assert said.at == datetime(2026, 1, 10, 12, tzinfo=UTC)

    def test_consent_without_evidence_is_none(self, trac: Trac, session: Session) -> None:
        factories.topic(session)
        session.commit()
        trac.say("contact.upserted", ANNA)
        answer = trac.say("consent.granted", granted(evidence=" "))
        assert (answer.status_code, error(answer)["field"]) == (422, "evidence")

    def test_an_older_consent_that_comes_late_does_not_undo_a_leaving(self, trac: Trac, session: Session) -> None:
        factories.topic(session)
        session.commit()
        trac.say("contact.upserted", ANNA)
        trac.say("consent.granted", granted())
        assert trac.say("consent.withdrawn", {"reference": "user-1", "topic": "news"}).status_code == 202
        answer = trac.say("consent.granted", granted())
        assert answer.get_json()["result"]["withheld"] == "unsubscribed"
        contact = contacts.get_by_reference(session, "user-1")
        assert not consent.subscriptions(session, contact.id)["news"].is_subscribed

    def test_leaving_without_a_topic_is_leaving_all(self, trac: Trac, session: Session) -> None:
        factories.topic(session)
        session.commit()
        trac.say("contact.upserted", ANNA)
        trac.say("consent.granted", granted())
        answer = trac.say("consent.withdrawn", {"reference": "user-1"})
        assert answer.get_json()["result"]["stopped"] == ["news"]

    def test_a_third_party_person_never_consents(self, trac: Trac, session: Session) -> None:
        factories.topic(session)
        session.commit()
        trac.say("contact.upserted", {**ANNA, "origin": "third_party"})
        assert trac.say("consent.granted", granted()).status_code == 422

    def test_a_request_about_ones_data_is_a_task_with_ten_working_days(self, trac: Trac, session: Session) -> None:
        trac.say("contact.upserted", ANNA)
        data = {"reference": "user-1", "request": "access", "at": "2026-04-23T10:00:00Z", "text": "What do you hold?"}
        answer = trac.say("rights.requested", data)
        task = session.scalars(select(Task)).one()
        # from Thursday 23 April: neither that day, nor weekends, nor King's Day (27 April) count
        assert task.due_on == date(2026, 5, 8)
        told = {"contact": task.contact_id, "task": task.id, "due_on": "2026-05-08"}
        assert answer.get_json()["result"] == told

    def test_a_shown_announcement_goes_on_the_record(self, trac: Trac) -> None:
        trac.say("contact.upserted", ANNA)
        data = {"reference": "user-1", "announcement": "cmp_1", "shown_at": "2026-01-10T12:00:00Z"}
        assert trac.say("announcement.shown", data).status_code == 202

    def test_a_termination_with_no_notice_is_kept(self, trac: Trac, session: Session) -> None:
        trac.say("contact.upserted", ANNA)
        answer = trac.say("termination.received", {"reference": "user-1", "at": "2026-01-10T12:00:00Z"})
        assert answer.status_code == 202
        assert answer.get_json()["result"]["version"] is None

    @pytest.mark.parametrize("names_it", [True, False])
    def test_a_termination_answers_the_notice_the_person_has(
        self, trac: Trac, session: Session, names_it: bool
    ) -> None:
        trac.say("contact.upserted", ANNA)
        version = told_of_a_version(session, "privacy", respond_by_on=date(2026, 1, 9))
        data = {"reference": "user-1", "at": "2026-01-09T22:59:00Z"} | ({"version": version} if names_it else {})
        assert trac.say("termination.received", data).get_json()["result"]["version"] == version
        kept = session.scalars(select(Termination)).one()
        assert (kept.version_id, kept.timing, kept.state) == (version, Timing.IN_TIME, TerminationState.RECORDED)

    def test_a_termination_of_one_of_two_changes_is_not_guessed(self, trac: Trac, session: Session) -> None:
        trac.say("contact.upserted", ANNA)
        for slug in ("privacy", "terms"):
            told_of_a_version(session, slug, respond_by_on=date(2026, 1, 9))
        answer = trac.say("termination.received", {"reference": "user-1", "at": "2026-01-09T12:00:00Z"})
        assert answer.get_json()["result"]["version"] is None

    def test_a_termination_of_a_version_the_person_was_not_told_of_is_refused(self, trac: Trac) -> None:
        trac.say("contact.upserted", ANNA)
        data = {"reference": "user-1", "at": "2026-01-10T12:00:00Z", "version": "ver_unknown"}
        answer = trac.say("termination.received", data)
        assert (answer.status_code, error(answer)["field"]) == (422, "version")

    def test_a_closed_account_stays_closed_once(self, trac: Trac, session: Session) -> None:
        trac.say("contact.upserted", ANNA)
        assert trac.say("contact.closed", {"reference": "user-1"}).status_code == 202
        assert contacts.get_by_reference(session, "user-1").closed_at is not None


def told_of_a_version(session: Session, slug: str, respond_by_on: date) -> str:
    """The id of a version of which Anna has a notice."""
    policy = factories.policy(session, slug)
    version = session.scalars(select(Version.id).where(Version.policy_id == policy.id)).one()
    contact = contacts.get_by_reference(session, "user-1")
    session.add(
        Notice(
            version_id=version,
            contact_id=contact.id,
            state=NoticeState.ACCEPTED,
            respond_by_on=respond_by_on,
            updated_at=clock.now(),
        )
    )
    session.commit()
    return version


def granted(**changes: str) -> dict[str, str]:
    said = {"reference": "user-1", "topic": "news", "wording": "Yes, send me news.", "evidence": "form 7"}
    return said | {"at": "2026-01-10T12:00:00Z"} | changes
