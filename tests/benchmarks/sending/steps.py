"""The steps of a run that want the product's own code: each is a process of its own, with the house's settings.

    python -m tests.benchmarks.sending.steps STEP …

Each prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import select as waiting
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from mailer import doorbell, settings
from mailer import redis_server as embedded
from mailer.campaigns import actions as campaigns
from mailer.clock import now
from mailer.contacts.models import Contact
from mailer.db import engine, reading, transaction
from mailer.migrations import migrate
from mailer.outbox import actions as outbox
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff
from rq_jobs import deliver
from rq_jobs.fan_out import fan_out
from tests import factories
from tests.benchmarks.sending import bare, letter, people

LETTER_TO = "essential/{}"


def do_migrate(_given: argparse.Namespace) -> dict[str, Any]:
    """An empty database of this release."""
    return {"head": migrate()}


def do_people(given: argparse.Namespace) -> dict[str, Any]:
    """People who want news, and the author of the campaigns."""
    with transaction() as session:
        factories.staff(session)
        count = people.add(session, given.people, given.few, now())
    if engine().dialect.name == "postgresql":  # a large load is followed by it sooner or later
        with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return {"people": count}


def do_campaign(given: argparse.Namespace) -> dict[str, Any]:
    """A campaign written, frozen and released by the product's own actions; its messages are not made yet."""
    with transaction() as session:
        author = session.scalars(select(Staff).order_by(Staff.id)).first()
        assert author is not None
        made = campaigns.create(
            session, kind=MailKind.CAMPAIGN, name="Bench", topic=given.topic, author_id=author.id, at=now()
        )
        subject = f"{letter.SUBJECT} ({made.id[-6:]})"  # each run has wording of its own to compile
        campaigns.edit(session, made, name="Bench", subject=subject, body=letter.body(), topic=given.topic, at=now())
        mailing = campaigns.send(session, made, author.id, now())
        contents = session.scalars(select(Content).where(Content.id.in_(mailing.contents.values())))
        sizes = {content.locale: [len(content.html), len(content.text)] for content in contents}
    return {"mailing": mailing.id, "html_and_text": sizes}


def do_fan_out(given: argparse.Namespace) -> dict[str, Any]:
    """Run the real job. Its bells ring in a Redis that nobody listens to, so that no worker begins yet."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-bench-redis-"))
    with embedded.running(folder, folder / "redis.sock") as url:
        os.environ["MAILER_REDIS_URL"] = url
        doorbell.redis().ping()
        begun = time.monotonic()
        fan_out(given.mailing)
        seconds = time.monotonic() - begun
    shutil.rmtree(folder)
    return {"seconds": seconds} | _rows(given.mailing)


def do_insert_select(given: argparse.Namespace) -> dict[str, Any]:
    """The same rows without a look at consent."""
    return {"seconds": bare.insert_select(given.mailing, given.people)} | _rows(given.mailing)


def _rows(mailing_id: str) -> dict[str, int]:
    query = "SELECT min(id), max(id), count(*) FROM messages WHERE mailing_id = :mailing"
    with reading() as session:
        first, last, count = session.execute(text(query), {"mailing": mailing_id}).one()
    return {"first": first, "last": last, "count": count}


def do_ring(_given: argparse.Namespace) -> dict[str, Any]:
    """Ring once for each worker of the lane; when the first bell was rung, in seconds since 1970."""
    lane, bells = "marketing", getattr(settings.current(), "marketing_workers", 1)
    doorbell.redis().ping()
    at = time.time()
    for _ in range(bells):
        doorbell.ring(lane, deliver.JOB, lane)
    return {"at": at}


def do_letters(given: argparse.Namespace) -> dict[str, Any]:
    """Put essential letters at an even pace, one a person from number `first` on; `until_told` by a line, or all.

    When each was asked for, in seconds since 1970, by address: before its transaction begins.
    """
    asked: dict[str, float] = {}
    with transaction() as session:
        content_id = factories.content(session)
    doorbell.redis().ping()
    print("ready", flush=True)
    begun = time.monotonic()
    for number in range(given.count):
        pause = max(0.0, begun + number / given.rate - time.monotonic())
        if given.until_told and waiting.select([sys.stdin], [], [], pause)[0]:
            break
        time.sleep(max(0.0, begun + number / given.rate - time.monotonic()))
        at = time.time()
        with transaction() as session:
            contact = session.get_one(Contact, people.id_of(given.first + number))
            assert contact.primary is not None
            outbox.put(
                session,
                kind=MailKind.ADMINISTRATIVE,
                contact=contact,
                content_id=content_id,
                key=LETTER_TO.format(contact.id),
                at=now(),
            )
            address = contact.primary.email
        doorbell.ring("essential", deliver.JOB, "essential")
        asked[address] = at
    return {"asked": asked}


STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "migrate": do_migrate,
    "people": do_people,
    "campaign": do_campaign,
    "fan-out": do_fan_out,
    "insert-select": do_insert_select,
    "ring": do_ring,
    "letters": do_letters,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=STEPS)
    for name in ("people", "few", "first", "count"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--until-told", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--topic", default=people.NEWS)
    parser.add_argument("--mailing", default="")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # they are the tests' to mind
    print(json.dumps(STEPS[given.step](given)), flush=True)
    if given.step == "ring":  # the sending has begun, and tidying up takes a quarter of a second of a core from it
        os._exit(0)


if __name__ == "__main__":
    main()
