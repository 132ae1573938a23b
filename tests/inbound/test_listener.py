"""The SMTP and LMTP door, spoken to over a socket: what it takes, refuses, keeps, and when it says yes."""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from mailer import settings
from mailer.db import reading
from mailer.inbound import listener
from mailer.inbound.desk import NULL_PATH
from mailer.inbound.models import InboundMail
from tests.certificates import make_certificate
from tests.conftest import Configure
from tests.front.processes import wait_for

PUBLIC = "privacy@leadmark.example"
MAIL = b"From: jan@example.nl\r\nSubject: Vraag\r\n\r\nHoe kan ik opzeggen?\r\n"
Open = Callable[[], tuple[str, int]]

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
# what some other server takes for the end of a mail; ours must read on
INNER_ENDS = [b"\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r\n\0.\r\n"]


@contextmanager
def _serving(config: settings.Settings) -> Iterator[tuple[str, int]]:
    loop, started = asyncio.new_event_loop(), threading.Event()
    servers: list[asyncio.Server] = []

    def run() -> None:
        asyncio.set_event_loop(loop)
        servers.append(loop.run_until_complete(listener.listen(config)))
        started.set()
        loop.run_forever()
        servers[0].close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    try:
        yield config.inbound_host, config.inbound_port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def opened(database: str, configure: Configure) -> Iterator[Open]:
    """Opens the door with the settings in force; closed after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_serving(configure(inbound_port=_free_port())))


def _kept() -> list[InboundMail]:
    with reading() as session:
        return list(session.scalars(select(InboundMail).options(undefer(InboundMail.raw))))


def _count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(InboundMail)) or 0


def test_a_mail_is_kept_byte_for_byte_before_the_sender_hears_yes(opened: Open) -> None:
    with smtplib.SMTP(*opened()) as client:
        assert client.sendmail("jan@example.nl", [PUBLIC], MAIL) == {}
        with reading() as session:
            row = session.scalars(select(InboundMail)).one()
            assert (row.raw, row.sender, row.recipient) == (MAIL, "jan@example.nl", PUBLIC)


@only_sqlite
def test_a_mail_to_two_of_our_addresses_is_kept_for_both(opened: Open) -> None:
    with smtplib.SMTP(*opened()) as client:
        client.sendmail("", [PUBLIC, "reply+x@reply.leadmark.example"], MAIL)
    assert {(row.recipient, row.sender) for row in _kept()} == {
        (PUBLIC, NULL_PATH),
        ("reply+x@reply.leadmark.example", NULL_PATH),
    }


@only_sqlite
@pytest.mark.parametrize(
    "address",
    [
        "jan@example.nl",
        "privacy@leadmark.example@example.nl",
        "jan%example.nl@leadmark.example",
        "x@reply.leadmark.example.evil.example",
        "@reply.leadmark.example:jan@example.nl",
    ],
)
def test_it_is_no_open_relay(opened: Open, address: str) -> None:
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        client.docmd("MAIL", "FROM:<a@b.nl>")
        code, _ = client.docmd("RCPT", f"TO:<{address}>")
    assert code >= 500
    assert _count() == 0


@only_sqlite
@pytest.mark.parametrize("raw", [b"only words", b"\x00\xff words", b"a" * 50_000, b"", b"line\nbare\n"])
def test_what_is_hardly_a_mail_is_kept(opened: Open, raw: bytes) -> None:
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        client.docmd("MAIL", "FROM:<a@b.nl>")
        client.docmd("RCPT", f"TO:<{PUBLIC}>")
        client.docmd("DATA")
        client.sock.sendall(raw + b"\r\n.\r\n")  # smtplib would mend it
        assert client.getreply()[0] == 250
    assert [row.raw for row in _kept()] == [raw + b"\r\n"]


@only_sqlite
def test_more_than_25_mb_is_refused_before_and_while_it_comes(opened: Open) -> None:
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:<a@b.nl> SIZE={listener.MAX_BYTES + 1}")[0] == 552
        client.docmd("MAIL", "FROM:<a@b.nl>")
        client.docmd("RCPT", f"TO:<{PUBLIC}>")
        code, _ = client.data(b"a" * 70 + b"\r\n" + (b"b" * 998 + b"\r\n") * 26_500)
        assert code == 552
        assert client.sendmail("a@b.nl", [PUBLIC], MAIL) == {}
    assert _count() == 1


@only_sqlite
def test_a_line_without_an_end_is_cut_off_and_not_gathered(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_LINE", 1_000_000)
    with socket.create_connection(opened(), timeout=5) as wire, wire.makefile("rb") as lines:
        lines.readline()
        for command in (b"HELO x", b"MAIL FROM:<a@b.nl>", b"RCPT TO:<%s>" % PUBLIC.encode(), b"DATA"):
            wire.sendall(command + b"\r\n")
            lines.readline()
        for piece in (b"a\r", b"\n", b"b" * 900_000, b"\r", b"\n", b"c\n" * 450_000):
            wire.sendall(piece)  # two long lines are none without an end, wherever they are cut
        with suppress(ConnectionError):  # and waiting in vain is another error
            wire.sendall(b"c\n" * 60_000)
            assert lines.readline() == listener.ENDLESS
            assert lines.readline() == b""
    assert _count() == 0


def _speak(address: tuple[str, int], inner: bytes) -> bytes:
    """Send one mail whose text holds `inner` and then a second envelope; everything the server answered."""
    smuggled = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<%s>\r\nDATA\r\nsmuggled\r\n.\r\n" % PUBLIC.encode()
    with socket.create_connection(address, timeout=10) as wire:
        lines = wire.makefile("rb")
        lines.readline()
        for command in (b"HELO x", b"MAIL FROM:<a@b.nl>", b"RCPT TO:<%s>" % PUBLIC.encode(), b"DATA"):
            wire.sendall(command + b"\r\n")
            lines.readline()
        wire.sendall(b"Subject: one\r\n\r\ntext" + inner + smuggled + b"QUIT\r\n")
        return lines.read()


@only_sqlite
@pytest.mark.parametrize("inner", INNER_ENDS, ids=repr)
def test_no_other_end_than_crlf_dot_crlf_ends_a_mail(opened: Open, inner: bytes) -> None:
    said = _speak(opened(), inner)
    assert said.count(b"250 2.0.0 Kept") == 1
    [row] = _kept()
    assert row.sender == "a@b.nl"
    assert b"smuggled" in row.raw


@only_sqlite
def test_no_known_smuggling_sequence_ends_a_mail(opened: Open, shared: Path) -> None:
    known = json.loads((shared / "data/vectors/smtp-smuggling-eod.json").read_text())["sequences_from_source"]
    address = opened()
    for sequence in known.values():
        assert _speak(address, sequence.encode()).count(b"250 2.0.0 Kept") == 1
    assert {row.sender for row in _kept()} == {"a@b.nl"}


def test_without_a_database_the_sender_is_asked_to_come_again(opened: Open, configure: Configure) -> None:
    configure(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2")
    with smtplib.SMTP(*opened()) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("jan@example.nl", [PUBLIC], MAIL)
    assert refused.value.smtp_code == 451


@only_sqlite
def test_lmtp_answers_once_for_each_recipient(opened: Open, configure: Configure) -> None:
    configure(inbound_protocol="lmtp")
    with smtplib.LMTP(*opened()) as client:
        client.ehlo()
        client.docmd("MAIL", "FROM:<a@b.nl>")
        client.docmd("RCPT", f"TO:<{PUBLIC}>")
        client.docmd("RCPT", "TO:<reply+x@reply.leadmark.example>")
        client.docmd("DATA")
        client.send(MAIL + b".\r\n")
        assert [client.getreply()[0], client.getreply()[0]] == [250, 250]
        assert client.noop()[0] == 250
    assert _count() == 2


@only_sqlite
def test_the_log_names_nobody(opened: Open, caplog: pytest.LogCaptureFixture, configure: Configure) -> None:
    configure(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2")
    with smtplib.SMTP(*opened()) as client, pytest.raises(smtplib.SMTPDataError):
        client.sendmail("jan@example.nl", [PUBLIC], MAIL)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("mailer")]
    assert ours
    assert not any("@" in line for line in ours)


# What a client may do


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of localhost and its key."""
    return make_certificate(tmp_path)


@only_sqlite
def test_starttls_is_offered_with_our_certificate(
    opened: Open, configure: Configure, certificate: tuple[Path, Path]
) -> None:
    configure(inbound_tls_cert=certificate[0], inbound_tls_key=certificate[1])
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        context = ssl.create_default_context(cafile=str(certificate[0]))
        context.check_hostname = False
        assert client.starttls(context=context)[0] == 220
        assert client.sendmail("jan@example.nl", [PUBLIC], MAIL) == {}
    assert _count() == 1


@only_sqlite
def test_what_was_said_before_tls_is_not_heard_in_it(
    opened: Open, configure: Configure, certificate: tuple[Path, Path]
) -> None:
    configure(inbound_tls_cert=certificate[0], inbound_tls_key=certificate[1])
    with socket.create_connection(opened(), timeout=10) as wire:
        _reply(wire)
        wire.sendall(b"EHLO x\r\n")
        _reply(wire)
        wire.sendall(b"STARTTLS\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<%s>\r\n" % PUBLIC.encode())
        assert _reply(wire).startswith(b"220")
        context = ssl.create_default_context(cafile=str(certificate[0]))
        context.check_hostname = False
        with context.wrap_socket(wire) as secret:
            secret.sendall(b"EHLO x\r\n")
            assert _reply(secret).startswith(b"250")
            secret.sendall(b"DATA\r\n")
            assert _reply(secret).startswith(b"503")


def _reply(wire: socket.socket) -> bytes:
    """The last line of the next answer; nothing after it is read."""
    line = b""
    while not (line.endswith(b"\n") and line[3:4] == b" "):
        line = (b"" if line.endswith(b"\n") else line) + wire.recv(1)
    return line


@only_sqlite
def test_a_renewed_certificate_counts_from_the_next_connection_on(
    opened: Open, configure: Configure, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    configure(inbound_tls_cert=certificate[0], inbound_tls_key=certificate[1])
    address = opened()
    first = _certificate_of(address)
    make_certificate(tmp_path)
    os.utime(certificate[0], ns=(1, 1))
    assert _certificate_of(address) != first


def _certificate_of(address: tuple[str, int]) -> bytes | None:
    with smtplib.SMTP(*address) as client:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.starttls(context=context)
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.getpeercert(binary_form=True)


@only_sqlite
def test_a_stranger_is_asked_to_come_later_and_a_relay_of_ours_is_not(opened: Open, configure: Configure) -> None:
    configure(inbound_relays="192.0.2.25/32", inbound_per_minute=2)
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        for number in range(2):
            client.sendmail("a@b.nl", [PUBLIC], MAIL + str(number).encode())
        assert client.docmd("MAIL", "FROM:<a@b.nl>")[0] == 450
    configure(inbound_relays="127.0.0.0/8")
    with smtplib.SMTP(*opened()) as client:
        client.ehlo()
        for number in range(5):
            client.sendmail("a@b.nl", [PUBLIC], MAIL + b"relay" + str(number).encode())
    assert _count() == 7


@only_sqlite
def test_one_client_has_so_many_connections_and_gets_another_when_one_ends(opened: Open, configure: Configure) -> None:
    configure(inbound_relays="192.0.2.25/32", inbound_connections=2)
    address = opened()
    first, second = socket.create_connection(address, timeout=10), socket.create_connection(address, timeout=10)
    assert (first.recv(3), second.recv(3)) == (b"220", b"220")
    with socket.create_connection(address, timeout=10) as third:
        assert third.makefile("rb").read().startswith(b"421")
    first.close()
    wait_for(lambda: _greeting(address).startswith(b"220"), "the place of the one that left stays taken", 5)
    second.close()


def _greeting(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, timeout=10) as wire:
        return wire.recv(3)


@only_sqlite
def test_only_what_a_relay_of_ours_brings_is_vouched_for(opened: Open, configure: Configure) -> None:
    for number, relays in enumerate(("127.0.0.0/8", "192.0.2.25/32")):
        configure(inbound_relays=relays)
        with smtplib.SMTP(*opened()) as client:
            client.sendmail("a@b.nl", [PUBLIC], MAIL + str(number).encode())
    assert [row.is_vouched for row in _kept()] == [True, False]


@only_sqlite
def test_bounces_to_the_domain_of_a_route_are_taken(opened: Open, configure: Configure, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(
        '[[route]]\nname = "bulk"\nchannel = "marketing"\nhost = "smtp.example.com"\n'
        'envelope_domain = "bounces.leadmark.example"\n'
        '[[route]]\nname = "duty"\nchannel = "essential"\nhost = "smtp.example.com"\n'
    )
    configure(routes=file)
    with smtplib.SMTP(*opened()) as client:
        client.sendmail("", ["bounce+x@bounces.leadmark.example"], MAIL)
    assert _count() == 1


@only_sqlite
def test_cut_at_any_byte_a_mail_without_a_yes_is_none_of_ours(opened: Open) -> None:
    address = opened()
    said = b"EHLO x\r\nMAIL FROM:<a@b.nl>\r\nRCPT TO:<%s>\r\nDATA\r\n" % PUBLIC.encode()
    whole = said + MAIL + b".\r\n"
    for end in range(1, len(whole), 3):
        with socket.create_connection(address, timeout=10) as wire:
            wire.sendall(whole[:end])
    wait_for(lambda: _greeting(address) == b"220", "the door is shut")
    assert _count() == 0
    with socket.create_connection(address, timeout=10) as wire:
        wire.sendall(whole)
        wait_for(lambda: _count() == 1, "the whole mail was not kept")
