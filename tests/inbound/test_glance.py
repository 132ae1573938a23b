"""The cheap look at the door: the same mail on two ways is one, two mails are two, and machines wait behind people."""

from __future__ import annotations

import time

import pytest

from mailer.inbound import glance

BODY = b"Ik zeg op\r\n"
HEAD = b"From: jan@example.nl\r\nMessage-ID: <1@example.nl>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\nSubject: Op\r\n"
OURS = frozenset({"privacy@leadmark.example", "@reply.leadmark.example"})


def test_what_servers_on_the_way_write_makes_no_other_mail() -> None:
    by_smtp = HEAD + b"\r\n" + BODY
    by_imap = b"Return-Path: <jan@example.nl>\r\nReceived: from a\r\n by b\r\n" + HEAD + b"X-Spam: no\r\n\r\n" + BODY
    unix = by_smtp.replace(b"\r\n", b"\n") + b"\n\n"
    folded = by_smtp.replace(b"Date: Tue, ", b"Date: Tue,\r\n ")
    assert len({glance.twin(raw) for raw in (by_smtp, by_imap, unix, folded)}) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Ik zeg op", b"Ik zeg niet op"),
        (b"jan@", b"eve@"),
        (b"<1@", b"<2@"),
        (b"Subject: Op", b"Subject: Vraag"),
        (b"24 Nov", b"25 Nov"),
    ],
)
def test_another_mail_under_the_same_message_id_is_another_mail(old: bytes, new: bytes) -> None:
    raw = HEAD + b"\r\n" + BODY
    assert glance.twin(raw) != glance.twin(raw.replace(old, new))


def test_the_topmost_of_two_headers_counts() -> None:
    added = b"From: eve@example.nl\r\n" + HEAD + b"\r\n" + BODY
    assert glance.twin(added) != glance.twin(HEAD + b"\r\n" + BODY)


def test_without_a_message_id_only_the_same_bytes_are_the_same_mail() -> None:
    one = b"From: jan@example.nl\r\n\r\n" + BODY
    assert glance.twin(one) == glance.twin(one)
    assert glance.twin(one) != glance.twin(b"X: 1\r\n" + one)


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: auto-replied",
        "auto-submitted:auto-generated",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "Content-Type: multipart/report; report-type=delivery-status",
        "Return-Path: <>",
        "List-Id: <a.b>",
        "X-Autoreply: yes",
        "X-Failed-Recipients: a@b.nl",
        "From: Mail Delivery <MAILER-DAEMON@example.nl>",
    ],
)
def test_what_looks_sent_by_a_machine_waits_behind_people(line: str) -> None:
    assert glance.is_machine(f"{line}\r\nSubject: x\r\n\r\nx".encode(), "a@b.nl")


@pytest.mark.parametrize("line", ["Auto-Submitted: no", "X-Autoreply: no", "Subject: Precedence: bulk", "X: 1"])
def test_a_persons_mail_does_not_wait(line: str) -> None:
    assert not glance.is_machine(f"{line}\r\nFrom: jan@example.nl\r\n\r\nPrecedence: bulk".encode(), "jan@example.nl")


def test_a_null_sender_waits() -> None:
    assert glance.is_machine(b"\r\n", "<>")


def test_the_recipient_is_an_address_of_ours_what_the_last_server_wrote_first() -> None:
    raw = b"To: Privacy@Leadmark.example, x@b.nl\r\nDelivered-To: bounce+y@reply.leadmark.example\r\n\r\n"
    assert glance.recipient(raw, OURS) == "bounce+y@reply.leadmark.example"
    assert glance.recipient(b"To: <Privacy@Leadmark.example>\r\n\r\n", OURS) == "Privacy@leadmark.example"
    assert glance.recipient(b"To: privacy@leadmark.example.evil.nl\r\n\r\nTo: privacy@leadmark.example", OURS) == ""


def test_the_envelope_sender_is_read_where_a_server_wrote_it() -> None:
    assert glance.return_path(b"Return-Path: <jan@example.nl>\r\n\r\n") == "jan@example.nl"
    assert glance.return_path(b"Return-Path: <>\r\n\r\n") == glance.NULL_PATH
    assert glance.return_path(b"Subject: x\r\n\r\nReturn-Path: <>") == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"a" * 3_000_000,
        b": x\r\n" * 300_000,
        b"a:" * 500_000,
        b"To: " + b"(" * 500_000,
        b"\r" * 500_000,
    ],
    ids=["nothing", "noise", "letters", "names", "colons", "brackets", "returns"],
)
def test_no_bytes_make_it_fail_or_take_long(raw: bytes) -> None:
    begun = time.process_time()
    glance.twin(raw)
    glance.is_machine(raw, "")
    glance.recipient(raw, OURS)
    glance.return_path(raw)
    assert time.process_time() - begun < 2
