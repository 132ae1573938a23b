"""People leave while three hundred mails go out: after the answer nothing new goes to them (invariant 3)."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select

from mailer import clock, db, signing
from mailer.campaigns import content as letters
from mailer.consent import links
from mailer.consent.rules import LEAVING_SECONDS, LOOK_HOLDS_SECONDS, Channel, Withheld
from mailer.delivery import content as wording
from mailer.outbox import queries
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
READERS = 300
BEFORE = 100  # so many mails are with the server when some leave
A_MOMENT = 0.05  # seconds; a server that takes its time, so that those who leave do so before the end
NEXT, LAST = 5, 15  # so many leave of those about to be written to, and of the last


def campaign() -> str:
    """A campaign on its way to all readers; gives its mailing."""
    with db.transaction() as session:
        for number in range(READERS):
            factories.contact(session, f"reader{number}@people.example", topics=["news"])
        letter = letters.facts(letters.write("News", "This is new."))
        content_id = wording.freeze(
            session, MailKind.CAMPAIGN, "en", letter, clock.now(), why="You asked.", topic="News"
        )
        mailing = factories.mailing(session, content_id=content_id)
    fan_out(mailing.id)
    return mailing.id


def leave_links(mailing_id: str) -> dict[str, str]:
    """The one-click address of each reader, as it stands in their mail."""
    with db.reading() as session:
        rows = session.scalars(select(Message).where(Message.mailing_id == mailing_id).order_by(Message.row))
        return {row.to_address: links.leave_url("", row.contact_id, row.id, row.key_id) for row in rows}


@pytest.mark.parametrize("workers", [1, 2])
def test_after_the_answer_to_an_unsubscribe_nothing_new_goes_out(
    app: Flask, database: str, redis_server: Redis, configure: Configure, workers: int
) -> None:
    with sink.running() as server:
        url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=server.url, smtp_marketing=server.url, database_url=url)
        mailing_id = campaign()
        addresses = leave_links(mailing_id)
        had_it: dict[str, bool] = {}
        enough = threading.Event()

        def kept(_line: str) -> str:
            if len(server.mails) >= BEFORE:
                enough.set()
                time.sleep(A_MOMENT)
            return "250 kept"

        def leave(address: str) -> None:
            answer = app.test_client().post(addresses[address], data=ONE_CLICK)
            with server.lock:
                had_it[address] = address in server.recipients
            assert answer.status_code == 200

        server.replies["."] = kept
        senders = [threading.Thread(target=deliver, args=(Channel.MARKETING.value,)) for _ in range(workers)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        with server.lock:
            begun = set(server.recipients)
        waiting = [address for address in addresses if address not in begun]
        # the first of them are about to be written to
        leavers = [threading.Thread(target=leave, args=(address,)) for address in waiting[:NEXT] + waiting[-LAST:]]
        for leaver in leavers:
            leaver.start()
        for thread in [*leavers, *senders]:
            thread.join(60)

    sent = Counter(parseaddr(message_from_bytes(mail)["To"])[1] for mail in server.mails)
    assert len(had_it) == NEXT + LAST
    assert max(sent.values()) == 1
    got_it = sum(sent[address] for address in had_it)
    assert [address for address in had_it if sent[address] and not had_it[address]] == [], "none began after the answer"
    assert got_it < NEXT + LAST, "they left in time"
    assert sum(sent.values()) == READERS - len(had_it) + got_it
    with db.reading() as session:
        assert queries.left_out(session, mailing_id) == {Withheld.UNSUBSCRIBED: len(had_it) - got_it}
        assert set(queries.progress(session, mailing_id)) == {State.ACCEPTED, State.WITHHELD}


def test_the_link_that_a_client_presses_is_the_one_in_the_mail(
    app: Flask, database: str, redis_server: Redis, configure: Configure, tmp_path: Path
) -> None:
    with sink.running() as server:
        url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=server.url, smtp_marketing="", routes=one_by_one(tmp_path, server), database_url=url)
        with db.transaction() as session:
            reader = factories.contact(session, topics=["news"])
            for _ in range(2):
                factories.message(session, reader, kind=MailKind.CAMPAIGN, topic="news")

        def press_and_keep(_line: str) -> str:
            header = re.search(rb"^List-Unsubscribe: <https?://[^/]+([^>]+)>", server.mails[-1], re.MULTILINE)
            assert header
            assert app.test_client().post(header[1].decode(), data=ONE_CLICK).status_code == 200
            return "250 kept"

        server.replies["."] = press_and_keep
        assert deliver("marketing") == 1
        assert len(server.mails) == 1, "the second was claimed with the first, and the reader has left since"


@pytest.mark.parametrize("is_known", [True, False])
def test_an_unsubscribe_takes_longer_to_answer_than_a_look_holds(app: Flask, is_known: bool) -> None:
    link = one_mail() if is_known else links.leave_url("", None, "msg_0000000000001", signing.newest_key_id())
    began = time.monotonic()
    assert app.test_client().post(link, data=ONE_CLICK).status_code == 200
    assert time.monotonic() - began >= LEAVING_SECONDS > LOOK_HOLDS_SECONDS


def one_by_one(folder: Path, server: Sink) -> str:
    """A file of routes whose one way to the server has one connection."""
    file = folder / "routes.toml"
    file.write_text(f"""
[[route]]
name = "narrow"
channel = "marketing"
host = "127.0.0.1"
port = {server.port}
tls = "none"
connections = 1
""")
    return str(file)


def one_mail() -> str:
    """The one-click address of a mail of marketing that waits."""
    with db.transaction() as session:
        reader = factories.contact(session, topics=["news"])
        message = factories.message(session, reader, kind=MailKind.CAMPAIGN, topic="news")
    return links.leave_url("", message.contact_id, message.id, message.key_id)
