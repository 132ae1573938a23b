from __future__ import annotations

import pytest

from mailer.delivery import routes, transport
from mailer.delivery.routes import BadRoute, Tls
from mailer.delivery.transport import BadPath, BareLineEnd, NoReply, Replies, Reply
from mailer.outbox.outgoing import Answer
from mailer.outbox.rules import Outcome

DEFERRED, REFUSED = Outcome.DEFERRED, Outcome.REFUSED


def test_an_address_is_dead_when_the_status_says_so() -> None:
    said = [
        (REFUSED, "5.1.1 <a@b.example>: no such user", True),
        (REFUSED, "5.1.10 null MX", True),
        (REFUSED, "5.7.1 blocked", False),
        (REFUSED, "mailbox full", False),
        (REFUSED, "15.1.11", False),
        (DEFERRED, "4.1.1 5.1.1", False),
    ]
    for outcome, reply, dead in said:
        assert transport.says_dead(Answer(outcome, 550, reply, "r")) is dead, reply


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_replies_are_cut_out_of_whatever_pieces_come(size: int) -> None:
    said = b"250 ok\r\n250-one\r\n250-\r\n250 three\r\n354\r\n421 4.3.2 gr\xc3\xbc\xc3\x9fe\n"
    replies = Replies()
    heard = [reply for at in range(0, len(said), size) for reply in replies.read(said[at : at + size])]
    assert heard == [
        Reply(250, "ok"),
        Reply(250, "one\n\nthree"),
        Reply(354, ""),
        Reply(421, "4.3.2 grüße"),
    ]
    assert heard[-1].words == "4.3.2 grüße"


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n",
        b"\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"250_ok\r\n",
        b"\xb2\xb250 ok\r\n",
        b"250 " + b"x" * transport.REPLY_LINE + b"\r\n",
        b"250 " + b"x" * transport.REPLY_LINE,
        b"250-x\r\n" * transport.REPLY_LINES,
    ],
)
def test_what_is_no_reply_is_known_as_such(said: bytes) -> None:
    with pytest.raises(NoReply):
        list(Replies().read(said))


def test_a_reply_line_of_the_length_that_is_allowed_is_read() -> None:
    line = b"250 " + b"x" * 506 + b"\r\n"  # 512 octets, RFC 5321 §4.5.3.1.5
    assert [reply.code for reply in Replies().read(line)] == [250]


def test_half_a_reply_is_none() -> None:
    assert list(Replies().read(b"250 2.0.0 Ok")) == []


@pytest.mark.parametrize(
    "address", ["", "a b@x.example", "a@x.example>\r\nRSET", "a\n@x.example", "<a@x.example>", "é@x"]
)
def test_no_address_makes_a_command_of_its_own(address: str) -> None:
    with pytest.raises(BadPath):
        transport.envelope("bounce@reply.example", address)
    if address:
        with pytest.raises(BadPath):
            transport.envelope(address, "anna@people.example")


def test_a_mail_without_a_sender_has_an_empty_path() -> None:
    assert transport.envelope("", "a+b=c@x.example") == b"MAIL FROM:<>\r\nRCPT TO:<a+b=c@x.example>\r\nDATA\r\n"


@pytest.mark.parametrize(
    ("data", "block"),
    [
        (b"Hello\r\n", b"Hello\r\n.\r\n"),
        (b"Hello", b"Hello\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\n..b\r\n.c", b"a\r\n...b\r\n..c\r\n.\r\n"),
        (b"", b"\r\n.\r\n"),
        (b"a\r\n.", b"a\r\n..\r\n.\r\n"),
        (b"a.\r\n b.\r\n", b"a.\r\n b.\r\n.\r\n"),
    ],
)
def test_dots_are_doubled_and_the_block_ends_once(data: bytes, block: bytes) -> None:
    assert transport.dot_stuff(data) == block


@pytest.mark.parametrize(
    "data",
    [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"a\n\r\nb", b"a\r\n\n.\r\nMAIL FROM:<x@y>\r\n", b"\n", b"a\r", b".\0\r\n"],
)
def test_a_line_end_that_stands_alone_never_reaches_the_wire(data: bytes) -> None:
    with pytest.raises(BareLineEnd):
        transport.dot_stuff(data)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "user", "password"),
    [
        ("smtp://mx.example", "mx.example", 25, Tls.NONE, "", ""),
        ("smtp+starttls://me:s%40t@mx.example", "mx.example", 587, Tls.STARTTLS, "me", "s@t"),
        ("smtps://me:x@mx.example:4465", "mx.example", 4465, Tls.IMPLICIT, "me", "x"),
    ],
)
def test_a_route_is_read_from_its_address(url: str, host: str, port: int, tls: Tls, user: str, password: str) -> None:
    route = routes.parse(url, "essential")
    assert (route.host, route.port, route.tls, route.user, route.password) == (host, port, tls, user, password)


@pytest.mark.parametrize("url", ["http://mx.example", "mx.example:25", "smtp://", "smtp://me:secret@mx.example"])
def test_a_route_that_cannot_work_is_named_without_its_password(url: str) -> None:
    with pytest.raises(BadRoute, match=r"^MAILER_SMTP_ESSENTIAL: ") as refused:
        routes.parse(url, "essential")
    assert "secret" not in str(refused.value)
