"""What a bundle is made of: plain values that the rooms above hand down, and the files that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from mailer.errors import Conflict, NotFound

Files = dict[str, bytes]


class NothingToProve(NotFound):
    """A person who has no notice of a version, or a version of which nobody has one."""


class NotProven(Conflict):
    """The ledger does not bear out what a bundle would say; no bundle is made of it."""


@dataclass(frozen=True)
class Received:
    """A mail that came in: a bounce, a reply. `raw` is empty once its sender was erased."""

    id: str
    sha256: str
    received_at: datetime
    door: str
    kind: str
    raw: bytes


@dataclass(frozen=True)
class Terminated:
    """A request to terminate; `received_at` is the first mail's time."""

    id: str
    source_id: str
    state: str
    timing: str
    received_at: datetime
    received_on: date
    respond_by_on: date | None
    recorded_at: datetime | None


@dataclass(frozen=True)
class Answers:
    """What came back from one person about one version."""

    received: tuple[Received, ...] = ()
    terminated: tuple[Terminated, ...] = ()
