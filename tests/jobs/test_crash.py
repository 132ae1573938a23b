"""kill -9 of a real worker in the middle of a mail; Redis emptied or away (invariants 1 and 5)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailer import clock, db, doorbell
from mailer.delivery.routes import CONNECTIONS
from mailer.ledger import queries as ledger
from mailer.ledger.actions import record
from mailer.ledger.rules import Whole
from mailer.notices import actions as notices
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox import actions as outbox
from mailer.outbox import journal
from mailer.outbox.models import Message, Parcel
from mailer.outbox.rules import MailKind, State
from mailer.policies import actions as policies
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from rq_jobs import recover
from rq_jobs.deliver import deliver
from rq_jobs.fan_out import fan_out
from rq_jobs.sweep import sweep
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.delivery.sink import Sink
from tests.front.processes import started, wait_for


@pytest.fixture
def server(database: str, redis_server: Redis, configure: Configure) -> Iterator[Sink]:
    """The next server of both lanes, in the demo, whose clock may be moved."""
    with sink.running() as running:
        database_url = database if database.startswith("postgresql") else ""
        configure(smtp_essential=running.url, smtp_marketing=running.url, database_url=database_url, demo=True)
        yield running


def put(email: str, kind: MailKind) -> int:
    with db.transaction() as session:
        topic = "news" if kind is MailKind.CAMPAIGN else None
        to = factories.contact(session, email, topics=["news"])
        return factories.message(session, to, kind=kind, topic=topic).row


def find(row: int) -> Message:
    with db.reading() as session:
        return session.get_one(Message, row)


def hold(release: threading.Event) -> Callable[[str], str]:
    """The server has the mail, and does not answer."""

    def wait(_line: str) -> str:
        release.wait(30)
        return "drop"

    return wait


@pytest.mark.parametrize(("kind", "lane"), [(MailKind.ADMINISTRATIVE, "essential"), (MailKind.CAMPAIGN, "marketing")])
def test_a_worker_killed_in_the_middle_of_a_mail_loses_nothing(
    server: Sink, tmp_path: Path, kind: MailKind, lane: str
) -> None:
    rows = [put(f"p{number}@people.example", kind) for number in range(CONNECTIONS + 2)]
    release = threading.Event()
    server.replies["."] = hold(release)
    with started("worker", "--lane", lane, log=tmp_path / "log") as process:
        wait_for(lambda: len(server.mails) == CONNECTIONS, "not every connection had a mail")
        process.kill()
        process.wait(10)
    release.set()
    del server.replies["."]
    assert {find(row).state for row in rows} == {State.SENDING}
    sweep()
    on_the_wire = set(server.recipients)
    waiting = [row for row in rows if find(row).to_address not in on_the_wire]
    assert [find(row).state for row in waiting] == [State.QUEUED] * 2, "the journal says that they were not begun"
    assert deliver(lane) == (len(rows) if kind is MailKind.ADMINISTRATIVE else 2), "and nobody waits for a lease"
    assert {find(row).state for row in waiting} == {State.ACCEPTED}
    doubted = [find(row) for row in rows if row not in waiting]
    copies = Counter(server.mails)
    if kind is MailKind.ADMINISTRATIVE:
        assert {message.state for message in doubted} == {State.ACCEPTED}
        assert sorted(copies.values()) == [1] * 2 + [2] * CONNECTIONS, "the same Message-ID, the same bytes"
    else:
        assert {message.state for message in doubted} == {State.UNKNOWN}
        assert set(copies.values()) == {1}
    with db.reading() as session:
        assert isinstance(ledger.verify(session), Whole)


@pytest.mark.parametrize(
    ("kind", "doubted"), [(MailKind.ADMINISTRATIVE, State.QUEUED), (MailKind.CAMPAIGN, State.UNKNOWN)]
)
def test_what_was_in_hand_when_the_machine_went_down_is_in_doubt_as_a_whole(
    server: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: MailKind, doubted: State
) -> None:
    rows = [put(f"p{number}@people.example", kind) for number in range(CONNECTIONS + 2)]
    release = threading.Event()
    server.replies["."] = hold(release)
    with started("worker", "--lane", kind.channel.value, log=tmp_path / "log") as process:
        wait_for(lambda: len(server.mails) == CONNECTIONS, "not every connection had a mail")
        process.kill()
        process.wait(10)
    release.set()
    monkeypatch.setattr(journal, "_boot", lambda: b"another start")  # a journal lacks what the disk had not got yet
    assert recover.from_journals() == 1
    assert {find(row).state for row in rows} == {doubted}
    assert recover.from_journals() == 0


def test_without_redis_essential_mail_goes_out_all_the_same_and_marketing_waits(
    server: Sink, configure: Configure, tmp_path: Path
) -> None:
    essential, marketing = put("a@people.example", MailKind.ADMINISTRATIVE), put("b@people.example", MailKind.CAMPAIGN)
    configure(redis_url=f"unix://{tmp_path}/nobody-listens.sock")
    assert not doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    sweep()
    assert deliver("essential") == 1
    assert deliver("marketing") == 0
    assert (find(essential).state, find(marketing).state) == (State.ACCEPTED, State.QUEUED)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_after_redis_was_emptied_the_sweep_rings_for_what_waits(server: Sink, redis_server: Redis) -> None:
    put("a@people.example", MailKind.ADMINISTRATIVE)
    assert doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    redis_server.flushall()
    assert doorbell.queue("essential").count == 0
    sweep()
    assert doorbell.queue("essential").count == 1
    assert doorbell.queue("marketing").count == 0
    (waiting,) = doorbell.queue("essential").jobs
    assert (waiting.func_name, waiting.args) == ("rq_jobs.deliver.deliver", ["essential"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_crowded_queue_gets_no_further_bell(server: Sink, redis_server: Redis) -> None:
    for _ in range(doorbell.CROWDED + 5):
        assert doorbell.ring("essential", "rq_jobs.deliver.deliver", "essential")
    assert doorbell.queue("essential").count == doorbell.CROWDED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_bells_of_one_job_do_not_hide_another(server: Sink, redis_server: Redis) -> None:
    for _ in range(doorbell.CROWDED):
        doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
    for _ in range(2):
        assert doorbell.ring("chores", "rq_jobs.read_mail.read_mail")
        assert doorbell.ring("chores", "rq_jobs.fan_out.fan_out", "mlg_1")
    waiting = [(bell.func_name, list(bell.args)) for bell in doorbell.queue("chores").get_jobs()]
    assert waiting.count(("rq_jobs.read_mail.read_mail", [])) == 1
    assert waiting.count(("rq_jobs.fan_out.fan_out", ["mlg_1"])) == 1


def test_a_fan_out_twice_and_beside_itself_makes_one_message_each(
    server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as session:
        people = {factories.contact(session, topics=["news"]).id for _ in range(30)}
        made = factories.mailing(session)
    monkeypatch.setattr(outbox.fan_out_slice, "__defaults__", (4,))  # eight slices, so that the two meet
    for _ in range(2):
        threads = [threading.Thread(target=fan_out, args=(made.id,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with db.transaction() as session:
            rows = session.scalars(select(Message.contact_id).where(Message.mailing_id == made.id)).all()
            assert len(rows) == 30
            assert set(rows) == people
            outbox.again(session.get_one(type(made), made.id))


def released(session: Session) -> Version:
    """A material version, released by two people, whose day is two months away."""
    at = clock.now()
    author, other = (factories.staff(session).id for _ in range(2))
    policy = factories.policy(session, at=at - timedelta(days=90))
    text = factories.POLICY_TEXT.replace("two years", "seven years")
    wording = Wording(
        text, effective_on=(at + timedelta(days=60)).date(), summary="Longer.", why="Tax.", impact="None."
    )
    draft = policies.draft(session, policy, text, author, at, wording)
    policies.submit(session, draft, author, at)
    policies.approve(session, draft, other, at)
    return policies.release(session, draft, author, at)


def test_a_notice_in_doubt_after_a_kill_goes_again_with_the_dates_it_had(server: Sink, tmp_path: Path) -> None:
    with db.transaction() as session:
        factories.contact(session, "anna@people.example")
        version = released(session)
        mailing = notices.plan(session, version, clock.now())
        assert mailing is not None
        while outbox.fan_out_slice(session, mailing, clock.now()):
            notices.adopt(session, mailing, clock.now())
        session.execute(delete(Parcel))  # it goes by itself, as to somebody whose address has changed
        session.execute(update(Message).values(due_at=clock.now()))
    release = threading.Event()
    server.replies["."] = hold(release)
    with started("worker", "--lane", "essential", log=tmp_path / "log") as process:
        wait_for(lambda: len(server.mails) == 1, "no mail came")
        process.kill()
        process.wait(10)
    release.set()
    del server.replies["."]
    clock.move_to(clock.now() + timedelta(days=2))
    assert deliver("essential") == 1
    first, again = server.mails
    assert first == again
    with db.reading() as session:
        [notice] = session.scalars(select(Notice).where(Notice.version_id == version.id)).all()
        assert notice.state is NoticeState.ACCEPTED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_sweep_says_that_the_clock_was_set_back(server: Sink, caplog: pytest.LogCaptureFixture) -> None:
    sweep()
    assert "The clock was set back" not in caplog.text
    with db.transaction() as session:
        record(session, "contact.upserted", clock.now() + timedelta(hours=1))
    sweep()
    assert "The clock was set back" in caplog.text
