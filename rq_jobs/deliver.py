"""Drain a lane: claim a batch, look, hand over, settle the last while the next is under way (DESIGN §4, §8).

A job is a lane, not a mail. It may run twice and beside another: the lease decides (STYLE §6). One transaction settles
a finished batch and claims the next; none is open while the network is.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from mailer import doorbell, settings, stopping
from mailer.clock import now
from mailer.consent.rules import LOOK_HOLDS_SECONDS, Channel
from mailer.db import reading, transaction
from mailer.delivery import routes
from mailer.delivery.hand import Hand, Lot
from mailer.delivery.pacing.sorting import pacer
from mailer.delivery.pump import Pump
from mailer.outbox import journal as journals
from mailer.outbox import lanes, mailings
from mailer.outbox.actions import PARCEL
from mailer.outbox.journal import Journal
from mailer.outbox.outgoing import Answer, Batch, Done
from mailer.outbox.rules import Outcome
from rq_jobs import recover, settle

JOB = "rq_jobs.deliver.deliver"
CLAIM = 100  # single messages at once
# no mail begins after that: far within RQ's own time-out, which would strike at any line (TRAPS 9)
DRAIN_SECONDS = 60.0
LOOKS_EVERY = 0.5  # seconds between two looks for more while the last mails are on the wire
LONGEST_PAUSE = 5.0  # seconds that a worker waits for its pace in a job; beyond, the next look is soon enough
LATEST_RECORD = 1.0  # seconds from an answer until it is in the database, however long the rest of its batch takes
ROUND = 0.05
GRACE = 5.0  # seconds for what is on the wire when this process is asked to end


def deliver(lane: str) -> int:
    """Send what is due on a lane (`essential` or `marketing`); how many mails a server took."""
    recover.from_journals()
    shift = Shift(Channel(lane), time.monotonic() + DRAIN_SECONDS)
    try:
        shift.work()
        shift.end()
    except BaseException:
        shift.abandon()
        raise
    if shift.has_more:
        doorbell.ring(lane, JOB, lane)  # out of time, not out of mail: the next job goes on
    return shift.accepted


class Shift:
    """One turn of a worker at a lane: until it is empty, its servers are away, or the time is over."""

    def __init__(self, channel: Channel, until: float) -> None:
        config = settings.current()
        self.accepted = 0
        self.has_more = False
        self._channel = channel
        self._until = until
        self._is_empty = False
        self._goes_on = True  # looked at between two rounds, not at each mail
        self._claims_at = 0.0
        self._looks_at = 0.0
        self._data_dir = config.data_dir
        self._begins_within = float(config.lease_seconds)
        # connecting, one transaction, and as long again to write its answer down (TRAPS 9)
        self._lease = timedelta(seconds=2 * config.smtp_timeout_seconds + config.lease_seconds)
        self._pacer = pacer(channel, routes.routes_for(channel))
        self._routes = self._pacer.usable(now())
        self._hand = Hand(self._pacer, self._routes, lambda: self._goes_on, now)
        self._low = sum(route.connections for route in self._routes)
        self._pump = Pump(self._routes, self._hand, self._low, config.smtp_timeout_seconds)

    def work(self) -> None:
        """Hand over until nothing is left that may go."""
        if not self._routes:
            return
        hand = self._hand
        while self._goes_on and not self._is_cut_off():
            at = time.monotonic()
            self._goes_on = at < self._until and not stopping.is_asked()
            if len(hand) < self._low and at >= self._claims_at:
                self._turn_over()
            elif any(at - lot.written_at >= LATEST_RECORD for lot in hand.lots):
                self._write()
            if hand.is_stale or (at >= self._looks_at and hand.ages(at)):
                self._look_again()
            if hand or self._pump.busy:
                self._pump.turn(ROUND, hand.wanted())
            elif self._is_empty:
                return
        self.has_more = not self._is_cut_off() and not stopping.is_asked()

    def end(self) -> None:
        """Let what is on the wire come to its end, write it down, give the rest back."""
        self._pump.close(GRACE)
        self._write(is_end=True)

    def abandon(self) -> None:
        """After a failure: whatever was written or not, the journals know, and `recover` settles by them."""
        self._pump.close(GRACE)
        for lot in self._hand.lots:
            lot.journal.close(is_done=False)

    def _is_cut_off(self) -> bool:
        """Whether no route's server can be reached."""
        return len(self._hand.down) >= len(self._routes)

    def _turn_over(self) -> None:
        """Settle what is complete and claim the next batch, in one transaction.

        The claim of marketing outlives a loss of power, lest what went out under it goes out again.
        """
        at, looked_at = now(), time.monotonic()
        may_claim = self._pacer.why_not_now(at) is None
        journal: Journal | None = None
        try:
            with transaction(is_durable=self._channel is Channel.MARKETING) as session:
                self._settle(session, at, [lot for lot in self._hand.lots if lot.is_complete])
                batch = self._claim(session, at) if may_claim else None
                if batch is not None:
                    size = PARCEL if batch.parcel is not None else CLAIM
                    journal = journals.for_lease(self._data_dir, batch.token, size)
        except BaseException:
            if journal is not None:  # whether the lease stands or not, this says that nothing was begun under it
                journal.close(is_done=False)
            raise
        self._let_go()
        self._is_empty = batch is None
        self._claims_at = looked_at + (LOOKS_EVERY if batch is None else 0)
        if batch is not None and journal is not None:
            lot = Lot(batch, journal, looked_at, looked_at + self._begins_within, looked_at)
            self._hand.add(lot)
            self._look_at(lot, at)

    def _look_at(self, lot: Lot, at: datetime) -> None:
        """Read the mails of a lot, with the look; no lock is held meanwhile, for others want to write."""
        batch = lot.batch
        lot.looked_at = time.monotonic()
        self._looks_at = lot.looked_at + LOOK_HOLDS_SECONDS / 2
        with reading() as session:
            lanes.look_at(session, batch, at)
            settle.make_ready(session, batch, at)
        if batch.stopped or batch.held or not batch.mails:
            with transaction() as session:
                settle.stop(session, batch, at)
            self._let_go()
        if batch.mails:
            self._sort(lot, at)

    def _sort(self, lot: Lot, at: datetime) -> None:
        """Take in hand what may go now; what waits for its pace goes back, and wakes us when its time comes."""
        found = self._pacer.sort(lot.batch.mails, self._routes, at)
        self._hand.place(lot, found.placed)
        if found.put_off or found.back:
            with transaction() as session:
                settle.write_down(session, lot.batch, found.put_off, at)
                lanes.give_back(session, lot.batch, found.back, at)
                for mailing_id, until in found.holds.items():
                    mailings.hold(session, mailing_id, until)
            self._let_go()
        if found.ask_at is not None:
            wait = (found.ask_at - at).total_seconds()
            self._claims_at = time.monotonic() + wait
            self._is_empty = wait > LONGEST_PAUSE

    def _claim(self, session: Session, at: datetime) -> Batch | None:
        batch = lanes.claim(session, self._channel, at, self._lease, CLAIM)
        return batch or lanes.take_parcel(session, self._channel, at, self._lease)

    def _write(self, *, is_end: bool = False) -> None:
        """Settle what is known by now, and hold on to the rest; at the end give it back."""
        if not self._hand.lots:
            return
        at, begun = now(), time.monotonic()
        lost: list[Lot] = []
        with transaction() as session:
            if is_end and self._is_cut_off():
                self._blame_the_way(at)
            self._settle(session, at, self._hand.lots)
            for lot in self._hand.lots:
                if is_end:
                    lanes.give_back(session, lot.batch, self._hand.of(lot), at)
                elif lot.batch.left and not lanes.extend(session, lot.batch, at + self._lease):
                    lost.append(lot)
                else:
                    lot.begins_until = begun + self._begins_within
                lot.written_at = begun
        for lot in lost:
            self._hand.drop(lot)
        self._let_go()

    def _settle(self, session: Session, at: datetime, lots: list[Lot]) -> None:
        for lot in lots:
            self.accepted += settle.write_down(session, lot.batch, lot.done, at)
            lot.done = []

    def _blame_the_way(self, at: datetime) -> None:
        """One mail says why nothing goes; the others wait untouched."""
        held = self._hand.take_one()
        if held is not None:
            route, words = next(iter(self._hand.down.items()))
            held.lot.done.append(Done(held.mail, at, Answer(Outcome.DEFERRED, 0, words, route)))

    def _look_again(self) -> None:
        """Look at what was not begun as if it was claimed now. No lock is taken unless something is to be stopped."""
        at, looked_at = now(), time.monotonic()
        self._looks_at = looked_at + LOOK_HOLDS_SECONDS / 2
        lots = [lot for lot in self._hand.lots if looked_at - lot.looked_at > LOOK_HOLDS_SECONDS / 4]
        with reading() as session:
            stopped = [(lot, settle.stopped(session, self._hand.of(lot), at)) for lot in lots]
        if any(done for _, done in stopped):
            with transaction() as session:
                for lot, done in stopped:
                    settle.write_down(session, lot.batch, done, at)
        for lot, done in stopped:
            self._hand.bar(lot, {one.mail.row for one in done})
            lot.looked_at = looked_at
        self._hand.is_stale = False
        self._let_go()

    def _let_go(self) -> None:
        """Drop the lots that are settled, with their journals."""
        for lot in [lot for lot in self._hand.lots if not lot.batch.left]:
            self._hand.lots.remove(lot)
            lot.journal.close(is_done=True)
