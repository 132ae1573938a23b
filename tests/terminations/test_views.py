"""The confirm link: looking changes nothing, pressing records; forged links all look alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from mailer import signing
from mailer.db import reading, transaction
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.terminations import actions, queries
from mailer.terminations.rules import State
from tests import factories

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A request that waits for its confirmation, and the link that was mailed."""

    termination_id: str
    path: str


@pytest.fixture
def asked(database: str) -> Asked:
    with transaction() as session:
        made = actions.receive(
            session,
            contact=factories.contact(session, "jan@example.nl", locale="nl"),
            version=None,
            respond_by_on=None,
            received_at=AT,
            received_on=date(2026, 12, 1),
            source_id="inb_1",
            state=State.TO_BE_CONFIRMED,
            at=AT,
        )
    return Asked(made.id, f"/terminations/{signing.sign(queries.CONFIRM, made.id)}")


def _state(asked: Asked) -> State:
    with reading() as session:
        return queries.get(session, asked.termination_id).state


def _receipts() -> int:
    with reading() as session:
        return len(session.scalars(select(Message.row).where(Message.kind == MailKind.TERMINATION_RECEIPT)).all())


def test_looking_changes_nothing(client: FlaskClient, asked: Asked) -> None:
    for look in (client.get, client.head, client.options):
        assert look(asked.path).status_code == 200
    assert _state(asked) is State.TO_BE_CONFIRMED


def test_pressing_records_once_and_says_so(client: FlaskClient, asked: Asked) -> None:
    for _ in range(2):
        answer = client.post(asked.path)
        assert (answer.status_code, answer.headers["Location"]) == (303, asked.path)
    assert (_state(asked), _receipts()) == (State.RECORDED, 1)
    page = client.get(asked.path)
    assert "Uw opzegging is vastgelegd" in page.text
    assert "di 1 december 2026" in page.text
    assert "<button" not in page.text


def test_the_page_holds_nothing_of_the_person_and_is_not_kept(client: FlaskClient, asked: Asked) -> None:
    page = client.get(asked.path)
    assert "Zegt u uw gebruik van de dienst op?" in page.text
    assert '<html lang="nl"' in page.text
    assert "jan@example.nl" not in page.text
    assert "Anna" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_press_from_another_page_does_nothing(guarded_app: Flask, asked: Asked) -> None:
    assert guarded_app.test_client().post(asked.path).status_code == 400
    assert _state(asked) is State.TO_BE_CONFIRMED


def test_what_staff_closed_is_not_opened_by_the_link(client: FlaskClient, asked: Asked) -> None:
    with transaction() as session:
        actions.close(session, queries.get(session, asked.termination_id), AT, factories.staff(session).id)
    assert "gesloten" in client.get(asked.path).text
    assert client.post(asked.path).status_code == 409
    assert (_state(asked), _receipts()) == (State.CLOSED, 0)


@pytest.mark.parametrize("way", ["forged", "cut off", "another purpose", "nobody's", "empty"])
def test_links_that_are_not_ours_are_answered_alike(client: FlaskClient, asked: Asked, way: str) -> None:
    token = {
        "forged": asked.path.rpartition("/")[2][:-3] + "abc",
        "cut off": asked.path.rpartition("/")[2][:-1],
        "another purpose": signing.sign("leave", asked.termination_id),
        "nobody's": signing.sign(queries.CONFIRM, "trm_0000000000000"),
        "empty": "x",
    }[way]
    reference = client.get("/terminations/not-a-token")
    for answer in (client.get(f"/terminations/{token}"), client.post(f"/terminations/{token}")):
        assert answer.status_code == 404
        assert answer.text == reference.text
    assert _state(asked) is State.TO_BE_CONFIRMED


def test_who_did_not_mean_it_says_so_and_nothing_ends(client: FlaskClient, asked: Asked) -> None:
    for _ in range(2):
        assert client.post(asked.path, data={"not-meant": "yes"}).status_code == 303
    assert (_state(asked), _receipts()) == (State.CLOSED, 0)
    assert "Dit verzoek is gesloten" in client.get(asked.path).text


@pytest.fixture
def late(database: str) -> Asked:
    """A late termination that stands, and the offer in its receipt."""
    with transaction() as session:
        made = actions.receive(
            session,
            contact=factories.contact(session, "jan@example.nl", locale="nl"),
            version=None,
            respond_by_on=date(2026, 11, 30),
            received_at=AT,
            received_on=date(2026, 12, 1),
            source_id="inb_1",
            state=State.RECORDED,
            at=AT,
        )
    return Asked(made.id, f"/terminations/ordinary/{signing.sign(queries.ORDINARY, made.id)}")


def _is_ordinary(asked: Asked) -> bool:
    with reading() as session:
        return queries.get(session, asked.termination_id).ordinary_at is not None


def test_an_offer_is_looked_at_and_taken_up_by_a_press(client: FlaskClient, late: Asked) -> None:
    assert "Wilt u op de gewone manier opzeggen?" in client.get(late.path).text
    assert not _is_ordinary(late)
    for _ in range(2):
        assert client.post(late.path).headers["Location"] == late.path
    assert _is_ordinary(late)
    assert "U hebt opgezegd" in client.get(late.path).text
    assert "<button" not in client.get(late.path).text


def test_the_link_to_confirm_is_no_link_to_an_offer(client: FlaskClient, late: Asked) -> None:
    token = signing.sign(queries.CONFIRM, late.termination_id)
    assert client.get(f"/terminations/ordinary/{token}").status_code == 404
    assert client.post(f"/terminations/ordinary/{token}").status_code == 404
    assert not _is_ordinary(late)
