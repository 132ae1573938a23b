"""The IMAP door, read from a real server: what it takes, what it leaves, and what a death in the middle does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from mailer import settings
from mailer.clock import now
from mailer.db import reading, transaction
from mailer.inbound import actions as inbound
from mailer.inbound import doors, imap, mailbox, queries
from mailer.inbound.imap import Reader
from mailer.inbound.models import InboundDoor, InboundMail
from tests.certificates import make_certificate
from tests.conftest import Configure
from tests.front.processes import wait_for
from tests.inbound.imap_server import ImapServer, running
from tests.inbound.world import letter

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ImapServer]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def reader(database: str, server: ImapServer, configure: Configure) -> Reader:
    """A reader of the mailbox, in the settings in force."""
    configure(imap_url=server.url, imap_poll_seconds=1)
    return Reader(mailbox.place(server.url), 1, threading.Event())


def _mail(number: int, text: str = "Hoe kan ik opzeggen?") -> bytes:
    return letter(f"{text} {number}", message_id=f"<{number}@example.nl>")


def _take_in(reader: Reader) -> int:
    with mailbox.opened(reader.where) as box:
        return reader.take_in(box)


def _kept() -> list[InboundMail]:
    with reading() as session:
        return list(session.scalars(select(InboundMail).options(undefer(InboundMail.raw)).order_by(InboundMail.id)))


def test_what_is_unread_is_kept_and_marked_as_read_and_nothing_is_deleted(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1), _mail(2))
    assert _take_in(reader) == 2
    assert [row.raw for row in _kept()] == [_mail(1), _mail(2)]
    assert {row.door for row in _kept()} == {"imap"}
    assert (server.count("UNSEEN"), server.count()) == (0, 2)
    assert _take_in(reader) == 0


def test_a_mailbox_seen_for_the_first_time_is_not_read_from_its_beginning(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1), is_read=True)
    server.put(_mail(2))
    assert _take_in(reader) == 1
    server.put(_mail(3), is_read=True)  # a colleague was quicker in a mail program
    assert _take_in(reader) == 1
    assert [row.raw for row in _kept()] == [_mail(2), _mail(3)]


def test_the_time_is_that_of_the_mail_server_not_that_of_the_reading(reader: Reader, server: ImapServer) -> None:
    came = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    server.put(_mail(1), at=came)
    _take_in(reader)
    assert [row.received_at for row in _kept()] == [came]


def test_a_mail_from_the_future_came_now(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1), at=datetime.now(UTC) + timedelta(days=3))
    _take_in(reader)
    assert _kept()[0].received_at <= now()


def test_whom_it_is_to_is_read_from_what_the_last_server_wrote(reader: Reader, server: ImapServer) -> None:
    ours = "reply+abc@reply.leadmark.example"
    server.put(b"Delivered-To: other@example.nl\r\nDelivered-To: " + ours.encode() + b"\r\n" + _mail(1))
    server.put(b"Return-Path: <>\r\n" + _mail(2))
    _take_in(reader)
    assert [(row.recipient, row.sender) for row in _kept()] == [(ours, ""), ("privacy@leadmark.example", "<>")]


@only_sqlite
def test_one_that_died_after_the_commit_marks_it_later_and_keeps_it_once(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1))
    _take_in(reader)
    server.put(_mail(2))

    class Dies(Exception):
        pass

    def die(uids: object) -> None:
        raise Dies

    with mailbox.opened(reader.where) as box:
        box.mark_read = die  # type: ignore[method-assign]
        with pytest.raises(Dies):
            reader.take_in(box)
    assert server.count("UNSEEN") == 1
    reader.stop.set()
    with mailbox.opened(reader.where) as box:
        reader.follow(box)
    assert server.count("UNSEEN") == 0
    assert len(_kept()) == 2


@only_sqlite
def test_numbers_that_began_anew_lose_nothing_and_keep_nothing_twice(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1))
    _take_in(reader)
    with transaction() as session:
        session.execute(update(InboundDoor).values(uid_validity=1, last_uid=4711))
    server.put(_mail(2))
    assert _take_in(reader) == 2
    assert [row.raw for row in _kept()] == [_mail(1), _mail(2)]
    assert _take_in(reader) == 0


@only_sqlite
def test_where_numbers_begin_anew_what_people_had_read_before_us_stays_theirs(
    reader: Reader, server: ImapServer
) -> None:
    server.put(_mail(1), is_read=True, at=datetime.now(UTC) - timedelta(days=30))
    server.put(_mail(2))
    assert _take_in(reader) == 1
    with transaction() as session:
        session.execute(update(InboundDoor).values(uid_validity=1, last_uid=4711))
    server.put(_mail(3), is_read=True)  # a colleague was quicker
    assert _take_in(reader) == 2
    assert [row.raw for row in _kept()] == [_mail(2), _mail(3)]


@only_sqlite
def test_a_mail_that_is_there_and_not_given_is_not_passed_over(reader: Reader, server: ImapServer) -> None:
    server.put(_mail(1))
    with mailbox.opened(reader.where) as box:
        [uid] = box.unread()
        ask = box._client.fetch
        box._client.fetch = lambda uids, what: {} if "BODY.PEEK[]" in what else ask(uids, what)
        with pytest.raises(mailbox.FAULTS):
            box.fetch(uid, 1000)
        box._client.fetch = lambda uids, what: {}
        with pytest.raises(mailbox.FAULTS):
            box.fetch(uid, 1000)
        assert box.fetch(uid + 1, 1000).raw is None  # this one is gone


@only_sqlite
def test_whatever_breaks_in_the_reader_it_is_told_and_tries_again(
    reader: Reader, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(box: object) -> None:
        raise KeyError("an answer that nobody foresaw")

    monkeypatch.setattr(reader, "follow", breaks)
    with _following(reader):
        wait_for(_has_fault, "nobody was told")


@only_sqlite
def test_a_mail_that_the_server_does_not_give_is_told_to_a_person_and_others_pass_it(
    reader: Reader, server: ImapServer
) -> None:
    server.put(_mail(1), _mail(2))
    with mailbox.opened(reader.where) as box:
        bad, fetch = box.unread()[0], box.fetch

        def sometimes(uid: int, most: int) -> mailbox.Fetched:
            if uid == bad:
                raise OSError("broken")
            return fetch(uid, most)

        box.fetch = sometimes  # type: ignore[method-assign]
        for _ in range(imap.FETCHES):
            with pytest.raises(OSError):
                reader.take_in(box)
        reader.take_in(box)
    first, second = _kept()
    assert b"could not be fetched" in first.raw
    assert second.raw == _mail(2)


@only_sqlite
def test_of_a_mail_over_the_limit_the_beginning_is_kept(
    reader: Reader, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "MAX_BYTES", 100)
    server.put(_mail(1, "x" * 5000))
    _take_in(reader)
    assert [row.raw for row in _kept()] == [_mail(1, "x" * 5000)[:100]]


@contextmanager
def _following(reader: Reader) -> Iterator[None]:
    thread = threading.Thread(target=reader.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        reader.stop.set()
        thread.join(20)
        assert not thread.is_alive()


def _has_fault() -> bool:
    with reading() as session:
        return "KeyError" in "".join(session.scalars(select(InboundDoor.fault)))


def _is(count: int) -> Callable[[], bool]:
    return lambda: len(_kept()) == count


@only_sqlite
def test_it_waits_for_mail_and_comes_back_when_the_server_was_away(
    database: str, tmp_path: Path, configure: Configure
) -> None:
    with running(tmp_path) as server:
        configure(imap_url=server.url)
        reader = Reader(mailbox.place(server.url), 300, threading.Event())  # by IDLE, not by the poll
        with _following(reader):
            wait_for(lambda: _fault() == "", "the mailbox was not seen")
            server.put(_mail(1))
            wait_for(_is(1), "a mail that came while it waited was not kept", 10)
    reader = Reader(mailbox.place(server.url), 1, threading.Event())
    with _following(reader):
        wait_for(lambda: "cannot be read" in _fault(), "nobody was told that the server is away")
        with running(tmp_path, port=server.port) as again:
            again.put(_mail(2))
            wait_for(_is(2), "the mail of the server that came back was not kept", 20)
            wait_for(lambda: _fault() == "", "the door is said to be broken still")


def _fault() -> str:
    with reading() as session:
        [mail_door] = [
            door for door in doors.health(session, settings.current(), now()) if door.name.startswith("imap")
        ]
    return mail_door.fault


@only_sqlite
def test_a_server_without_idle_is_polled(reader: Reader, server: ImapServer) -> None:
    with mailbox.opened(reader.where) as box:
        box._client.has_capability = lambda name: False
        box.wait(0.1, lambda: True)
    server.put(_mail(1))
    assert _take_in(reader) == 1


@only_sqlite
def test_the_same_mail_by_imap_and_smtp_is_one_row_that_names_both_doors(reader: Reader, server: ImapServer) -> None:
    with transaction() as session:
        mail_id = inbound.keep(
            session, _mail(1), sender="jan@example.nl", recipient="privacy@leadmark.example", door="smtp", at=now()
        )
    on_its_way = b"Return-Path: <jan@example.nl>\r\nReceived: from a by b; Tue, 24 Nov 2026\r\n"
    server.put(on_its_way + _mail(1))
    _take_in(reader)
    [row] = _kept()
    assert row.id == mail_id
    with reading() as session:
        assert list(queries.doors_of(session, mail_id)) == ["smtp", "imap"]


@only_sqlite
def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    with running(tmp_path, "--cert", str(certificate), "--key", str(key), scheme="imap+starttls") as server:
        where = mailbox.place(server.url)
        with pytest.raises(mailbox.FAULTS), mailbox.opened(where):
            pass
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with mailbox.opened(where) as box:
            assert box.unread() == []
