"""A person's clock by the settings in force: the company's time zone and its country's holidays (DESIGN §5)."""

from __future__ import annotations

from datetime import date, datetime

from mailer import clock, settings
from mailer.notices import letters, mail, rules
from mailer.notices.rules import Clock, Days, Via
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of


def day_of(at: datetime) -> date:
    """The local day of an instant."""
    return clock.local_day(at, settings.current().zone)


def on(version: Version, notified_on: date) -> Clock:
    """The clock of somebody who was told of a version on this local day."""
    return rules.clock_of(notified_on, version.effective_on, holidays_of(settings.current().country))


def explained(version: Version, days: Days, via: Via) -> str:
    """How a clock was computed, in words; it says the days it is given, also where holidays are others by now."""
    plain = on(version, days.notified_on).plain_end_on
    mine = Clock(days.notified_on, plain, days.respond_by_on, days.binding_on, version.effective_on)
    return mail.explain(mine, letters.company().place, opening=mail.OPENINGS[via])
