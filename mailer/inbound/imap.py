"""The IMAP door: each mail is committed together with how far the mailbox was read, and marked as read after that.

A reader that dies between the two finds the mail again and knows it; one that starts with a mailbox it has not seen
takes what is unread there, and from then on all that comes, read by somebody or not.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mailer import doorbell
from mailer.clock import now
from mailer.db import reading, transaction
from mailer.inbound import actions as inbound
from mailer.inbound import doors, mailbox, queries
from mailer.inbound.doors import MAX_BYTES, READ_JOB
from mailer.inbound.mailbox import Fetched, Mailbox, Place
from mailer.inbound.models import InboundDoor
from mailer.settings import Settings

FETCHES = 3  # after so many that failed, a person is told of the mail
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds between two tries to connect

log = logging.getLogger(__name__)


@dataclass
class Reader:
    """Reads one mailbox until `stop` is set."""

    where: Place
    poll_seconds: float
    stop: threading.Event
    failed: Counter[int] = field(default_factory=Counter)
    _noted: float = 0.0

    def run(self) -> None:
        """Keep a connection, and make a new one after a growing pause when it is lost."""
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            begun = monotonic()
            try:
                with mailbox.opened(self.where) as box:
                    self.follow(box)
            except Exception as error:
                # whatever a server answers, or the database: nobody would notice that this thread has ended
                self._complain(error)
            pause = FIRST_PAUSE if monotonic() - begun > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self.stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads connections, hides nothing

    def follow(self, box: Mailbox) -> None:
        """Read what is there, then wait for more, until told to stop."""
        self._mark_again(box)
        while not self.stop.is_set():
            self.take_in(box)
            self._note()
            box.wait(self.poll_seconds, self._goes_on)

    def take_in(self, box: Mailbox) -> int:
        """Keep every mail that was not kept yet; how many."""
        with reading() as session:
            door = session.get(InboundDoor, self.where.name)
            is_known = door is not None and door.uid_validity == box.uid_validity
            uids = box.after(door.last_uid) if door and is_known else self._anew(session, box, door)
        for number, uid in enumerate(uids):
            if not self._goes_on():
                return number
            self._take_one(box, uid, moves_on=is_known)
        if not is_known:
            self._first_time_over(box, max(uids, default=0))
        if uids:
            doorbell.ring("chores", READ_JOB)
        return len(uids)

    def _anew(self, session: Session, box: Mailbox, door: InboundDoor | None) -> list[int]:
        """What to take where no number is known: the unread, and if they began anew all since we first read here.

        Of that, what was kept is known by its bytes. What people had read before we came stays theirs.
        """
        if door is None or door.uid_validity is None:
            return box.unread()
        first_at = queries.first_by(session, "imap") or door.seen_at or now()
        return box.unread_or_since((first_at - timedelta(days=1)).date())  # the server's zone may be another

    def _take_one(self, box: Mailbox, uid: int, *, moves_on: bool) -> None:
        mail = self._fetch(box, uid)
        with transaction(is_durable=True) as session:
            if mail.raw is not None:
                inbound.keep(
                    session, mail.raw, sender="", recipient="", door="imap", at=now(), received_at=mail.arrived_at
                )
            if moves_on:
                self._move_on(session, box.uid_validity, uid)
        if mail.raw is not None:
            box.mark_read([uid])

    def _fetch(self, box: Mailbox, uid: int) -> Fetched:
        """A mail; one that the server fails to give again and again is told to a person, so that others pass it."""
        if self.failed[uid] >= FETCHES:
            return Fetched(uid, _stand_in(self.where, box.uid_validity, uid), None)
        self.failed[uid] += 1
        mail = box.fetch(uid, MAX_BYTES)
        del self.failed[uid]
        return mail

    def _first_time_over(self, box: Mailbox, highest: int) -> None:
        with transaction() as session:
            doors.note(session, self.where.name, now())
            self._move_on(session, box.uid_validity, max(box.uid_next - 1, highest))

    def _move_on(self, session: Session, uid_validity: int, uid: int) -> None:
        mine = InboundDoor.name == self.where.name
        session.execute(update(InboundDoor).where(mine).values(uid_validity=uid_validity, last_uid=uid))

    def _mark_again(self, box: Mailbox) -> None:
        """Mark what was kept just before the reader died."""
        with reading() as session:
            door = session.get(InboundDoor, self.where.name)
        if door is not None and door.uid_validity == box.uid_validity:
            box.mark_read(box.unread(up_to=door.last_uid))

    def _goes_on(self) -> bool:
        if monotonic() - self._noted > doors.NOTE_EVERY.total_seconds():
            self._note()
        return not self.stop.is_set()

    def _note(self) -> None:
        with transaction() as session:
            doors.note(session, self.where.name, now())
        self._noted = monotonic()

    def _complain(self, error: Exception) -> None:
        """Tell the log and the database what is wrong; a server's words may hold an address, so they stay out."""
        if self.stop.is_set():
            return
        kind = type(error).__name__
        log.error("the mailbox cannot be read (%s); trying again", kind)
        try:
            with transaction() as session:
                doors.note(session, self.where.name, now(), f"cannot be read ({kind}): look at MAILER_IMAP_URL")
        except SQLAlchemyError:
            log.warning("the database could not be told either")


def start(config: Settings, stop: threading.Event) -> threading.Thread | None:
    """Read the mailbox of the settings beside what else this process does, if one is set."""
    if not config.imap_url:
        return None
    reader = Reader(mailbox.place(config.imap_url), config.imap_poll_seconds, stop)
    # a daemon: nothing is lost when the process ends in the middle of it
    thread = threading.Thread(target=reader.run, name="imap", daemon=True)
    thread.start()
    return thread


def _stand_in(where: Place, validity: int, uid: int) -> bytes:
    """What stands on the desk for a mail that the server does not give."""
    words = f"A mail in {where.folder} (UID {uid} of {validity}) could not be fetched {FETCHES} times. Read it there."
    return f"Subject: A mail that could not be fetched\r\n\r\n{words}\r\n".encode()
