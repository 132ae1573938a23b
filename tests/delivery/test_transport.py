from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from mailer.delivery import routes, transport
from mailer.delivery.compose import Mail
from mailer.delivery.routes import BadRoute, Tls
from mailer.delivery.transport import BadPath, BareLineEnd, Connection, NoReply, Replies, Reply
from mailer.outbox.lanes import Answer
from mailer.outbox.rules import Outcome
from tests.delivery import sink

ACCEPTED, DEFERRED, REFUSED, IN_DOUBT = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.IN_DOUBT
TIMEOUT = 3.0


def mail(data: bytes = b"Subject: x\r\n\r\nHello\r\n", to: str = "anna@people.example") -> Mail:
    return Mail(data, "00", "bounce+x@reply.example", to)


def connect(url: str, timeout: float = TIMEOUT) -> Connection:
    return Connection(routes.parse(url, "essential"), timeout)


def send(url: str, *mails: Mail) -> list[Answer]:
    with connect(url) as connection:
        return [connection.send(one) for one in mails or (mail(),)]


def first(*replies: str, then: str) -> Callable[[str], str]:
    left = list(replies)
    return lambda _line: left.pop(0) if left else then


@pytest.mark.parametrize(
    ("told", "outcome", "code"),
    [
        ({}, ACCEPTED, 250),
        ({".": "451 4.3.0 later"}, DEFERRED, 451),
        ({".": "554 5.7.1 spam"}, REFUSED, 554),
        ({".": "421 4.3.2 closing"}, DEFERRED, 421),
        ({".": "drop"}, IN_DOUBT, 0),
        ({".": "354 what"}, IN_DOUBT, 354),
        ({".": "nonsense"}, IN_DOUBT, -1),
        ({"RCPT": "450 4.2.1 mailbox busy"}, DEFERRED, 450),
        ({"RCPT": "550 5.1.1 no such user"}, REFUSED, 550),
        ({"RCPT": "421 4.3.2 closing"}, DEFERRED, 421),
        ({"RCPT": "251 will forward"}, ACCEPTED, 250),
        ({"RCPT": "nonsense"}, DEFERRED, -1),
        ({"RCPT": "drop"}, DEFERRED, 0),
        ({"MAIL": "451 4.3.0 later"}, DEFERRED, 451),
        ({"MAIL": "550 5.7.1 not from you"}, DEFERRED, 550),
        ({"MAIL": "drop"}, DEFERRED, 0),
        ({"DATA": "451 4.3.0 later"}, DEFERRED, 451),
        ({"DATA": "554 5.6.0 no"}, REFUSED, 554),
        ({"DATA": "250 odd"}, DEFERRED, 250),
        ({"connect": "421 4.3.2 too busy"}, DEFERRED, 0),
        ({"connect": "554 5.7.1 go away"}, DEFERRED, 0),
        ({"connect": "drop"}, DEFERRED, 0),
    ],
)
def test_what_a_server_says_becomes_one_outcome(told: dict[str, str], outcome: Outcome, code: int) -> None:
    with sink.running(**told) as server:
        (answer,) = send(server.url)
        assert (answer.outcome, answer.code, answer.route) == (outcome, code, "essential")


@pytest.mark.parametrize(
    ("told", "down"),
    [
        ({"connect": "554 no"}, True),
        ({"MAIL": "530 5.7.0 sign in first"}, True),
        ({"MAIL": "451 later"}, False),
        ({"RCPT": "550 5.1.1 nobody"}, False),
        ({".": "drop"}, False),
    ],
)
def test_only_what_concerns_us_as_a_sender_takes_a_route_down(told: dict[str, str], down: bool) -> None:
    with sink.running(**told) as server, connect(server.url) as connection:
        connection.send(mail())
        assert connection.is_down is down


def test_a_server_that_is_not_there_takes_the_route_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with connect(f"smtp://127.0.0.1:{port}") as connection:
        answer = connection.send(mail())
        assert answer.outcome is DEFERRED
        assert answer.reply.startswith("could not connect")
        assert connection.is_down


def test_a_server_that_offers_no_starttls_gets_no_mail_in_the_clear() -> None:
    with sink.running() as server, connect(server.url.replace("smtp:", "smtp+starttls:")) as connection:
        assert connection.send(mail()).outcome is DEFERRED
        assert connection.is_down
        assert server.mails == []
        assert not [line for line in server.commands if line.startswith(("MAIL", "RCPT"))]


def test_a_server_whose_certificate_is_not_known_gets_no_mail() -> None:
    with sink.running(STARTTLS="220 go on") as server:
        server.extensions = ("STARTTLS",)
        with connect(server.url.replace("smtp:", "smtp+starttls:")) as connection:
            assert connection.send(mail()).outcome is DEFERRED
        assert server.mails == []


def test_a_silent_server_is_given_up_in_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        connect(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3) as connection,
    ):
        assert connection.send(mail()).outcome is DEFERRED
        assert connection.is_down


def test_one_connection_carries_many_mails_and_goes_on_after_a_refusal() -> None:
    with sink.running(RCPT=lambda line: "550 5.1.1 nobody" if "bad" in line else "250 ok") as server:
        answers = send(server.url, mail(), mail(to="bad@people.example"), mail())
        assert [answer.outcome for answer in answers] == [ACCEPTED, REFUSED, ACCEPTED]
        assert server.connections == 1
        assert len(server.mails) == 2


def test_a_kept_connection_that_was_closed_is_opened_again_for_the_same_mail() -> None:
    with sink.running(MAIL=first("250 ok", "421 4.7.0 enough mails", then="250 ok")) as server:
        answers = send(server.url, mail(), mail())
        assert [answer.outcome for answer in answers] == [ACCEPTED, ACCEPTED]
        assert server.connections == 2


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
        Reply(250, b"ok"),
        Reply(250, b"one\n\nthree"),
        Reply(354, b""),
        Reply(421, "4.3.2 grüße".encode()),
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
    assert transport.envelope("", "a+b=c@x.example") == (b"MAIL FROM:<>\r\n", b"RCPT TO:<a+b=c@x.example>\r\n")


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
    with sink.running() as server, connect(server.url) as connection:
        with pytest.raises(BareLineEnd):
            connection.send(mail(data))
        assert server.connections == 0


def test_the_bytes_on_the_wire_are_those_of_the_mail_with_dots_doubled() -> None:
    data = b"Subject: dots\r\n\r\n.\r\n..\r\n.hidden\r\nMAIL FROM:<x@y.example>\r\nend.\r\n"
    with sink.running() as server:
        assert [answer.outcome for answer in send(server.url, mail(data), mail())] == [ACCEPTED, ACCEPTED]
        assert server.mails[0] == transport.dot_stuff(data)
        assert server.mails[0].replace(b"\r\n..", b"\r\n.").removesuffix(b".\r\n") == data
        assert len(server.mails) == 2


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
