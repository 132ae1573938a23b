"""A material change as it goes in life: three people told by real mail; one terminates, one mail comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import clock, db, settings
from mailer.admin import evidence
from mailer.consent.rules import Channel
from mailer.ledger import actions as ledger
from mailer.notices.proof import verify
from mailer.outbox.models import Message
from rq_jobs.deliver import deliver
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.inbound import world
from tests.notices.conftest import Release, fan_out, message_of

KEYS = "a-key-for-evidence-" * 3
PEOPLE = {"anna": "Anna de Vries", "bas": "Bas Smit", "cora": "Cora Visser"}
Said = tuple[int, str]
Check = Callable[[bytes], Said]


@dataclass(frozen=True)
class Story:
    """The version, and the ids of the people by first name."""

    version: str
    people: dict[str, str]

    def bundle(self, who: str) -> bytes:
        """The evidence of one person as the doors give it."""
        return evidence.give(self.people[who], self.version, "test", clock.now()).data

    def whole(self) -> bytes:
        return evidence.give_whole(self.version, "test", clock.now()).data


@pytest.fixture
def story(session: Session, database: str, configure: Configure, release: Release) -> Story:
    """Anna was told and terminates by a reply, Bas's mail came back, Cora was told."""
    with sink.running() as server:
        url = database if database.startswith("postgresql") else ""
        configure(secret_keys=KEYS, smtp_essential=server.url, database_url=url, trusted_authserv_ids="mx.test")
        told = {
            first: factories.contact(session, f"{first}@people.example", name=name, reference=f"ref-{first}")
            for first, name in PEOPLE.items()
        }
        version, mailing = release()
        assert mailing is not None
        fan_out(session, mailing)
        session.execute(update(Message).values(due_at=clock.now() - timedelta(minutes=1)))
        session.commit()
        assert deliver(Channel.ESSENTIAL) == len(PEOPLE)
    session.expire_all()
    reply = world.address(message_of(session, version, told["anna"]), "reply")
    bounce = world.address(message_of(session, version, told["bas"]), "bounce")
    at = clock.now()
    raw = world.letter("Ik zeg op.", sender="anna@people.example", to=reply, proven=True)
    world.take_in(session, raw, reply, at=at, sender="anna@people.example")
    world.take_in(session, world.report(bounce), bounce, at=at, sender="")
    made = Story(version.id, {first: contact.id for first, contact in told.items()})
    session.commit()
    publish()
    return made


def publish(days: int = 0) -> None:
    """Publish the head of a day."""
    now = clock.now() + timedelta(days=days)
    with db.transaction() as session:
        ledger.publish(session, clock.local_day(now, settings.current().zone), now)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run the program that lies in the bundle's own package on a bundle: its exit code, and what it says first."""

    def run(data: bytes) -> Said:
        path = tmp_path / "evidence.zip"
        path.write_bytes(data)
        return run_verifier(Path(verify.__file__), path)

    return run


def run_verifier(program: Path, *arguments: Path) -> Said:
    """Run it as a stranger would: nothing of ours and no packages can be imported."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program), *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()[0]


def files_of(data: bytes, tmp_path: Path) -> dict[str, bytes]:
    """What is in an archive."""
    path = tmp_path / "read.zip"
    path.write_bytes(data)
    return verify.read(str(path))


def messages_of(session: Session, contact_id: str) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.contact_id == contact_id).order_by(Message.row)))
