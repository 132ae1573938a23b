"""Bounces that say it in words only: whom, whether for good, and whether the mailbox is dead."""

import pytest

from mailer.inbound.child import read_here
from mailer.inbound.rules import Kind

from .letters import letter

DAEMON = ("From: Mail Delivery System <mailer-daemon@mx.example.org>", "Return-Path: <>")
ORIGINAL = (
    "\n\n------ This is a copy of your message ------\nX-Mailer: Sample 5.1.1\nTo: other@example.net\n"
    "550 no such user\n"
)


def said(text: str) -> bytes:
    return letter(text + ORIGINAL, *DAEMON, subject="Undelivered Mail Returned to Sender")


CASES: tuple[tuple[str, str, bool | None, bool], ...] = (
    ("<eva@example.org>:\n550 5.1.1 User unknown", "eva@example.org", True, True),
    ("The following address failed:\n  eva@example.org\n  no such mailbox here", "eva@example.org", True, True),
    ("Could not deliver to <eva@example.org>: mailbox is full", "eva@example.org", False, True),
    ("eva@example.org\n  552 over quota", "eva@example.org", False, True),
    ("eva@example.org\n  554 rejected", "eva@example.org", None, True),
    ("eva@example.org: Domain does not exist", "eva@example.org", True, True),
    ("Uw bericht kon niet worden bezorgd bij eva@example.org: dit adres bestaat niet", "eva@example.org", True, True),
    ("Not yet delivered to eva@example.org; we will keep trying for 4 days.", "eva@example.org", False, False),
    ("Warning: delivery to eva@example.org has been delayed.", "eva@example.org", False, False),
    ("Please contact postmaster@mx.example.org.\nIt could not be delivered.", "", None, True),
    ("<eva@example.org>: Host or domain name not found. Name service error", "eva@example.org", False, True),
    ("It failed for eva@example.org (running version 5.1.1.9)", "eva@example.org", None, True),
)


@pytest.mark.parametrize(("text", "recipient", "hard", "final"), CASES)
def test_words_tell_whom_and_whether_the_mailbox_is_dead(
    text: str, recipient: str, hard: bool | None, final: bool
) -> None:
    reading = read_here(said(text))
    assert reading.kind is Kind.BOUNCE
    assert reading.bounce is not None
    assert (reading.bounce.recipient, reading.bounce.hard, reading.bounce.final) == (recipient, hard, final)


def test_a_report_without_a_code_is_read_in_the_words_beside_it() -> None:
    text = (
        "--x\n\neva@example.org: this mailbox is over quota\n--x\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; eva@example.org\nAction: failed\n"
        "Status: 5.0.0\n\n--x--\n"
    )
    content = "Content-Type: multipart/report; report-type=delivery-status; boundary=x"
    bounce = read_here(letter(text, *DAEMON, content, subject="Undelivered")).bounce
    assert bounce is not None
    assert (bounce.hard, bounce.final) == (False, True)


NAMES = (
    ("Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>", "Onbestelbaar: Nieuwe voorwaarden"),
    ("MAILER-DAEMON@example.fr", "Echec de remise"),
    ("Mailer-Daemon <mailer-daemon@example.de>", "Unzustellbar: Nachricht"),
    ("Mail Delivery Subsystem <mailer-daemon@example.com>", "Delivery Status Notification (Failure)"),
    ("System Administrator <postmaster@example.org>", "Undeliverable: New terms"),
)  # fmt: skip


@pytest.mark.parametrize(("sender", "subject"), NAMES)
def test_mail_systems_are_known_by_their_names_and_subjects(sender: str, subject: str) -> None:
    bounce = read_here(letter("eva@example.org\n550 5.1.1 unknown user", f"From: {sender}", subject=subject)).bounce
    assert bounce is not None
    assert (bounce.recipient, bounce.status, bounce.hard) == ("eva@example.org", "5.1.1", True)


def test_a_server_that_answers_in_the_subject_has_bounced() -> None:
    text = "Your message could not be delivered to\neva@example.org\n"
    reading = read_here(
        letter(text, "From: mail@mx.example.org", subject="RE: New terms : non remis (delivery failed)")
    )
    assert reading.bounce is not None
    assert reading.bounce.recipient == "eva@example.org"


@pytest.mark.parametrize(
    "subject", ["Re: Undelivered Mail", "Delivery of my order", "Warning: my mail was delayed", "Returned mail?"]
)
def test_a_person_who_writes_about_a_bounce_has_not_bounced(subject: str) -> None:
    assert read_here(letter("Mijn mail kwam terug, wat nu?", subject=subject)).kind is Kind.QUESTION


@pytest.mark.parametrize("header", ["X-HmXmrOriginalRecipient: eva@example.org"])
def test_outlook_s_own_form_of_a_complaint_is_one(header: str) -> None:
    reading = read_here(letter("Our newsletter", header))
    assert reading.kind is Kind.COMPLAINT
    assert reading.mail is not None
    assert reading.mail.feedback is not None
    assert reading.mail.feedback.recipient == "eva@example.org"
