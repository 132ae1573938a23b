"""What is sent while things go wrong: people, one campaign, one announcement, and single letters beside them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from mailer import doorbell
from mailer.campaigns import actions as campaigns
from mailer.campaigns.models import Campaign
from mailer.clock import now
from mailer.contacts.models import Contact
from mailer.db import transaction
from mailer.outbox import actions as outbox
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff
from rq_jobs import deliver, fan_out
from tests import factories
from tests.benchmarks.sending import people

CHORES = "chores"
BODY = "{{ greeting }}\n\nSearch is *faster* now, [see for yourself](https://leadmark.example/search).\n"


def add_people(count: int) -> Staff:
    """So many account holders who want the news, and a colleague who writes to them."""
    with transaction() as session:
        people.add(session, count, 0, now())
        return factories.staff(session)


def draft(author: Staff, kind: MailKind) -> str:
    """A campaign or an announcement, written and not sent; gives its id."""
    topic = people.NEWS if kind is MailKind.CAMPAIGN else None
    with transaction() as session:
        made = campaigns.create(session, kind=kind, name=kind.value, topic=topic, author_id=author.id, at=now())
        campaigns.edit(session, made, name=kind.value, subject="What is new", body=BODY, topic=topic, at=now())
        return made.id


def send(author: Staff, kind: MailKind) -> str:
    """Write one and release it, as its page does; gives its mailing."""
    campaign_id = draft(author, kind)
    with transaction() as session:
        mailing = campaigns.send(session, session.get_one(Campaign, campaign_id), author.id, now())
    doorbell.ring(CHORES, fan_out.JOB, mailing.id)
    return mailing.id


@dataclass
class Letters:
    """Single letters, put one by one at an even pace; `kept` are the rows whose transaction was committed."""

    count: int
    pause: float
    kept: list[int] = field(default_factory=list)

    @contextmanager
    def on_their_way(self) -> Iterator[Letters]:
        """Put them during the block; at its end all of them are put."""
        with transaction() as session:
            content_id = factories.content(session)
        thread = threading.Thread(target=self._put_all, args=(content_id,), name="letters")
        thread.start()
        try:
            yield self
        finally:
            thread.join()

    def _put_all(self, content_id: str) -> None:
        for number in range(1, self.count + 1):
            while not self._put(number, content_id):
                time.sleep(0.2)  # the database is away: whoever writes asks again with the same key
            time.sleep(self.pause)

    def _put(self, number: int, content_id: str) -> bool:
        key = f"letter/{content_id}/{number}"
        try:
            with transaction() as session:
                contact = session.get_one(Contact, people.id_of(number))
                row = outbox.put(
                    session, kind=MailKind.ADMINISTRATIVE, contact=contact, content_id=content_id, key=key, at=now()
                ).row
        except DBAPIError:
            return False
        self.kept.append(row)
        doorbell.ring("essential", deliver.JOB, "essential")
        return True
