"""All that the page of one version says: its numbers, charts, calendar, and what is at risk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.consent.rules import Withheld
from mailer.delivery.outlook import Stand
from mailer.notices import calendar, chart, figures, queries, sending, settling
from mailer.notices.calendar import Course, Entry
from mailer.notices.chart import Chart
from mailer.notices.figures import Figures
from mailer.notices.listing import Show
from mailer.notices.models import Notice
from mailer.notices.sending import Sending
from mailer.policies import queries as policies
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of
from mailer.terminations.models import Termination
from mailer.terminations.rules import TERMINATES, UNDECIDED, State

REASONS = {
    figures.REFUSED: "their mail server refused it",
    figures.BOUNCED: "it came back",
    Withheld.DEAD_ADDRESS: "the address is known to be dead",
    Withheld.NO_ADDRESS: "no address is known",
    Withheld.ERASED: "the person was erased",
    Withheld.SUPPRESSED: "mail to the address is stopped",
    Withheld.CLOSED: "the account is closed",
    Withheld.CANCELLED: "the mailing was stopped before",
}
VIAS = {"mail": "mail", "announcement": "an announcement that a service showed", "letter": "a letter"}


def why_lost(why: str) -> tuple[str, str]:
    """Why a notice reached nobody, in words, and what a server said where it came back; two empty texts if unknown."""
    if why == settling.REFUSED:
        return REASONS[figures.REFUSED], ""
    if not why or why in REASONS:
        return REASONS.get(why, ""), ""
    return REASONS[figures.BOUNCED], why


@dataclass(frozen=True)
class Number:
    """A number that opens what it counts."""

    n: int
    label: str
    query: dict[str, str]


@dataclass(frozen=True)
class Summary:
    """One version's notices on a day."""

    version: Version
    today: date
    figures: Figures
    sending: Sending | None
    terminated_on: Counter[date]
    undecided: int
    is_withdrawn: bool
    is_tried: bool

    @property
    def is_pending(self) -> bool:
        return self.version.effective_on > self.today

    @property
    def may_be_corrected(self) -> bool:
        """Whether the notice may go out again, put right: it is pending, and each mail of it had its first try."""
        totals = self.figures.totals
        return self.is_tried and self.is_pending and not self.is_withdrawn and totals.accepted + totals.planned > 0

    @property
    def terminated(self) -> int:
        return self.terminated_on.total()

    @property
    def counts(self) -> dict[Show, int]:
        """How many people each filter of the list shows."""
        totals = self.figures.totals
        return {
            Show.ALL: totals.concerned,
            Show.PLANNED: totals.planned,
            Show.ACCEPTED: totals.accepted,
            Show.OPEN: self.figures.may_answer,
            Show.LATE: self.figures.bound_later_than(self.version.effective_on),
            Show.UNREACHED: totals.unreached,
            Show.ENDED: totals.ended,
            Show.TERMINATED: self.terminated,
            Show.DEEMED: totals.deemed,
            Show.AGREED: totals.agreed,
        }

    @property
    def numbers(self) -> list[Number]:
        """The funnel, from everybody concerned to who agreed; what is nought and seldom is left out."""
        counts = self.counts
        return [
            Number(counts[show], label, {"state": show.value} if show else {})
            for show, (label, is_always) in FUNNEL.items()
            if is_always or counts[show]
        ]

    @property
    def reasons(self) -> list[Number]:
        """Why people were not reached."""
        found = self.figures.unreached_by_reason.items()
        return [Number(n, REASONS.get(why, why), {"state": Show.UNREACHED.value, "reason": why}) for why, n in found]

    @property
    def vias(self) -> list[tuple[str, int]]:
        """By what people were told; empty where mail alone did it."""
        found = self.figures.told_by_via
        return [(VIAS.get(via, via), n) for via, n in found.items()] if set(found) - {"mail"} else []

    @property
    def charts(self) -> list[Chart]:
        zone = settings.current().zone
        released_on = clock.local_day(self.version.released_at, zone)
        both = (
            chart.told(self.figures, released_on, zone),
            chart.answered(self.figures, self.terminated_on, released_on, zone),
        )
        return [one for one in both if one is not None]

    @property
    def calendar(self) -> list[Entry]:
        """What happens when; nothing of a version that was withdrawn."""
        if self.is_withdrawn or not self.figures.totals.concerned:
            return []
        config = settings.current()
        finish = self.sending.outlook.finish if self.sending else None
        return calendar.entries(
            Course(
                released_on=clock.local_day(self.version.released_at, config.zone),
                effective_on=self.version.effective_on,
                figures=self.figures,
                holidays=holidays_of(config.country),
                finish_on=clock.local_day(finish, config.zone) if finish else None,
                remind_days=config.remind_days_before,
            )
        )


FUNNEL = {
    Show.ALL: ("concerned", True),
    Show.PLANNED: ("waiting for the mail server", True),
    Show.ACCEPTED: ("told", True),
    Show.UNREACHED: ("unreached", True),
    Show.OPEN: ("may still answer", True),
    Show.LATE: ("told late, bound later", False),
    Show.TERMINATED: ("terminated", True),
    Show.DEEMED: ("deemed to agree", True),
    Show.AGREED: ("agreed by a click", False),
    Show.ENDED: ("ended", False),
}


def of(session: Session, version: Version, at: datetime) -> Summary:
    """The summary of a version at an instant, in a handful of small statements."""
    today = clock.local_day(at, settings.current().zone)
    found = figures.of(session, version.id, today)
    sent = sending.of(session, version, at, found.totals.planned)
    return Summary(
        version=version,
        today=today,
        figures=found,
        sending=sent,
        terminated_on=_terminated_on(session, version.id),
        undecided=session.scalar(select(func.count()).select_from(_requests(version.id, UNDECIDED).subquery())) or 0,
        is_withdrawn=policies.is_withdrawn(session, version.id),
        is_tried=sent is not None
        and (sent.outlook.stand is Stand.SENT or not queries.has_parcels(session, sent.mailing)),
    )


def _terminated_on(session: Session, version_id: str) -> Counter[date]:
    """How many of those told of a version terminated on each day, by their first request."""
    first = _requests(version_id, TERMINATES).subquery().c
    query = select(first.received_on, func.count()).group_by(first.received_on)
    return Counter({day: int(n) for day, n in session.execute(query)})


def _requests(version_id: str, states: frozenset[State]) -> Select[str, date]:
    """Who of those told of a version asked to terminate over it, or altogether, and on which day first."""
    concerns = or_(Termination.version_id == version_id, Termination.version_id.is_(None))
    told = exists().where(Notice.version_id == version_id, Notice.contact_id == Termination.contact_id)
    query = select(Termination.contact_id, func.min(Termination.received_on).label("received_on"))
    return query.where(concerns, Termination.state.in_(states), told).group_by(Termination.contact_id)
