"""A lane is drained over real SMTP; what may not go out does not, and what fails does not hold up the rest."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.admin import erasure
from mailer.consent import actions as consent
from mailer.consent import queries as consent_queries
from mailer.consent.rules import LEAVING_SECONDS, Channel, SuppressionReason, Withheld
from mailer.contacts.models import Contact
from mailer.delivery import routes
from mailer.ledger import queries as ledger
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import Whole
from mailer.outbox import actions as outbox
from mailer.outbox import lanes, queries
from mailer.outbox.models import Content, Message
from mailer.outbox.rules import MailKind, State
from rq_jobs import deliver as job
from rq_jobs.deliver import deliver
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink

LEASE = timedelta(minutes=2)
FULL = 2  # SQLite waits for the disk


@pytest.fixture
def server(database: str, redis_server: Redis, configure: Configure) -> Iterator[Sink]:
    """The next server of both lanes, and Redis, without which marketing waits."""
    with sink.running() as running:
        database_url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=running.url, smtp_marketing=running.url, database_url=database_url)
        yield running


def put(email: str, kind: MailKind = MailKind.ADMINISTRATIVE) -> int:
    with db.transaction() as session:
        topic = "news" if kind is MailKind.CAMPAIGN else None
        to = factories.contact(session, email, topics=["news"])
        return factories.message(session, to, kind=kind, topic=topic).row


def find(row: int) -> Message:
    with db.reading() as session:
        return session.get_one(Message, row)


def who(session: Session, email: str) -> Contact:
    return session.get_one(
        Contact, session.scalars(select(Message.contact_id).where(Message.to_address == email)).one()
    )


def tries(row: int) -> list[tuple[int, str]]:
    with db.reading() as session:
        return [(one.code, one.reply) for one in queries.attempts(session, session.get_one(Message, row))]


def test_a_lane_is_drained_recorded_and_sealed(server: Sink) -> None:
    rows = [put(f"p{number}@people.example") for number in range(job.CLAIM + 3)]
    news = put("reader@people.example", MailKind.CAMPAIGN)
    assert deliver("essential") == len(rows)
    assert deliver("essential") == 0
    assert sorted(server.recipients) == sorted(f"p{number}@people.example" for number in range(job.CLAIM + 3))
    assert server.connections <= routes.CONNECTIONS
    assert find(news).state is State.QUEUED
    digests = {
        hashlib.sha256(raw.replace(b"\r\n..", b"\r\n.").removesuffix(b".\r\n")).hexdigest() for raw in server.mails
    }
    sent = [find(row) for row in rows]
    assert {message.state for message in sent} == {State.ACCEPTED}
    assert {message.sha256 for message in sent} == digests
    assert all(message.batch for message in sent)
    assert deliver("marketing") == 1
    with db.reading() as session:
        assert isinstance(ledger.verify(session), Whole)


def test_who_unsubscribes_between_claim_and_send_gets_nothing(server: Sink) -> None:
    rows = {email: put(email, MailKind.CAMPAIGN) for email in ("stays@people.example", "leaves@people.example")}

    def leave(_line: str) -> str:
        with db.transaction() as session:
            consent.leave_all(session, who(session, "leaves@people.example"), source="one-click", at=clock.now())
        time.sleep(LEAVING_SECONDS)
        return "220 sink.example ready"

    server.replies["connect"] = leave  # both are claimed by now
    assert deliver("marketing") == 1
    assert server.recipients == ["stays@people.example"]
    message = find(rows["leaves@people.example"])
    assert (message.state, message.withheld) == (State.WITHHELD, Withheld.UNSUBSCRIBED)


def test_essential_mail_goes_to_who_left_complained_or_was_stopped(server: Sink) -> None:
    put("left@people.example")
    with db.transaction() as session:
        consent.leave_all(session, who(session, "left@people.example"), source="page", at=clock.now())
        for reason in (SuppressionReason.COMPLAINT, SuppressionReason.MANUAL):
            consent.suppress(session, "left@people.example", reason, source="test", at=clock.now())
    assert deliver("essential") == 1


def test_an_erased_person_gets_nothing_that_still_waited_and_leaves_nothing_behind(server: Sink) -> None:
    row = put("gone@people.example")
    with db.transaction() as session:
        erasure.erase(session, who(session, "gone@people.example"), clock.now())
    assert deliver("essential") == 0
    message = find(row)
    assert (message.state, message.withheld, message.to_address) == (State.WITHHELD, Withheld.ERASED, "")
    assert server.mails == []


def test_mail_to_a_bare_address_is_stopped_by_a_dead_address_only(server: Sink) -> None:
    with db.transaction() as session:
        content_id = factories.content(session)
        for email in ("well@people.example", "dead@people.example"):
            outbox.put(
                session,
                kind=MailKind.ANSWER,
                contact=None,
                to_address=email,
                content_id=content_id,
                key=email,
                at=clock.now(),
            )
        consent.suppress(session, "dead@people.example", SuppressionReason.HARD_BOUNCE, source="dsn", at=clock.now())
    assert deliver("essential") == 1
    assert server.recipients == ["well@people.example"]


def test_a_refusal_is_over_and_a_dead_address_is_not_written_to_again(server: Sink) -> None:
    server.replies["RCPT"] = lambda line: (
        "550 5.1.1 <dead@people.example> unknown"
        if "dead@" in line
        else "450 4.2.1 busy"
        if "busy@" in line
        else "250 ok"
    )
    rows = {name: put(f"{name}@people.example") for name in ("dead", "busy", "well")}
    assert deliver("essential") == 1
    assert [find(rows[name]).state for name in rows] == [State.REFUSED, State.QUEUED, State.ACCEPTED]
    assert tries(rows["dead"]) == [(550, "5.1.1 <(address)> unknown")]
    with db.reading() as session:
        assert consent_queries.reasons_against(session, "dead@people.example") == {SuppressionReason.HARD_BOUNCE}
        assert consent_queries.reasons_against(session, "busy@people.example") == set()
    due_at = find(rows["busy"]).due_at
    assert due_at is not None
    assert due_at > clock.now() + timedelta(minutes=3)


def test_when_the_server_is_away_one_mail_says_why_and_the_rest_waits_untouched(
    database: str, configure: Configure
) -> None:
    database_url = database if database.startswith("postgresql") else ""
    configure(smtp_essential="smtp://127.0.0.1:9", database_url=database_url)
    rows = [put(f"p{number}@people.example") for number in range(5)]
    assert deliver("essential") == 0
    states = [find(row) for row in rows]
    assert {message.state for message in states} == {State.QUEUED}
    assert sorted(message.attempts for message in states) == [0, 0, 0, 0, 1]
    assert sum(message.due_at is not None and message.due_at <= clock.now() for message in states) == 4


def test_no_answer_after_the_last_byte_leaves_marketing_unknown_and_sends_essential_again(server: Sink) -> None:
    server.replies["."] = "drop"
    essential, marketing = put("a@people.example"), put("b@people.example", MailKind.CAMPAIGN)
    assert deliver("essential") == deliver("marketing") == 0
    assert find(marketing).state is State.UNKNOWN
    assert find(essential).state is State.QUEUED
    with db.transaction() as session:
        session.execute(update(Message).where(Message.row == essential).values(due_at=clock.now()))
    del server.replies["."]
    assert deliver("essential") == 1
    assert deliver("marketing") == 0
    first, _, again = server.mails
    assert first == again


def test_a_mail_that_cannot_be_made_neither_blocks_the_lane_nor_costs_the_last_answer(server: Sink) -> None:
    rows = [put(f"p{number}@people.example") for number in range(3)]
    with db.transaction() as session:
        session.execute(update(Message).where(Message.row == rows[0]).values(name="A\r\nBcc: x@y.example"))
        session.execute(update(Message).where(Message.row == rows[1]).values(to_address="never an address"))
    bad = put("slot@people.example")
    with db.transaction() as session:
        session.execute(update(Content).where(Content.id == find(bad).content_id).values(text="\ue000unknown\ue001"))
    assert deliver("essential") == 1
    assert [find(row).state for row in (rows[0], rows[1], rows[2], bad)] == [
        State.REFUSED,
        State.REFUSED,
        State.ACCEPTED,
        State.REFUSED,
    ]
    assert "unknown" in tries(bad)[0][1]
    assert server.recipients == ["p2@people.example"]


def test_a_key_that_is_gone_makes_mail_wait_until_it_is_put_back(
    database: str, configure: Configure, server: Sink
) -> None:
    old, new = "o" * 40, "n" * 40
    database_url = database if database.startswith("postgresql") else ""
    configure(secret_keys=old, database_url=database_url)
    row = put("a@people.example")
    configure(secret_keys=new)
    assert deliver("essential") == 0
    assert find(row).state is State.QUEUED
    configure(secret_keys=f"{new},{old}")
    with db.transaction() as session:
        session.execute(update(Message).values(due_at=clock.now()))
    assert deliver("essential") == 1


def test_two_jobs_on_one_lane_send_each_mail_once(server: Sink) -> None:
    emails = [f"p{number}@people.example" for number in range(60)]
    for email in emails:
        put(email)
    threads = [threading.Thread(target=deliver, args=("essential",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(server.recipients) == sorted(emails)


def test_an_answer_that_comes_after_the_lease_was_lost_changes_nothing(server: Sink) -> None:
    row = put("a@people.example")

    def steal(_line: str) -> str:
        with db.transaction() as session:
            later = clock.now() + timedelta(days=1)
            [token] = lanes.lost_leases(session, Channel.ESSENTIAL, later)
            batch = lanes.of_lease(session, token, later)
            assert batch is not None
            lanes.give_back(session, batch, batch.mails, later)
            lanes.claim(session, Channel.ESSENTIAL, later, LEASE, 10)
        return "250 kept"

    server.replies["."] = steal
    assert deliver("essential") == 0
    assert find(row).state is State.SENDING
    assert tries(row) == []


def counts_written_down(people: int) -> list[int]:
    """Send a campaign; how many accepted mails each writing-down of its parcels sealed in the ledger."""
    with db.transaction() as session:
        for number in range(people):
            factories.contact(session, f"p{number}@people.example", topics=["news"])
        factories.fan_out(session, factories.mailing(session))
    assert deliver("marketing") == people
    with db.reading() as session:
        sealed = session.scalars(select(LedgerEntry.subjects).where(LedgerEntry.kind == "messages.accepted")).all()
    return [json.loads(subjects)["count"] for subjects in sealed]


def test_a_parcel_that_goes_out_quickly_is_written_down_once_with_the_claim_of_the_next(
    server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "LATEST_RECORD", 60.0)
    monkeypatch.setattr(outbox, "PARCEL", 20)
    assert counts_written_down(60) == [20, 20, 10, 5, 5]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("kind", "waits"), [(MailKind.ADMINISTRATIVE, False), (MailKind.CAMPAIGN, True)])
def test_what_may_go_once_only_is_claimed_so_that_a_loss_of_power_does_not_undo_it(
    server: Sink, commits: list[int], kind: MailKind, waits: bool
) -> None:
    put("a@people.example", kind)
    commits.clear()
    assert deliver(kind.channel.value) == 1
    assert (commits[0] == FULL) is waits


def test_an_answer_is_written_down_soon_however_long_the_rest_of_its_parcel_takes(
    server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "LATEST_RECORD", 0.0)
    counts = counts_written_down(60)
    assert sum(counts) == 60
    assert len(counts) > 1
