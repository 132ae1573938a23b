"""kill -9 at any moment: nothing that was acknowledged is lost, and nothing is judged twice (invariants 5 and 10)."""

from __future__ import annotations

import random
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import undefer

from mailer.db import reading, transaction
from mailer.inbound import actions as inbound
from mailer.inbound.models import InboundArrival, InboundMail
from mailer.ledger.models import LedgerEntry
from mailer.outbox.rules import MailKind
from rq_jobs.read_mail import read_mail
from tests.conftest import Configure
from tests.front.processes import free_port, started, wait_for
from tests.inbound.imap_server import ImapServer, running
from tests.inbound.world import AT, letter, sent, terminations, told

PUBLIC = "privacy@leadmark.example"
CHANCE = random.Random(20261124)
READ = "from rq_jobs.read_mail import read_mail; read_mail()"


def _letter(name: object) -> bytes:
    return letter(f"Vraag {name}\r\n", message_id=f"<{name}@example.nl>")


def _kept() -> Counter[bytes]:
    """How often each mail is kept, by its bytes."""
    with reading() as session:
        return Counter(mail.raw for mail in session.scalars(select(InboundMail).options(undefer(InboundMail.raw))))


def _send_until_killed(port: int, begin: int, acknowledged: list[bytes], stop: threading.Event) -> None:
    number = begin
    with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        while not stop.is_set():
            raw = _letter(number)
            client.sendmail("jan@example.nl", [PUBLIC], raw)
            acknowledged.append(raw)
            number += 1


def _takes(port: int) -> bool:
    with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        return client.noop()[0] == 250
    return False


def test_a_listener_that_is_killed_lost_nothing_that_it_acknowledged(
    database: str, configure: Configure, tmp_path: Path
) -> None:
    port = free_port()
    configure(inbound_port=port)
    acknowledged: list[bytes] = []
    for round_ in range(4):
        with started("inbound", log=tmp_path / "log") as process:
            wait_for(lambda: _takes(port), "the listener did not start")
            before, stop = len(acknowledged), threading.Event()
            begin = 10_000 * round_
            sender = threading.Thread(target=_send_until_killed, args=(port, begin, acknowledged, stop))
            sender.start()
            wait_for(lambda before=before: len(acknowledged) > before, "nothing was acknowledged")  # type: ignore[misc]
            time.sleep(CHANCE.uniform(0, 0.2))
            process.kill()
            stop.set()
            sender.join(20)
    kept = _kept()
    assert [raw for raw in acknowledged if kept[raw] != 1] == []
    assert set(kept.values()) == {1}
    assert sum(kept.values()) - len(acknowledged) <= 4  # at most one a death, kept before its yes was heard


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ImapServer]:
    with running(tmp_path) as made:
        yield made


def test_a_reader_of_the_mailbox_that_is_killed_keeps_each_mail_once(
    database: str, configure: Configure, server: ImapServer, tmp_path: Path
) -> None:
    configure(inbound_port=free_port(), imap_url=server.url, imap_poll_seconds=1)
    mails = [_letter(number) for number in range(120)]
    server.put(*mails[:60])
    for _ in range(3):
        before = sum(_kept().values())
        with started("inbound", log=tmp_path / "log") as process:
            wait_for(lambda before=before: sum(_kept().values()) > before, "nothing was kept")  # type: ignore[misc]
            time.sleep(CHANCE.uniform(0, 0.1))
            process.kill()
    server.put(*mails[60:])
    with started("inbound", log=tmp_path / "log"):
        wait_for(lambda: len(_kept()) == len(mails), "not every mail was kept")
        wait_for(lambda: server.count("UNSEEN") == 0, "what was kept is not marked as read")
    assert _kept() == Counter(mails)
    assert server.count() == len(mails)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(InboundArrival)) == len(mails)


def test_a_reading_that_is_killed_judges_each_mail_once(database: str) -> None:
    with transaction() as session:
        people = [told(session, f"person{number}@example.nl") for number in range(30)]
        for number, one in enumerate(people):
            raw = letter(
                "Ik zeg op",
                sender=f"person{number}@example.nl",
                to=one.reply,
                proven=True,
                message_id=f"<{number}@example.nl>",
            )
            inbound.keep(session, raw, sender="a@b.nl", recipient=one.reply, door="smtp", at=AT)
    for _ in range(2):
        before = _read()
        process = subprocess.Popen([sys.executable, "-c", READ])
        try:
            wait_for(lambda before=before: sum(_read().values()) > sum(before.values()), "nothing is read")  # type: ignore[misc]
            time.sleep(CHANCE.uniform(0, 0.05))
        finally:
            process.kill()
            process.wait()
        with transaction() as session:  # its lease has ended
            session.execute(update(InboundMail).values(lease_until=None))
    read_mail()
    assert len(_read()) == len(people)
    assert set(_read().values()) == {1}
    with reading() as session:
        assert len(terminations(session)) == len(people)
        assert len(sent(session, MailKind.TERMINATION_RECEIPT)) == len(people)


def _read() -> Counter[str]:
    with reading() as session:
        return Counter(session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "inbound.read")))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_asked_to_end_it_does_not_wait_for_a_client_that_says_nothing(
    database: str, configure: Configure, server: ImapServer, tmp_path: Path
) -> None:
    port = free_port()
    configure(inbound_port=port, imap_url=server.url)
    with started("inbound", log=tmp_path / "log") as process:
        wait_for(lambda: _takes(port), "the listener did not start")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as idle:
            assert idle.recv(3) == b"220"
            process.terminate()
            assert process.wait(10) == 0
