"""Whose mail it is: a token says that somebody saw our mail, a proof who wrote; one alone never speaks for a person."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer.inbound import matching
from mailer.inbound.parse import parse
from tests import factories
from tests.inbound.world import address, letter, told

PUBLIC = "privacy@leadmark.example"


def test_a_reply_address_finds_message_and_person(session: Session) -> None:
    jan = told(session)
    found = matching.match(session, jan.reply, parse(letter("Ja", to=jan.reply, proven=True)))
    assert (found.message, found.contact, found.by) == (jan.message, jan.contact, "reply address")
    assert found.token
    assert found.aligned
    assert not found.crossed


def test_a_reply_address_in_another_case_is_the_same(session: Session) -> None:
    jan = told(session)
    assert matching.match(session, jan.reply.upper(), None).contact is jan.contact


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_a_token_is_found_in_any_recipient_header(session: Session, header: str) -> None:
    jan = told(session)
    found = matching.match(session, PUBLIC, parse(letter("Ja", f"{header}: {jan.reply}")))
    assert found.contact is jan.contact
    assert found.token
    assert not found.aligned


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_our_message_id_is_found_among_others(session: Session, header: str) -> None:
    jan = told(session)
    found = matching.match(session, PUBLIC, parse(letter("Ja", f"{header}: <x@example.nl> {jan.message_id}")))
    assert (found.contact, found.by, found.token) == (jan.contact, "Message-ID", True)


def test_a_proven_sender_is_found_without_any_token(session: Session) -> None:
    jan = told(session)
    found = matching.match(session, PUBLIC, parse(letter("Ja", proven=True)))
    assert (found.contact, found.by, found.token, found.aligned) == (jan.contact, "sender", False, True)
    assert found.message is None


def test_an_unproven_sender_is_nobody(session: Session) -> None:
    told(session)
    assert matching.match(session, PUBLIC, parse(letter("Ja"))).contact is None


def test_a_proof_by_a_server_that_is_not_ours_is_none(session: Session) -> None:
    told(session)
    forged = "Authentication-Results: mx.elsewhere.example; dmarc=pass header.from=example.nl"
    assert matching.match(session, PUBLIC, parse(letter("Ja", forged))).contact is None


def test_nobody_is_found_by_subject(session: Session) -> None:
    jan = told(session)
    raw = letter("Ja").replace(b"Re: Wijziging", f"Re: {jan.message.id} {jan.contact.id}".encode())
    assert matching.match(session, PUBLIC, parse(raw)).contact is None


def test_a_forged_token_finds_nothing(session: Session) -> None:
    jan = told(session)
    forged = jan.reply.replace("@", "0@", 1)
    assert matching.match(session, forged, None).message is None
    swapped = jan.reply.replace("reply+", "bounce+")
    assert matching.match(session, swapped, None).message is None


def test_a_stranger_who_was_sent_a_copy_does_not_become_the_person(session: Session) -> None:
    jan = told(session)
    found = matching.match(session, jan.reply, parse(letter("Ik zeg op", sender="eve@example.nl", proven=True)))
    assert found.contact is jan.contact
    assert found.token
    assert not found.aligned


def test_a_known_person_who_answers_anothers_mail_is_who_wrote(session: Session) -> None:
    jan = told(session)
    eve = factories.contact(session, "eve@example.nl")
    found = matching.match(session, jan.reply, parse(letter("Ja", sender="eve@example.nl", proven=True)))
    assert found.contact is eve
    assert found.crossed
    assert not found.token


def test_a_leave_address_speaks_for_its_reader_whoever_writes(session: Session) -> None:
    jan = told(session)
    factories.contact(session, "eve@example.nl")
    raw = letter("unsubscribe", sender="eve@example.nl", proven=True)
    found = matching.match(session, address(jan.message, "leave"), parse(raw))
    assert (found.contact, found.word) == (jan.contact, "leave")
