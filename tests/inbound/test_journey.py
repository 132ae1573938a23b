"""Every kind of mail by every door, through the real processes, to what comes of it."""

from __future__ import annotations

import base64
import hmac
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from mailer import clock
from mailer.consent import queries as consent
from mailer.consent.rules import Channel, why_withheld
from mailer.db import reading, transaction
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail
from mailer.inbound.rules import Kind
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState
from mailer.outbox.rules import MailKind
from mailer.services import actions as services
from mailer.staff.models import Task
from mailer.terminations.rules import State
from rq_jobs.read_mail import read_mail
from tests import factories
from tests.conftest import Configure
from tests.front.processes import free_port, started, wait_for
from tests.inbound.imap_server import ImapServer, running
from tests.inbound.world import Told, address, complaint, letter, report, sent, terminations, told

PEOPLE = ("terminates", "asks", "wants", "leaves", "away", "bounces", "complains")


@dataclass(frozen=True)
class Post:
    """A mail on its way: envelope and bytes."""

    sender: str
    recipient: str
    raw: bytes


@dataclass(frozen=True)
class House:
    """The processes that take mail, and the ways to them."""

    port: int
    imap: ImapServer
    client: FlaskClient
    secret: str

    def by_smtp(self, post: Post) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(post.sender, [post.recipient], post.raw)

    def by_imap(self, post: Post) -> None:
        written = f"Return-Path: <{post.sender}>\r\nDelivered-To: {post.recipient}\r\n"
        self.imap.put(written.encode() + post.raw)

    def by_pipe(self, post: Post) -> None:
        words = ["mail", "ingest", "--sender", post.sender or "<>", "--recipient", post.recipient]
        subprocess.run([sys.executable, "-m", "mailer.cli", *words], input=post.raw, check=True, stdout=subprocess.PIPE)

    def by_upload(self, post: Post) -> None:
        raw = f"Return-Path: <{post.sender}>\r\nDelivered-To: {post.recipient}\r\n".encode() + post.raw
        stamp = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.digest(key, f"u.{stamp}.".encode() + raw, "sha256")).decode()
        headers = {"webhook-id": "u", "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}
        answer = self.client.post("/inbound/gate", data=raw, headers=headers, content_type="message/rfc822")
        assert answer.status_code == 202, answer.text


DOORS: dict[str, Callable[[House, Post], None]] = {
    "smtp": House.by_smtp,
    "imap": House.by_imap,
    "pipe": House.by_pipe,
    "upload": House.by_upload,
}


@pytest.fixture
def people(database: str) -> dict[str, Told]:
    """One person for each thing that people and machines write."""
    with transaction() as session:
        factories.topic(session)
        return {
            name: told(
                session,
                f"{name}@example.nl",
                contact=factories.contact(session, f"{name}@example.nl", locale="nl", topics=["news"]),
            )
            for name in PEOPLE
        }


@pytest.fixture
def house(
    database: str, people: dict[str, Told], configure: Configure, client: FlaskClient, tmp_path: Path
) -> Iterator[House]:
    with running(tmp_path) as imap:
        config = configure(imap_url=imap.url, inbound_port=free_port(), imap_poll_seconds=1)
        with transaction() as session:
            _, keys = services.create(session, name="gate", at=clock.now())
        with started("inbound", log=tmp_path / "inbound.log"):
            wait_for(lambda: _listens(config.inbound_port), "the listener did not start")
            yield House(config.inbound_port, imap, client, keys.secret)


def _listens(port: int) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", port, timeout=5).quit()
    except OSError:
        return False
    return True


def _posts(people: dict[str, Told]) -> list[Post]:
    def wrote(name: str, text: str, *lines: str) -> Post:
        email, who = f"{name}@example.nl", people[name]
        raw = letter(text, *lines, sender=email, to=who.reply, proven=True, message_id=f"<{name}@example.nl>")
        return Post(email, who.reply, raw)

    bounce, complained = (address(people[name].message, "bounce") for name in ("bounces", "complains"))
    return [
        wrote("terminates", "Ik zeg op"),
        wrote("asks", "Wat verandert er precies aan de bewaartermijn?"),
        wrote("wants", "Graag ontvang ik inzage in mijn gegevens."),
        wrote("leaves", "Ik wil geen nieuwsbrief meer ontvangen."),
        wrote("away", "Ik ben er niet. Ik zeg op.", "Auto-Submitted: auto-replied"),
        Post("", bounce, report(bounce)),
        Post("feedback@provider.example", complained, complaint(complained)),
    ]


def _count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(InboundMail)) or 0


@pytest.mark.parametrize("door", DOORS)
def test_every_kind_of_mail_has_its_effect_by_every_door(house: House, people: dict[str, Told], door: str) -> None:
    posts = _posts(people)
    for post in posts:
        DOORS[door](house, post)
    wait_for(lambda: _count() == len(posts), f"{door} did not keep every mail")
    assert read_mail() == len(posts)
    with reading() as session:
        mails = {mail.recipient: mail for mail in session.scalars(select(InboundMail))}
        read = {post.recipient: (mails[post.recipient].kind, mails[post.recipient].state) for post in posts}
        assert list(read.values()) == [
            (Kind.TERMINATION, DeskState.SETTLED),
            (Kind.QUESTION, DeskState.FOR_PERSON),
            (Kind.RIGHTS_REQUEST, DeskState.FOR_PERSON),
            (Kind.LEAVE_NEWSLETTERS, DeskState.SETTLED),
            (Kind.AUTO_REPLY, DeskState.SETTLED),
            (Kind.BOUNCE, DeskState.SETTLED),
            (Kind.COMPLAINT, DeskState.SETTLED),
        ]
        assert {mail.door for mail in mails.values()} == {door}
        [one] = terminations(session)
        assert (one.state, one.contact_id) == (State.RECORDED, people["terminates"].contact.id)
        assert [mail.to_address for mail in sent(session, MailKind.TERMINATION_RECEIPT)] == ["terminates@example.nl"]
        due = select(Task.due_on).where(Task.kind == "rights_request")
        assert session.scalars(due).one() is not None
        bounced = session.scalars(select(Notice).where(Notice.message_row == people["bounces"].message.row)).one()
        assert bounced.state is not NoticeState.ACCEPTED
        for name in ("leaves", "complains"):
            contact = session.merge(people[name].contact, load=True)
            assert why_withheld(Channel.MARKETING, "news", consent.standing(session, contact)) is not None
    if door == "imap":
        assert (house.imap.count(), house.imap.count("UNSEEN")) == (len(posts), 0)
