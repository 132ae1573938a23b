from __future__ import annotations

import email.policy
import hashlib
import json
import re
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from mailer import signing
from mailer.consent import links
from mailer.consent.rules import Channel
from mailer.delivery import compose, content, slots, transport
from mailer.delivery.headers import UnsafeHeader
from mailer.outbox.outgoing import Outgoing
from mailer.outbox.rules import MailKind
from tests.conftest import Configure
from tests.delivery.letters import AT, letter, loose

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

COMMON = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID"]
MIME = ["MIME-Version", "Content-Type"]
ESSENTIAL = [*COMMON, "Auto-Submitted", *MIME]
MARKETING = [*COMMON, "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", *MIME]
LONG_URL = "https://mail." + "very-long-name-of-a-company." * 6 + "example"


def head(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[0]


def names(data: bytes) -> list[str]:
    """The header names as they stand on the wire, continuation lines aside."""
    return [line.split(b":")[0].decode() for line in head(data).split(b"\r\n") if line[:1] not in (b" ", b"\t")]


def parse(data: bytes) -> EmailMessage:
    return BytesParser(policy=email.policy.default).parsebytes(data)


def part(mail: EmailMessage, subtype: str) -> str:
    found = mail.get_body((subtype,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def line(data: bytes, name: str) -> str:
    (found,) = [text for text in head(data).split(b"\r\n") if text.startswith(f"{name}: ".encode())]
    return found.decode().removeprefix(f"{name}: ")


def check_wire(data: bytes) -> None:
    """CRLF only, 7 bits, lines under 998, as every mail must be."""
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
    assert data.isascii()
    assert b"\x00" not in data
    assert max(len(text) for text in data.split(b"\r\n")) < 998
    assert data.endswith(b"--\r\n")
    assert transport.dot_stuff(data) == data + b".\r\n", "the pump may write it as it is"


@pytest.mark.parametrize(
    ("kind", "expected"), [(MailKind.ADMINISTRATIVE, ESSENTIAL), (MailKind.CAMPAIGN, MARKETING)], ids=str
)
def test_a_mail_has_the_headers_that_were_set_and_no_other(
    session: Session, kind: MailKind, expected: list[str]
) -> None:
    mail = compose.compose(letter(session, kind=kind))
    check_wire(mail.data)
    assert names(mail.data) == expected
    assert mail.sha256 == hashlib.sha256(mail.data).hexdigest()
    assert mail.envelope_to == "anna@people.example"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (MailKind.NOTICE, "auto-generated"),
        (MailKind.ADMINISTRATIVE, "auto-generated"),
        (MailKind.TERMINATION_RECEIPT, "auto-replied"),
        (MailKind.TERMINATION_CONFIRM, "auto-replied"),
        (MailKind.ANSWER, None),
    ],
)
def test_a_machines_mail_says_so_and_a_persons_answer_does_not(
    session: Session, kind: MailKind, said: str | None
) -> None:
    message = letter(session)
    message.kind = kind
    assert parse(compose.compose(message).data)["Auto-Submitted"] == said


def test_the_standard_library_reads_back_what_was_written(session: Session) -> None:
    text = "Dear reader,\n.\n..dots\nFrom here  \nZoë – € 名前 " + "long " * 300 + "\n\ttab = equals"
    message = letter(
        session, subject="Grüße – 名前", body_text=text, body_html="<p>Zoë – 名前 &amp; more</p>", name="Zoë, O'Brien"
    )
    mail = compose.compose(message)
    check_wire(mail.data)
    read = parse(mail.data)
    shown = compose.render(message.content, compose.values(message))
    assert str(read["Subject"]) == shown.subject == "Grüße – 名前"
    assert part(read, "plain").rstrip("\n") == shown.text.rstrip("\n")
    assert part(read, "html").rstrip("\n") == shown.html.rstrip("\n")
    assert read["To"].addresses[0].display_name == "Zoë, O'Brien"
    assert read["To"].addresses[0].addr_spec == "anna@people.example"
    assert read["Date"].datetime == AT
    assert [defect for piece in read.walk() for defect in piece.defects] == []


def test_long_list_unsubscribe_and_references_stay_plain(session: Session, configure: Configure) -> None:
    configure(public_url=LONG_URL, reply_domain="reply." + "long-name." * 15 + "example")
    mail = compose.compose(letter(session, kind=MailKind.CAMPAIGN))
    leave = line(mail.data, "List-Unsubscribe")
    assert len(leave) > 400
    assert leave.startswith(f"<{LONG_URL}/u/")
    reply_to = "<" + "x" * 200 + "@people.example>"
    reply = compose.compose(letter(session, key="reply", in_reply_to=reply_to))
    assert line(reply.data, "References") == line(reply.data, "In-Reply-To") == reply_to
    for data in (mail.data, reply.data):
        check_wire(data)
        assert b"=?" not in head(data)


@pytest.mark.parametrize(
    "stranger",
    [
        "<a@b.example>\r\nBcc: x@y.example",
        "no brackets",
        "<" + "x" * 950 + "@b.example>",
        "<a b@c.example>",
        "<ü@b.example>",
        "<=?utf-8?q?=0D=0ABcc:x?=@b.example>",
        "<>",
    ],
)
def test_a_strangers_message_id_that_is_none_is_left_out(session: Session, stranger: str) -> None:
    mail = compose.compose(letter(session, in_reply_to=stranger))
    check_wire(mail.data)
    assert names(mail.data) == ESSENTIAL


def test_essential_mail_offers_leaving_in_the_footer_and_has_no_list_header(session: Session) -> None:
    message = letter(session)
    read = parse(compose.compose(message).data)
    assert not [name for name in read if name.lower().startswith("list-")]
    url = links.leave_url(message.content.url, message.contact_id, message.id, message.key_id)
    assert url in part(read, "plain")
    assert url in part(read, "html")
    assert "Leave newsletters; essential messages continue" in part(read, "plain")


def test_marketing_has_both_one_click_headers_and_their_link_is_the_readers_own(session: Session) -> None:
    message = letter(session, kind=MailKind.CAMPAIGN)
    data = compose.compose(message).data
    assert line(data, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    web, mailto = [entry.strip() for entry in line(data, "List-Unsubscribe").split(",")]
    said = links.read(links.LEAVE, web.strip("<>").rpartition("/")[2])
    assert (said.contact_id, said.message_id) == (message.contact_id, message.id)
    assert mailto.startswith("<mailto:leave+")
    assert signing.read_address(mailto.strip("<>").removeprefix("mailto:"), "leave") == message.id[4:]


def test_a_client_that_follows_the_conformance_cases_finds_one_click(
    session: Session, configure: Configure, shared: Path
) -> None:
    """RFC 8058 §3.1: exactly one https link, and the literal post header; the cases say what that reads as."""
    configure(public_url="https://mail.company.example")
    cases = json.loads((shared / "data/vectors/list-unsubscribe-conformance.json").read_text())["cases"]
    one_click = [case for case in cases if case["expected"]["kind"] == "OneClick"]
    assert one_click
    posts = {case["input"]["list_unsubscribe_post"].strip().lower() for case in one_click}
    data = compose.compose(letter(session, kind=MailKind.CAMPAIGN)).data
    assert line(data, "List-Unsubscribe-Post").lower() in posts
    offered = [entry.strip() for entry in line(data, "List-Unsubscribe").split(",")]
    assert [entry.startswith("<https://") for entry in offered] == [True, False]
    assert all(entry.startswith("<") and entry.endswith(">") and " " not in entry for entry in offered)


def test_the_same_message_is_the_same_bytes_also_after_a_rotation_of_keys(
    session: Session, configure: Configure
) -> None:
    old, new = "o" * 40, "n" * 40
    configure(secret_keys=old)
    message = letter(session, kind=MailKind.CAMPAIGN)
    first = compose.compose(message)
    assert compose.compose(message) == first
    configure(secret_keys=f"{new},{old}")
    assert compose.compose(message) == first
    configure(secret_keys=new)
    with pytest.raises(signing.KeyGone):
        compose.compose(message)


def test_a_second_try_of_the_same_day_is_the_same_mail_and_one_of_another_differs_by_its_date(session: Session) -> None:
    message = letter(session)
    message.dated_at = AT
    first = compose.compose(message)
    assert compose.compose(message) == first
    message.dated_at = AT + timedelta(hours=1)
    later = compose.compose(message)
    assert line(later.data, "Message-ID") == line(first.data, "Message-ID")
    assert later.sha256 != first.sha256
    assert later.data.replace(b"11:00:00 +0000", b"10:00:00 +0000") == first.data


@pytest.mark.parametrize(
    ("kind", "size", "digest"),
    [
        (MailKind.NOTICE, 1207, "415059ec7b07f3009003f36c9227ce629253493ace24c03160cd1b7be386a309"),
        (MailKind.CAMPAIGN, 1471, "cde0ed708fabbc7347ca01c8b090c8473f118d985391a8beab591d44f688edef"),
    ],
    ids=str,
)
def test_a_mail_of_the_last_release_has_the_same_bytes_now(
    database: str, configure: Configure, kind: MailKind, size: int, digest: str
) -> None:
    """Invariant 9, over releases: whoever changes this says in the change log that older mail now has other bytes."""
    configure(secret_keys="o" * 40)
    marked = f"{slots.word('greeting')}\n\nBy {slots.word('respond_by_on')}: = é.\n{slots.word('leave_url')}\n"
    one = loose(
        kind,
        subject=slots.keep(f"For {slots.word('company')}"),
        text=slots.keep(marked),
        html=slots.keep(f"<p>{marked}</p>"),
        name="Zoë, O'Brien",
        facts={"respond_by_on": "Thursday 24 December 2026"},
        in_reply_to="<a@people.example>",
    )
    mail = compose.compose(one)
    assert (len(mail.data), mail.sha256) == (size, digest)


def test_only_the_links_that_occur_are_signed(session: Session) -> None:
    message = letter(session)
    assert compose.values(message).keys() == slots.BASE
    assert compose.values(message, {"leave_url"}).keys() == slots.BASE - {"preferences_url"}
    assert compose.values(message, set()).keys() == slots.BASE - {"preferences_url", "leave_url"}


def test_the_date_is_that_of_the_row_in_utc_whatever_zone_it_is_read_in(session: Session) -> None:
    message = letter(session)
    at = AT + timedelta(minutes=17)  # no other test's: what was written once is kept
    message.dated_at = at.astimezone(ZoneInfo("Europe/Amsterdam"))
    first = compose.compose(message).data
    message.dated_at = at
    assert line(compose.compose(message).data, "Date") == line(first, "Date") == "Sun, 01 Mar 2026 10:17:00 +0000"


def test_the_identity_of_a_route_stands_in_every_place_of_the_contents_own(session: Session) -> None:
    message = letter(session, kind=MailKind.CAMPAIGN)
    own = compose.compose(message)
    message.sent_from, message.envelope_domain = "Other News <post@other.example>", "bounces.other.example"
    mail = compose.compose(message)
    assert line(mail.data, "From") == "Other News <post@other.example>"
    assert line(mail.data, "List-Id") == "<news.other.example>"
    for place in (line(mail.data, "Reply-To"), line(mail.data, "Message-ID").strip("<>"), mail.envelope_from):
        assert place.endswith("@bounces.other.example")
    assert line(mail.data, "List-Unsubscribe").endswith("@bounces.other.example>")
    assert compose.message_id_header(message) == line(mail.data, "Message-ID")
    for domain in (message.content.sender.rpartition("@")[2].strip(">"), message.content.reply_domain):
        assert domain.encode() in head(own.data)
        assert domain.encode() not in head(mail.data)


def test_our_addresses_and_message_id_name_the_message_and_cannot_be_guessed(session: Session) -> None:
    message = letter(session)
    mail = compose.compose(message)
    payload = message.id.removeprefix("msg_")
    assert signing.read_address(mail.envelope_from, "bounce") == payload
    assert signing.read_address(line(mail.data, "Reply-To").upper(), "reply") == payload
    assert signing.read_address(mail.envelope_from, "reply") is None
    assert len(mail.envelope_from.partition("@")[0]) <= 64
    identity = line(mail.data, "Message-ID")
    assert compose.read_message_id(identity) == message.row
    assert compose.read_message_id(identity.replace(payload, payload[:-1] + "z")) is None


INJECTIONS = [
    "=?UTF-8?Q?=0D=0ABcc:_x@example.com?=",
    "Anna\r\nBcc: x@example.com",
    "Anna\nBcc: x@example.com",
    "Anna\rBcc: x@example.com",
    "Anna\r\n\r\n<script>",
    "Anna\r\n Bcc: x@example.com",
    "Zoë\r\nBcc: x@example.com",
    "Anna\x00",
    "Anna\u2028Bcc: x@example.com",
    "Anna\x85Bcc: x@example.com",
    'Anna" <x@example.com>, "',
    "Anna\\",
    "Anna <x@example.com>,",
]


def letters_with(value: str) -> dict[str, Outgoing]:
    """A value that somebody supplied, in every place where one can stand."""
    marked = slots.keep(f"For {slots.word('wish')}, {slots.word('name')} of {slots.word('company')}.\n")
    wording = {"subject": marked.strip(), "text": marked, "html": marked, "facts": {"wish": "you"}}
    frozen = slots.clean(value)
    return {
        "name": loose(**{**wording, "name": value}),
        "company": loose(**{**wording, "company": value}),
        "facts": loose(**{**wording, "facts": {"wish": value}}),
        "subject": loose(**{**wording, "subject": frozen}),
        "text": loose(**{**wording, "text": frozen, "html": frozen}),
        "topic": loose(MailKind.CAMPAIGN, topic=value),
        "in_reply_to": loose(in_reply_to=value),
        "bracketed in_reply_to": loose(in_reply_to=f"<{value}@people.example>"),
        "sender": loose(sender=value),
        "name of the sender": loose(sent_from=f"{value} <a@company.example>"),
        "envelope_domain": loose(envelope_domain=value),
        "to_address": loose(to_address=f"{value}@people.example"),
    }


def check_harmless(place: str, one: Outgoing, value: str) -> None:
    """The mail has the headers that were set, or is refused; never one more."""
    try:
        mail = compose.compose(one)
    except UnsafeHeader:
        return
    check_wire(mail.data)
    expected = MARKETING if one.channel is Channel.MARKETING else ESSENTIAL
    if b"\r\nIn-Reply-To: " in mail.data:
        assert re.fullmatch(r"<[!-~]+>", line(mail.data, "References"))
        expected = [*COMMON, "In-Reply-To", "References", *expected[len(COMMON) :]]
    assert names(mail.data) == expected, (place, value)
    read = parse(mail.data)
    assert read.keys() == expected
    for header in ("From", "To", "Reply-To"):
        assert len(read[header].addresses) == 1, (place, value)
    if "to_address" not in place:
        assert read["To"].addresses[0].addr_spec == "anna@people.example", (place, value)
    if place == "name of the sender":
        assert read["From"].addresses[0].addr_spec == "a@company.example", value


@pytest.mark.parametrize("value", INJECTIONS, ids=ascii)
def test_no_value_makes_a_header_of_its_own(value: str, database: str) -> None:
    for place, one in letters_with(value).items():
        check_harmless(place, one, value)


def test_no_naughty_string_makes_a_header_of_its_own(shared: Path, database: str) -> None:
    for value in json.loads((shared / "data/vectors/blns.json").read_text()):
        for place, one in letters_with(value[:200]).items():
            check_harmless(place, one, value[:200])


def test_words_are_taken_wherever_words_may_stand_and_a_line_end_nowhere_in_the_header(database: str) -> None:
    taken: dict[str, list[str]] = {"Zoë O'Brien": [], "Zoë\r\nBcc: x@example.com": []}
    for value, places in taken.items():
        for place, one in letters_with(value).items():
            try:
                compose.compose(one)
            except UnsafeHeader:
                continue
            places.append(place)
    not_in_header = ["text", "in_reply_to", "bracketed in_reply_to"]  # the last two are left out of the mail
    anywhere = ["name", "company", "facts", "subject", *not_in_header, "name of the sender"]
    assert list(taken.values()) == [anywhere, not_in_header]


def test_values_are_escaped_in_html_and_bare_in_text(session: Session) -> None:
    message = letter(session, name="A<b>&\"'", greets=False)
    read = parse(compose.compose(message).data)
    assert "Dear A&lt;b&gt;&amp;&quot;&#x27;," in part(read, "html")
    assert "Dear A<b>&\"'," in part(read, "plain")


def test_a_fact_cannot_take_the_place_of_the_readers_own_link(session: Session) -> None:
    message = letter(session, facts={"leave_url": "https://evil.example", "email": "x@example.com"})
    assert b"evil.example" not in compose.compose(message).data


def test_a_slot_without_a_value_is_refused_by_name(session: Session) -> None:
    message = letter(session, body_text=f"Until {slots.word('respond_by_on')}.")
    with pytest.raises(slots.MissingSlot, match="respond_by_on"):
        compose.compose(message)


def test_a_mail_without_a_name_greets_well_in_both_languages(session: Session) -> None:
    for locale, words in (("en", "Hello,"), ("nl", "Hallo,")):
        message = letter(session, name="", key=locale, locale=locale)
        assert words in part(parse(compose.compose(message).data), "plain")


def test_the_preview_is_the_mail(session: Session) -> None:
    message = letter(session, kind=MailKind.CAMPAIGN, subject="Hello")
    shown = compose.preview(message.content, compose.values(message))
    assert shown == compose.render(message.content, compose.values(message))


def test_the_id_of_wording_is_its_own_digest(session: Session) -> None:
    facts = {"subject": "One", "preheader": "", "greets": False, "body_text": "x", "body_html": "<p>x</p>"}
    first = content.freeze(session, MailKind.ADMINISTRATIVE, "en", facts, AT, why="w")
    assert content.freeze(session, MailKind.ADMINISTRATIVE, "en", facts, AT, why="w") == first
    assert content.freeze(session, MailKind.ADMINISTRATIVE, "en", facts | {"subject": "Two"}, AT, why="w") != first
