"""Compiled wording reads as the wording itself, whatever one recipient's values are (DESIGN §8)."""

from __future__ import annotations

import email.policy
import quopri
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.consent.rules import Channel
from mailer.delivery import compiled, compose, slots
from mailer.delivery.compiled import WrongBytes
from mailer.outbox.rules import MailKind
from tests.delivery.letters import CONTROLS, loose

COMMON = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID"]
MIME = ["MIME-Version", "Content-Type"]
SET = {
    Channel.ESSENTIAL: [*COMMON, "Auto-Submitted", *MIME],
    Channel.MARKETING: [*COMMON, "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", *MIME],
}
RELAXED = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
NAMES = ("greeting", "company", "respond_by_on", "leave_url")
ANY = st.text(st.characters(blacklist_categories=("Cs",)), max_size=200)
ONE_LINE = st.text(st.characters(blacklist_categories=("Cs", "Co"), blacklist_characters=CONTROLS), max_size=200)
TRICKY = st.text(st.sampled_from(" \t\n\r.=_?-aFromé名😀\x00\x0b\x85\u2028<&>\"'"), max_size=120)
WORDING = st.lists(ANY.map(slots.clean) | TRICKY | st.sampled_from(NAMES).map(slots.word), max_size=12)
VALUES = st.fixed_dictionaries(dict.fromkeys(NAMES, ANY | TRICKY))


def kept(pieces: list[str]) -> str:
    return slots.keep("".join(pieces))


def joined(made: compiled.Part, values: Mapping[str, str]) -> bytes:
    return b"".join(made.filled({name: compiled.quoted(values[name]) for name in made.names}))


def check_lines(body: bytes) -> None:
    """What every server and relay takes and leaves as it is."""
    assert body.count(b"\r") == body.count(b"\n") == body.count(b"\r\n")
    assert body.isascii()
    for line in body.split(b"\r\n"):
        assert len(line) <= 76, line
        assert not line.endswith((b" ", b"\t")), line
        assert not line.startswith((b".", b"From ")), line
    ended = body + b"--\r\n"
    assert RELAXED.canonicalize_body(ended) == ended


@settings(deadline=None, max_examples=300)
@given(WORDING, VALUES)
@example(["a", slots.word("company"), "b"], dict.fromkeys(NAMES, ""))
@example([slots.word("company")], dict.fromkeys(NAMES, ""))
@example([slots.word("company"), slots.word("greeting")], dict.fromkeys(NAMES, "x" * 76))
@example(["a\n", slots.word("company"), "\n.b"], dict.fromkeys(NAMES, "\n"))
@example(["a ", slots.word("company"), " b"], dict.fromkeys(NAMES, " "))
@example(["x" * 75 + "=" + "." * 300], dict.fromkeys(NAMES, ""))
@example(["From ", slots.word("company")], dict.fromkeys(NAMES, "From here"))
def test_joined_segments_decode_to_the_plain_rendering(pieces: list[str], values: dict[str, str]) -> None:
    wording = kept(pieces)
    body = joined(compiled.part(wording), values)
    check_lines(body)
    shown = slots.fill(wording, {name: slots.unix(value) for name, value in values.items()}, html=False)
    assert quopri.decodestring(body).decode().replace("\r\n", "\n") == shown


def test_a_literal_is_encoded_once_and_a_value_begins_its_line() -> None:
    made = compiled.part(slots.keep(f"Dear {slots.word('name')}, your {slots.word('company')}\nis here."))
    assert made.segments == (b"Dear=20=\r\n", b"", b"=\r\n, your=20=\r\n", b"", b"\r\nis here.")
    assert made.places == ((1, "name"), (3, "company"))


def test_the_same_wording_is_compiled_once_and_changed_wording_anew() -> None:
    letter = loose(text="One.\n")
    first = compiled.of(letter.content)
    assert compiled.of(loose(text="One.\n").content) is first
    letter.content.text = "Two.\n"
    assert b"".join(compiled.of(letter.content).segments).count(b"Two.") == 1


def test_no_more_contents_are_kept_than_fit() -> None:
    for number in range(compiled.KEPT_CONTENTS + 5):
        compiled.of(loose(text=f"Number {number}.\n").content)
    assert compiled.compile_body.cache_info().currsize <= compiled.KEPT_CONTENTS


def test_wording_that_would_read_otherwise_is_refused() -> None:
    wording = slots.keep(f"{slots.word('name')} and {slots.word('company')} meet. " * 4)
    made = compiled.part(wording)
    compiled.prove(made, wording, html=False)
    first, second, *rest = made.places
    last = made.segments[-1]
    wrong = {
        "exchanged slots": replace(made, places=((first[0], second[1]), (second[0], first[1]), *rest)),
        "lost wording": replace(made, segments=(*made.segments[:-1], last[:-2])),
        "a line too long": replace(made, segments=(*made.segments[:-1], last[:-1] + b"=20" * 30)),
        "a bare line feed": replace(made, segments=tuple(part.replace(b"\r\n", b"\n") for part in made.segments)),
        "a blank at the end of a line": replace(made, segments=(*made.segments[:-1], last.replace(b"=20", b" \r\n"))),
    }
    for bad in wrong.values():
        with pytest.raises(WrongBytes, match=r"^text: "):
            compiled.prove(bad, wording, html=False)


def read(data: bytes) -> EmailMessage:
    return BytesParser(policy=email.policy.default).parsebytes(data)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([MailKind.ADMINISTRATIVE, MailKind.CAMPAIGN]),
    ONE_LINE,
    WORDING,
    WORDING,
    ONE_LINE,
    VALUES,
    st.sampled_from([None, "<a.b+c@people.example>", "no message id", "<x@y>\r\nBcc: z@people.example"]),
)
def test_a_mail_is_read_by_the_standard_library_header_by_header_and_part_by_part(
    kind: MailKind,
    subject: str,
    text: list[str],
    html: list[str],
    name: str,
    facts: dict[str, str],
    in_reply_to: str | None,
) -> None:
    letter = loose(
        kind,
        subject=kept([subject, slots.word("topic_line")]),
        text=kept(text),
        html=kept(html),
        name=name,
        facts={**facts, "topic_line": name},
        in_reply_to=in_reply_to,
    )
    mail = compose.compose(letter)
    head, _, body = mail.data.partition(b"\r\n\r\n")
    check_lines(body.removesuffix(b"\r\n"))
    assert mail.data.endswith(b"--\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert mail.data.isascii()
    found = read(mail.data)
    expected = SET[kind.channel]
    if in_reply_to == "<a.b+c@people.example>":
        expected = [*COMMON, "In-Reply-To", "References", *expected[len(COMMON) :]]
        assert found["In-Reply-To"] == found["References"] == in_reply_to
    assert found.keys() == expected
    assert [defect for part in found.walk() for defect in part.defects] == []
    filled = {slot: slots.unix(value) for slot, value in compose.values(letter).items()}
    shown = compose.render(letter.content, filled)
    assert found["Subject"] == shown.subject == subject + name
    assert [address.addr_spec for address in found["To"].addresses] == ["anna@people.example"]
    assert found["From"] == "Company <service@company.example>"
    assert found["Reply-To"].addresses[0].domain == "reply.company.example"
    assert found["Message-ID"] == compose.message_id_header(letter)
    assert found["Date"].datetime == letter.dated_at
    if kind.channel is Channel.MARKETING:
        assert str(found["List-Unsubscribe"]).startswith(f"<{filled['leave_url']}>, <mailto:leave+")
    plain, marked = found.get_payload()
    for part, subtype, wanted in ((plain, "plain", shown.text), (marked, "html", shown.html)):
        assert part.keys() == ["Content-Type", "Content-Transfer-Encoding"]
        assert (part.get_content_type(), part.get_content_charset()) == (f"text/{subtype}", "utf-8")
        assert part.get_payload(decode=True).decode().replace("\r\n", "\n") == wanted
