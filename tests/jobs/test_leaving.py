"""People leave while three hundred mails go out: after the answer nothing new goes to them (invariant 3)."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select

from mailer import clock, db
from mailer.campaigns import content as letters
from mailer.consent import actions as consent
from mailer.consent import links
from mailer.consent.rules import Channel, Withheld
from mailer.contacts.models import Contact
from mailer.delivery import content as wording
from mailer.outbox import actions as outbox
from mailer.outbox import audience, queries
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind, State
from rq_jobs import deliver as job
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
READERS = 300
BEFORE = 100  # so many mails are with the server when some leave
LEAVERS = 20
A_MOMENT = 0.01  # seconds; a server that takes its time, so that those who leave do so before the end
NEXT = 2  # of them are about to be written to


def campaign() -> str:
    """A campaign on its way to all readers; gives its mailing."""
    with db.transaction() as session:
        for number in range(READERS):
            factories.contact(session, f"reader{number}@people.example", topics=["news"])
        letter = letters.facts(letters.write("News", "This is new."))
        content_id = wording.freeze(
            session, MailKind.CAMPAIGN, "en", letter, clock.now(), why="You asked.", topic="News"
        )
        mailing = outbox.create_mailing(
            session,
            kind=MailKind.CAMPAIGN,
            subject_id="cmp_1",
            contents={"en": content_id},
            audience=audience.of_topic("news"),
            topic="news",
            at=clock.now(),
        )
    fan_out(mailing.id)
    return mailing.id


def leave_links(mailing_id: str) -> dict[str, str]:
    """The one-click address of each reader, as it stands in their mail."""
    with db.reading() as session:
        rows = session.scalars(select(Message).where(Message.mailing_id == mailing_id).order_by(Message.row))
        return {row.to_address: links.leave_url("", row.contact_id, row.id, row.key_id) for row in rows}


@pytest.mark.parametrize("workers", [1, 2])
def test_after_the_answer_to_an_unsubscribe_nothing_new_goes_out(
    app: Flask, database: str, configure: Configure, workers: int
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

        server.replies["."] = kept
        senders = [threading.Thread(target=deliver, args=(Channel.MARKETING.value,)) for _ in range(workers)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        with server.lock:
            begun = set(server.recipients)
        waiting = [address for address in addresses if address not in begun]
        for address in [*waiting[:NEXT], *waiting[-LEAVERS + NEXT :]]:  # the first of them are claimed already
            answer = app.test_client().post(addresses[address], data=ONE_CLICK)
            assert answer.status_code == 200
            with server.lock:
                had_it[address] = address in server.recipients
        for sender in senders:
            sender.join(60)

    sent = Counter(server.recipients)
    assert max(sent.values()) == 1
    got_it = sum(sent[address] for address in had_it)
    assert got_it - sum(had_it.values()) <= workers, "each worker was in the middle of one mail at most"
    assert got_it <= NEXT + workers
    assert sum(sent.values()) == READERS - LEAVERS + got_it
    with db.reading() as session:
        assert queries.left_out(session, mailing_id) == {Withheld.UNSUBSCRIBED: LEAVERS - got_it}
        assert set(queries.progress(session, mailing_id)) == {State.ACCEPTED, State.WITHHELD}


def test_the_link_that_a_client_presses_is_the_one_in_the_mail(app: Flask, database: str, configure: Configure) -> None:
    with sink.running() as server:
        url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=server.url, smtp_marketing=server.url, database_url=url)
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


def test_an_unsubscribe_is_answered_only_after_a_send_that_looked_before_it_was_marked(app: Flask) -> None:
    message, link = one_mail()
    answers: list[int] = []
    press = threading.Thread(target=lambda: answers.append(app.test_client().post(link, data=ONE_CLICK).status_code))
    with db.transaction() as session:
        assert job.why_withheld(session, message) is None
        press.start()
        press.join(0.5)
        assert answers == [], "the mark is not committed: who leaves now must wait for it"
    press.join(30)
    assert answers == [200]


def test_a_send_waits_for_an_unsubscribe_that_is_not_answered_yet_and_then_sees_it(app: Flask) -> None:
    message, _ = one_mail()
    seen: list[Withheld | None] = []

    def look() -> None:
        with db.transaction() as session:
            seen.append(job.why_withheld(session, message))

    looking = threading.Thread(target=look)
    with db.transaction() as session:
        consent.leave_all(session, session.get_one(Contact, message.contact_id), source="test", at=clock.now())
        looking.start()
        looking.join(0.5)
        assert seen == []
    looking.join(30)
    assert seen == [Withheld.UNSUBSCRIBED]


def one_mail() -> tuple[Message, str]:
    """A mail of marketing that waits, and its one-click address."""
    with db.transaction() as session:
        reader = factories.contact(session, topics=["news"])
        message = factories.message(session, reader, kind=MailKind.CAMPAIGN, topic="news")
    return message, links.leave_url("", message.contact_id, message.id, message.key_id)
