"""Any bytes are read or refused with a reason; nothing breaks the reader (TRAPS 16)."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.inbound.child import read_here
from mailer.inbound.parse import MAX_BYTES, Unreadable, parse
from mailer.inbound.rules import Kind

from .letters import corpus, letter

COLLECTIONS = (
    "cpython-test-email", "extended-email-reply-parser", "flufl-bounce", "github-email-reply-parser",
    "mail-parser-reply", "php-bounce-handler", "sisimai-set-of-emails", "stalwart-mail-parser",
)  # fmt: skip


def nested(depth: int) -> bytes:
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return f"From: jan@example.nl\n{opened}\nx".encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"x" * (MAX_BYTES + 1), "larger than 10 MB"),
        (b"A: " + b"x" * 110_000 + b"\n\nx", "headers are larger"),
        (nested(60), "50 parts deep"),
        (nested(1_200), "nested too deeply"),
        (letter("--x\n\na\n" * 1_100, "Content-Type: multipart/mixed; boundary=x"), "more than 1000 parts"),
        (letter("x", "To: " + ", ".join(f"a{n}@example.nl" for n in range(201))), "more than 200 addresses"),
    ],
    ids=["size", "headers", "depth", "recursion", "parts", "addresses"],
)
def test_a_mail_over_a_limit_goes_to_a_person_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(raw)
    assert read_here(raw).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\xff\xfe\x00",
        letter("Ik zeg op", "To: " + "(" * 10_000),
        letter("x", "From: " + "(" * 10_000),
        letter("x", "Content-Type: text/plain" + "; a=b" * 5_000),
        letter("x", "Content-Type: text/plain; charset=punycode"),
        letter("x", "Content-Type: text/plain; charset=zip"),
        letter("x", "Subject: =?utf-8?b?!?= =?x?q?a?="),
        letter("x", "Date: Mon, 99 Foo 20255 99:99:99 +9999"),
        letter("<" * 50_000, "Content-Type: text/html"),
        letter("<table><tr><td>" * 2_000, "Content-Type: text/html"),
    ],
)
def test_odd_mail_is_read_all_the_same(raw: bytes) -> None:
    assert read_here(raw).mail is not None


def test_the_headers_that_matter_are_read() -> None:
    mail = parse(
        letter(
            "Dag",
            "From: =?utf-8?q?J=C3=A1n?= <Jan@Example.NL>",
            "To: Us <reply+k7abc@mail.example.com>",
            "Delivered-To: reply+k7abc@mail.example.com",
            "X-Original-To: postbus@mail.example.com",
            "Cc: eva@example.org",
            "Message-ID: <m1@example.nl>",
            "In-Reply-To: <n2@mail.example.com>",
            "References: <n1@mail.example.com>\r\n <n2@mail.example.com>",
            "Return-Path: <jan@example.nl>",
            "Date: Mon, 3 Nov 2025 10:00:00 +0100",
            "Subject: =?utf-8?q?Priv=C3=A9?= zaak",
        )
    )
    assert (mail.from_addresses, mail.from_name, mail.from_fault) == (("Jan@example.nl",), "Ján", None)
    assert mail.to[0] == "reply+k7abc@mail.example.com"
    assert {"postbus@mail.example.com", "eva@example.org"} <= set(mail.to)
    assert (mail.message_id, mail.subject, mail.return_path) == ("<m1@example.nl>", "Privé zaak", "jan@example.nl")
    assert mail.answers == ("<n2@mail.example.com>", "<n1@mail.example.com>")
    assert mail.date == datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
    assert mail.malformed is None


@pytest.mark.parametrize(
    ("field", "addresses", "faulty"),
    [
        ("jan@example.nl", ["jan@example.nl"], False),
        ("jan@example.nl (Jan)", ["jan@example.nl"], False),
        ('"Wit, Jan" <jan@example.nl>', ["jan@example.nl"], False),
        ("Jan de Wit <jan@example.nl>", ["jan@example.nl"], False),
        ("Wit, Jan <jan@example.nl>", ["jan@example.nl"], True),
        ("alice@example.org)bob@example.net", ["alice@example.org", "bob@example.net"], True),
        ("a@example.org, b@example.net", ["a@example.org", "b@example.net"], True),
        ("undisclosed", [], True),
        ("", [], True),
    ],
)
def test_a_from_field_is_read_strictly(field: str, addresses: list[str], faulty: bool) -> None:
    mail = parse(letter("x", f"From: {field}"))
    assert list(mail.from_addresses) == addresses
    assert (mail.from_fault is not None) is faulty


def test_a_mail_without_headers_is_kept_as_malformed() -> None:
    assert parse(b"\n\nIk zeg op").malformed == "there are no headers"


def test_text_is_preferred_and_attachments_are_names_only() -> None:
    body = (
        "--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\nContent-Type: text/plain\n\nplain\n"
        "--y\nContent-Type: text/html\n\n<p>html</p>\n--y--\n"
        '--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename="a.txt"\n\nI terminate\n'
        "--x\nContent-Type: message/rfc822\n\nSubject: old\n\nI terminate\n--x--\n"
    )
    mail = parse(letter(body, "Content-Type: multipart/mixed; boundary=x"))
    assert mail.text == "plain"
    assert "html" in (mail.html or "")
    assert mail.attachments == ("a.txt", "message/rfc822")


def test_html_alone_is_read_with_its_quotation_marked() -> None:
    html = "<p>Ik zeg op</p><blockquote>Terms <blockquote>older</blockquote></blockquote>"
    mail = parse(letter(html, "Content-Type: text/html; charset=utf-8"))
    assert mail.text.startswith("Ik zeg op")
    assert "> Terms" in mail.text


def test_nothing_that_a_database_refuses_comes_out() -> None:
    raw = letter("a\0b", "Subject: =?utf-8?q?a=00b?=") + b"\xed\xa0\x80"
    mail = parse(raw)
    assert "\0" not in mail.text + mail.subject
    mail.text.encode("utf-8")


LONG = {
    "below a long quotation": letter("> x\n" * 200_000 + "\nIk zeg op."),
    "below a long style": letter("<style>" + "a{b:c}" * 150_000 + "</style>Ik zeg op.", "Content-Type: text/html"),
    "in a body with a name": letter("Ik zeg op.", "Content-Type: text/plain; name=answer.txt"),
    "in a body sent as an attachment": letter("Ik zeg op.", "Content-Disposition: attachment"),
}


@pytest.mark.parametrize("where", LONG)
def test_a_person_s_words_are_found(where: str) -> None:
    assert "Ik zeg op." in read_here(LONG[where]).visible_text


@pytest.mark.parametrize("name", COLLECTIONS)
def test_no_real_mail_breaks_the_reader(name: str) -> None:
    for file in sorted((corpus(name) / "raw").iterdir()):
        raw = file.read_bytes()
        for cut in (raw, raw[: len(raw) // 2], raw.replace(b"\n", b"\r\n")):
            reading = read_here(cut)
            assert "could not be judged" not in " ".join(reading.reasons), file.name
            assert "cannot be read" not in " ".join(reading.reasons), (file.name, reading.reasons)


@pytest.mark.parametrize("name", [name for name in COLLECTIONS if "reply" in name])
def test_no_person_s_reply_is_taken_for_a_machine_or_a_termination(name: str) -> None:
    folder = corpus(name)
    for entry in json.loads((folder / "manifest.json").read_text())["entries"]:
        raw = (folder / entry["file"]).read_bytes()
        whole = raw if entry["format"] == "eml" else letter() + raw
        assert read_here(whole).kind in (Kind.UNSURE, Kind.QUESTION), entry["file"]


def test_known_auto_replies_and_complaints_are_recognised() -> None:
    for name, wanted, kind in (
        ("sisimai-set-of-emails", "auto-reply", Kind.AUTO_REPLY),
        ("php-bounce-handler", "arf", Kind.COMPLAINT),
    ):
        folder = corpus(name)
        entries = json.loads((folder / "manifest.json").read_text())["entries"]
        files = [folder / entry["file"] for entry in entries if entry["kind"] == wanted]
        kinds = [read_here(file.read_bytes()).kind for file in files if file.exists()]
        assert kinds == [kind] * len(kinds)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_bytes_are_answered(headers: bytes, body: bytes) -> None:
    assert read_here(headers + b"\n\n" + body).kind in Kind
    assert read_here(b"Content-Type: multipart/report; boundary=x\nFrom:" + headers + b"\n\n--x\n" + body).kind in Kind
