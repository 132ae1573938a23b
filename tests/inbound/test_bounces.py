"""Bounces: found before anything else, and hard only where the status means it."""

import json

import pytest

from mailer.inbound.bounces import find_bounce, is_hard
from mailer.inbound.child import read_here
from mailer.inbound.parse import parse
from mailer.inbound.rules import Kind

from .letters import corpus, letter


def report(status: str, diagnostic: str = "", action: str = "failed") -> bytes:
    text = (
        "--x\n\nYour mail could not be delivered.\n--x\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; eva@example.org\nAction: {action}\nStatus: {status}\n"
        + (f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else "")
        + "\n--x--\n"
    )
    return letter(
        text,
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        "Return-Path: <>",
        "Auto-Submitted: auto-replied",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        subject="Undelivered Mail",
    )


HARD: tuple[tuple[str, str, bool | None], ...] = (
    ("5.1.1", "", True),
    ("5.1.1", "550 5.1.1 User unknown", True),
    ("5.1.2", "", True),
    ("5.1.3", "", True),
    ("5.1.6", "", True),
    ("5.1.10", "Domain accepts no mail", True),
    ("5.1.1", "550 rejected: listed as spam source", None),
    ("5.0.0", "550 no such user here", True),
    ("5.0.0", "550 5.1.1 no such user", True),
    ("5.0.0", "550 5.7.1 not allowed", False),
    ("5.0.0", "", None),
    ("5.1.0", "", None),
    ("5.2.1", "disabled", False),
    ("5.2.2", "mailbox full", False),
    ("5.4.4", "host not found", False),
    ("5.7.1", "policy", False),
    ("4.2.2", "mailbox full", False),
    ("4.1.1", "user unknown", False),
)


@pytest.mark.parametrize(("status", "diagnostic", "hard"), HARD)
def test_only_a_status_that_means_it_is_hard(status: str, diagnostic: str, hard: bool | None) -> None:
    reading = read_here(report(status, diagnostic))
    assert reading.kind is Kind.BOUNCE
    assert reading.bounce is not None
    assert reading.bounce.recipient == "eva@example.org"
    assert reading.bounce.hard is hard


def test_a_delay_is_never_hard() -> None:
    bounce = find_bounce(parse(report("5.1.1", "user unknown", action="delayed")))
    assert bounce is not None
    assert bounce.hard is False
    assert is_hard("5.1.1", "", delayed=True) is False


def test_a_report_of_success_is_automatic_but_no_bounce() -> None:
    reading = read_here(report("2.0.0", action="delivered"))
    assert (reading.kind, reading.bounce) == (Kind.AUTO_REPLY, None)


def test_a_person_who_sends_a_bounce_on_has_not_bounced() -> None:
    quoted = "Ik kreeg dit terug:\n\n<eva@example.org>: host mx.example.org said: 550 5.1.1 User unknown\n\nKlopt dit?"
    reading = read_here(letter(quoted, "In-Reply-To: <a@b>", subject="Re: Undelivered Mail Returned to Sender"))
    assert reading.kind is Kind.QUESTION


def test_a_complaint_is_told_from_a_bounce() -> None:
    text = (
        "--x\n\nA complaint.\n--x\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
        "Original-Rcpt-To: eva@example.org\n\n--x--\n"
    )
    raw = letter(text, "Content-Type: multipart/report; report-type=feedback-report; boundary=x")
    reading = read_here(raw)
    assert reading.kind is Kind.COMPLAINT
    assert reading.mail is not None
    assert reading.mail.feedback is not None
    assert reading.mail.feedback.recipient == "eva@example.org"


def test_stated_recipients_of_real_bounces_are_found() -> None:
    folder = corpus("flufl-bounce")
    stated = found = wrongly_hard = hard = 0
    for entry in json.loads((folder / "manifest.json").read_text())["entries"]:
        expected = entry.get("expected", {})
        permanent, temporary = expected.get("union_permanent", []), expected.get("union_temporary", [])
        bounce = find_bounce(parse((folder / entry["file"]).read_bytes()))
        recipients = set(bounce.recipients) if bounce else set()
        stated += len({*permanent, *temporary})
        found += len({*permanent, *temporary} & recipients)
        hard += bool(bounce and bounce.hard)
        wrongly_hard += bool(bounce and bounce.hard and not permanent)
    print(f"\nflufl-bounce: {found} of {stated} recipients found, {hard} called hard, {wrongly_hard} of them wrongly")
    assert found >= 0.99 * stated
    assert wrongly_hard == 0
