"""The reply desk's own rules, as tables."""

from __future__ import annotations

import pytest

from mailer.inbound import desk
from mailer.inbound.rules import MACHINE, Kind


@pytest.mark.parametrize("kind", sorted(MACHINE))
def test_what_a_machine_sent_is_never_answered(kind: Kind) -> None:
    assert desk.why_not_answered(kind, "a@example.nl", auto=False)


@pytest.mark.parametrize(
    ("kind", "sender", "auto", "may"),
    [
        (Kind.QUESTION, "a@example.nl", False, True),
        (Kind.QUESTION, "", False, True),
        (Kind.QUESTION, "a@example.nl", True, False),
        (Kind.QUESTION, "<>", False, False),
        (Kind.UNREADABLE, "a@example.nl", True, True),
        (Kind.UNREADABLE, "<>", True, False),
        (Kind.SPOOF, "a@example.nl", False, False),
    ],
)
def test_who_is_answered(kind: Kind, sender: str, auto: bool, may: bool) -> None:
    assert (desk.why_not_answered(kind, sender, auto) is None) is may


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Vraag", "Re: Vraag"),
        ("Re: AW: Antw: Vraag", "Re: Vraag"),
        ("Vraag\r\nBcc: eve@example.nl", "Re: Vraag Bcc: eve@example.nl"),
        ("=?utf-8?q?=0D=0ABcc?=", "Re: = ?utf-8?q?=0D=0ABcc?="),
        ("", "Re:"),
        ("x" * 500, "Re: " + "x" * 196),
    ],
)
def test_the_subject_of_an_answer_is_one_plain_line(subject: str, answer: str) -> None:
    assert desk.answer_subject(subject) == answer


@pytest.mark.parametrize(
    ("message_id", "kept"),
    [
        ("<a@example.nl>", True),
        ("<é@example.nl>", False),
        ("<a\x01@example.nl>", False),
        ("<=?utf-8?q?=0D=0ABcc?=@example.nl>", False),
        ("<a b@example.nl>", False),
    ],
)
def test_a_foreign_message_id_stands_in_our_header_only_if_it_is_plain(message_id: str, kept: bool) -> None:
    assert desk.threadable(message_id) == (message_id if kept else "")


def test_text_is_stored_without_what_databases_refuse() -> None:
    assert desk.storable("a\x00b\udc80c") == "a\ufffdb?c"
