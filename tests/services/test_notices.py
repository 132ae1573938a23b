"""What services say of notices: what they showed starts a clock, and who is a consumer; and what they read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mailer import clock
from mailer.contacts import queries as contacts
from mailer.notices import actions as notices
from mailer.notices import queries
from mailer.notices.models import Notice
from mailer.notices.rules import NoticeState, Via
from mailer.policies.models import Version
from tests.notices.conftest import AT, Release, accept, fan_out, message_of, release
from tests.services.conftest import ANNA, Trac

__all__ = ["release"]


@pytest.fixture
def bounced(trac: Trac, session: Session, release: Release) -> Version:
    """A version whose notice to Anna came back."""
    trac.say("contact.upserted", ANNA)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    anna = contacts.get_by_reference(session, "user-1")
    accept(session, version, anna)
    notices.bounced(session, message_of(session, version, anna), AT, "550")
    session.commit()
    return version


def show(trac: Trac, announcement: str, before: timedelta = timedelta()) -> Any:
    shown_at = (clock.now() if not before else AT - before).isoformat()
    data = {"reference": "user-1", "announcement": announcement, "shown_at": shown_at}
    return trac.say("announcement.shown", data).get_json()["result"]


def notice_of(session: Session, version: Version) -> Notice:
    session.expire_all()
    found = queries.find(session, version.id, contacts.get_by_reference(session, "user-1").id)
    assert found is not None
    return found


def test_a_version_that_was_shown_starts_the_clock_of_the_unreached(
    trac: Trac, session: Session, bounced: Version
) -> None:
    version_id = bounced.id
    assert show(trac, version_id)["counts"] is True
    notice = notice_of(session, bounced)
    assert (notice.state, notice.via) == (NoticeState.ACCEPTED, Via.ANNOUNCEMENT)
    assert notice.evidence.startswith("shown by service trac, call ")
    session.rollback()
    assert show(trac, version_id)["counts"] is False, "it was shown before"


@pytest.mark.parametrize(("announcement", "before"), [("cmp_1", timedelta()), ("", timedelta(days=1))])
def test_another_announcement_or_an_earlier_day_starts_nothing(
    trac: Trac, session: Session, bounced: Version, announcement: str, before: timedelta
) -> None:
    assert show(trac, announcement or bounced.id, before)["counts"] is False
    assert notice_of(session, bounced).state is NoticeState.UNREACHED


@pytest.mark.parametrize(("said", "is_consumer"), [(True, True), (False, False)])
def test_a_service_says_who_is_a_consumer_and_silence_changes_nothing(
    trac: Trac, session: Session, said: bool, is_consumer: bool
) -> None:
    trac.say("contact.upserted", ANNA | {"consumer": said})
    trac.say("contact.upserted", ANNA)
    assert contacts.get_by_reference(session, "user-1").is_consumer is is_consumer
    session.rollback()
    assert trac.get("/api/contacts/user-1").get_json()["is_consumer"] is is_consumer
    assert trac.say("contact.upserted", ANNA | {"consumer": "yes"}).status_code == 422


def test_the_standing_has_what_a_banner_in_a_service_needs(trac: Trac, bounced: Version) -> None:
    show(trac, bounced.id)
    told = trac.get("/api/contacts/user-1/standing").get_json()
    [pending] = told["pending"]
    assert pending["version_id"] == bounced.id
    assert pending["via"] == "announcement"
    assert pending["may_answer"] is True
    assert pending["needs_express_agreement"] is False
    assert (pending["respond_by_on"] < pending["binding_on"], pending["agreed"]) == (True, None)
