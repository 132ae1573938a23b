"""The link in a notice that begins a termination: looking changes nothing, pressing asks at the primary address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, settings, signing
from mailer.clock import now
from mailer.db import reading, transaction
from mailer.inbound import effects
from mailer.notices import actions as notice_actions
from mailer.notices import queries as notices
from mailer.outbox.rules import MailKind
from mailer.staff.models import Task
from mailer.terminations import actions as termination_actions
from mailer.terminations.rules import State
from tests import factories
from tests.conftest import Configure
from tests.inbound.world import AT, Told, sent, terminations, told


@pytest.fixture
def jan(database: str) -> Told:
    with transaction() as session:
        return told(session)


@pytest.fixture
def path(jan: Told) -> str:
    return f"/terminations/start/{signing.sign(notices.TERMINATE, jan.message.id, jan.message.key_id)}"


def test_the_slot_of_a_notice_holds_this_link(jan: Told, path: str) -> None:
    with reading() as session:
        [mail] = factories.in_hand(session, [jan.message.row], AT)
        notice_actions.fill_in(session, [mail])
    assert mail.facts is not None
    assert mail.facts["terminate_url"] == f"{mail.content.url}{path}"


def test_looking_changes_nothing(client: FlaskClient, path: str) -> None:
    for ask in (client.get, client.head):
        assert ask(path).status_code == 200
    page = client.get(path).text
    assert "Zegt u uw gebruik van de dienst op?" in page
    assert "do 24 december 2026" in page
    assert "jan@example.nl" not in page
    with reading() as session:
        assert terminations(session) == []


@pytest.mark.parametrize(("days", "is_over"), [(0, False), (1, True)])
def test_after_the_last_day_the_page_says_that_the_time_is_over(
    client: FlaskClient, path: str, jan: Told, configure: Configure, days: int, is_over: bool
) -> None:
    configure(demo=True)
    assert jan.notice.respond_by_on is not None
    clock.move_to(clock.midnight(jan.notice.respond_by_on + timedelta(days=days), settings.current().zone))
    page = client.get(path).text
    assert ("De tijd om op deze wijziging te reageren is voorbij" in page) is is_over
    assert ("u kunt reageren tot en met do 24 december 2026" in page) is not is_over
    assert "Ik zeg op" in page


def test_pressing_asks_at_the_primary_address_once(client: FlaskClient, path: str, jan: Told) -> None:
    for _ in range(2):
        answer = client.post(path)
        assert answer.status_code == 303
    assert "Wij hebben u een link gemaild" in client.get(answer.headers["Location"]).text
    with reading() as session:
        [one] = terminations(session)
        assert (one.state, one.version_id) == (State.TO_BE_CONFIRMED, jan.notice.version_id)
        assert one.respond_by_on == jan.notice.respond_by_on
        [asked] = sent(session, MailKind.TERMINATION_CONFIRM)
        assert asked.to_address == "jan@example.nl"
        assert "via de link in ons bericht" in " ".join(asked.content.text.split())


def test_pressing_after_a_mail_is_the_same_termination(client: FlaskClient, path: str, jan: Told) -> None:
    with transaction() as session:
        effects.terminate_by_link(session, session.merge(jan.message), session.merge(jan.contact), AT)
    answer = client.post(path)
    assert client.get(answer.headers["Location"]).status_code == 200
    with reading() as session:
        assert len(terminations(session)) == 1


def test_who_ended_the_request_and_presses_again_is_heard_and_shown_to_a_person(
    client: FlaskClient, path: str, jan: Told
) -> None:
    client.post(path)
    with transaction() as session:
        [first] = terminations(session)
        termination_actions.close(session, first, now(), None)  # “it was not meant”
    answer = client.post(path)
    assert "Wij hebben genoteerd dat u opzegt" in client.get(answer.headers["Location"]).text
    client.post(path)
    with reading() as session:
        closed, again = terminations(session)
        assert (closed.state, again.state) == (State.CLOSED, State.FOR_PERSON)  # no second question within a week
        assert again.version_id == jan.notice.version_id
        [task] = session.scalars(select(Task))
        assert (task.kind, task.subject_id, task.contact_id) == ("termination", again.id, jan.contact.id)


def test_after_a_week_the_press_asks_again(session: Session) -> None:
    jan = told(session)
    closed = effects.terminate_by_link(session, jan.message, jan.contact, AT)
    termination_actions.close(session, closed, AT, None)
    again = effects.terminate_by_link(session, jan.message, jan.contact, AT + timedelta(days=8))
    assert (again.state, again.received_at) == (State.TO_BE_CONFIRMED, AT + timedelta(days=8))
    assert len(sent(session, MailKind.TERMINATION_CONFIRM)) == 2
    assert effects.terminate_by_link(session, jan.message, jan.contact, AT + timedelta(days=9)) is again


def test_what_is_recorded_already_is_said_so(client: FlaskClient, path: str) -> None:
    client.post(path)
    with transaction() as session:
        [one] = terminations(session)
        termination_actions.record(session, one, now())
    answer = client.post(path)
    assert "Uw opzegging is vastgelegd" in client.get(answer.headers["Location"]).text


def test_a_press_from_another_page_does_nothing(guarded_app: Flask, path: str) -> None:
    assert guarded_app.test_client().post(path).status_code == 400
    with reading() as session:
        assert terminations(session) == []


@pytest.mark.parametrize("token", ["x", "msg_0000000000001.abc", signing.__name__])
def test_links_that_are_not_ours_are_answered_alike(client: FlaskClient, database: str, token: str) -> None:
    reference = client.get("/terminations/start/not-a-token")
    for answer in (client.get(f"/terminations/start/{token}"), client.post(f"/terminations/start/{token}")):
        assert (answer.status_code, answer.text) == (404, reference.text)
