"""The clock: only doors read it. Instants are aware UTC; legal days are dates in the company's zone (DESIGN §5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer import settings
from mailer.errors import MailerError

SHIFT_FILE = "demo-clock"


class ClockNotMovable(MailerError):
    """Only the demo's clock may be moved."""


def now() -> datetime:
    """The present instant, aware, in UTC; in the demo, moved by what `move_to` was told."""
    real = datetime.now(UTC)
    return real + _shift(settings.current().data_dir) if settings.current().demo else real


def move_to(instant: datetime) -> None:
    """Set the demo's clock for every process on this data folder; it goes on from there."""
    if not settings.current().demo:
        raise ClockNotMovable("The clock can be moved in the demo only: start it with `mailer up --demo`.")
    seconds = (instant - datetime.now(UTC)).total_seconds()
    path = settings.current().data_dir / SHIFT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".new")
    whole.write_text(repr(seconds))
    whole.replace(path)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day on which `instant` falls in `zone`."""
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins in `zone`, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _shift(data_dir: Path) -> timedelta:
    try:
        return timedelta(seconds=float((data_dir / SHIFT_FILE).read_text()))
    except FileNotFoundError:
        return timedelta()
