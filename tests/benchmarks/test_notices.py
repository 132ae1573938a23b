"""`make bench-notices`: what it fills is what it says, and it asks for pages that show what it means to measure."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import clock
from mailer.notices import figures
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.rules import NoticeState
from tests.benchmarks.notices import __main__ as bench
from tests.benchmarks.notices import fill
from tests.conftest import Configure

PEOPLE = 400


def test_what_is_filled_in_is_counted_as_it_came(session: Session) -> None:
    version = fill.add(session, PEOPLE)
    found = figures.of(session, version.id, fill.EFFECTIVE_ON)
    by_state = select(Notice.state, func.count()).where(Notice.version_id == version.id).group_by(Notice.state)
    counted = dict(session.execute(by_state).all())
    assert counted == {NoticeState.ACCEPTED: 384, NoticeState.UNREACHED: 12, NoticeState.PLANNED: 4}
    totals = found.totals
    assert (totals.accepted, totals.unreached, totals.planned, totals.concerned) == (384, 12, 4, PEOPLE)
    assert totals.deemed == session.scalar(select(func.count()).select_from(DeemedAgreement))
    assert found.unreached_by_reason == {"bounced": 4, "dead_address": 4, "refused": 4}


def test_every_page_that_is_measured_shows_what_it_means_to(
    session: Session, configure: Configure, signed_in: Callable[..., FlaskClient]
) -> None:
    configure(demo=True)
    clock.move_to(bench.TODAY)
    version = fill.add(session, PEOPLE)
    session.commit()
    took = bench.measure(signed_in(), version.id, PEOPLE)
    assert set(took) == set(bench.pages(signed_in(), version.id, PEOPLE))
    assert all(milliseconds > 0 for milliseconds in took.values())
    assert bench.counting(version.id) > 0
    assert bench.settling(version.id) > 0
    assert figures.totals(session, [version.id])[version.id].planned == 0, "settled by the last measure"
