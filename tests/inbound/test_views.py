"""The link in a notice that begins a termination: looking changes nothing, pressing asks at the primary address."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from mailer import signing
from mailer.db import reading, transaction
from mailer.delivery import compose
from mailer.inbound import effects
from mailer.outbox.rules import MailKind
from mailer.terminations.rules import State
from tests.inbound.world import AT, Told, sent, terminations, told


@pytest.fixture
def jan(database: str) -> Told:
    with transaction() as session:
        return told(session)


@pytest.fixture
def path(jan: Told) -> str:
    return f"/terminations/start/{signing.sign(compose.START, jan.message.id, jan.message.key_id)}"


def test_the_slot_of_a_notice_holds_this_link(jan: Told, path: str) -> None:
    with reading() as session:
        message = session.merge(jan.message, load=False)
        assert compose.values(message)["terminate_url"] == f"{message.content.url}{path}"


def test_looking_changes_nothing(client: FlaskClient, path: str) -> None:
    for look in (client.get, client.head):
        assert look(path).status_code == 200
    page = client.get(path).text
    assert "Zegt u uw gebruik van de dienst op?" in page
    assert "do 24 december 2026" in page
    assert "jan@example.nl" not in page
    with reading() as session:
        assert terminations(session) == []


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


@pytest.mark.parametrize("token", ["x", "msg_0000000000001.abc", signing.__name__])
def test_links_that_are_not_ours_are_answered_alike(client: FlaskClient, database: str, token: str) -> None:
    reference = client.get("/terminations/start/not-a-token")
    for answer in (client.get(f"/terminations/start/{token}"), client.post(f"/terminations/start/{token}")):
        assert (answer.status_code, answer.text) == (404, reference.text)
