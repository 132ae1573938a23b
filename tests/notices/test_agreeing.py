"""People say that they agree by a click on their own link; it is about the text and about nothing else (S5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer.admin import erasure, merging
from mailer.consent.models import ConsentEvent, Subscription
from mailer.contacts import actions as contacts
from mailer.contacts.models import Contact
from mailer.ledger.models import Event, LedgerEntry
from mailer.notices import actions as notices
from mailer.notices import agreement, facts, queries
from mailer.notices.models import DeemedAgreement, ExpressAgreement
from mailer.notices.rules import FactKind
from mailer.policies.models import Version
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, TODAY, Release, accept, fan_out, message_of
from tests.notices.test_agreement import DAY, LATER, NOBODY, use


@pytest.fixture
def told(session: Session, release: Release) -> tuple[Version, Contact, str]:
    """A consumer who was told of a version, with the path of their own link."""
    anna = factories.contact(session)
    contacts.set_consumer(session, anna, True, AT, "stf_1")
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    [mail] = factories.in_hand(session, [message_of(session, version, anna).row], AT)
    notices.fill_in(session, [mail])
    assert mail.facts is not None
    accept(session, version, anna)
    session.commit()
    return version, anna, urlsplit(mail.facts["agree_url"]).path


def said(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_looking_says_nothing_and_pressing_says_it_once(
    client: FlaskClient, session: Session, told: tuple[Version, Contact, str]
) -> None:
    version, anna, path = told
    page = client.get(path)
    assert page.status_code == 200
    assert "as a consumer" in page.text
    assert version.sha256 in page.text
    assert anna.name not in page.text
    assert said(session, ExpressAgreement) == 0
    session.rollback()
    for _ in range(2):
        assert client.post(path).status_code == 303
    assert "You agreed with the change" in client.get(path).text
    assert said(session, ExpressAgreement) == 1
    assert [one.kind for one in facts.of(session, version.id, anna.id)][-1] is FactKind.AGREED
    for table, kind in ((LedgerEntry, LedgerEntry.kind), (Event, Event.kind)):
        assert session.scalar(select(func.count()).select_from(table).where(kind == "agreement.expressed")) == 1


def test_saying_yes_to_a_text_signs_up_for_nothing(
    client: FlaskClient, session: Session, told: tuple[Version, Contact, str]
) -> None:
    factories.topic(session)
    session.commit()
    client.post(told[2])
    assert said(session, ConsentEvent) == said(session, Subscription) == 0


@pytest.mark.parametrize("source", ["agreement", "Agreement/ver_1"])
def test_the_database_takes_no_agreement_for_consent(session: Session, source: str) -> None:
    anna = factories.contact(session, topics=["news"])
    with pytest.raises(DBAPIError, match="no consent"):
        session.execute(
            text(
                "INSERT INTO consent_events (contact_id, topic, act, basis, wording, source, at) "
                "SELECT contact_id, topic, act, basis, wording, :source, at FROM consent_events WHERE contact_id = :who"
            ),
            {"source": source, "who": anna.id},
        )


def test_a_consumer_is_never_deemed_to_agree(session: Session, told: tuple[Version, Contact, str]) -> None:
    version, anna, _ = told
    use(session, anna, EFFECTIVE_ON)
    assert agreement.deem(session, version, DAY, LATER, terminated=NOBODY, undecided=NOBODY) == 0
    row = DeemedAgreement(
        version_id=version.id, contact_id=anna.id, notified_on=TODAY, binding_on=EFFECTIVE_ON, used_on=DAY, at=LATER
    )
    session.add(row)
    with pytest.raises(DBAPIError, match="a consumer is not deemed to agree"):
        session.flush()


def test_who_said_yes_needs_nothing_derived(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    notice = accept(session, version, anna)
    assert agreement.agree(session, notice, "Yes.", "test", AT)
    use(session, anna, EFFECTIVE_ON)
    assert agreement.deem(session, version, DAY, LATER, terminated=NOBODY, undecided=NOBODY) == 0


def test_a_withdrawn_change_is_agreed_to_by_nobody(
    client: FlaskClient, session: Session, told: tuple[Version, Contact, str]
) -> None:
    version, _, path = told
    notices.withdraw(session, version, version.author_id or "", "A mistake.", AT)
    session.commit()
    assert "This change was withdrawn" in client.get(path).text
    assert client.post(path).status_code == 303
    assert said(session, ExpressAgreement) == 0


def test_the_link_of_a_merged_row_leads_to_the_person_and_of_an_erased_one_nowhere(
    client: FlaskClient, session: Session, told: tuple[Version, Contact, str]
) -> None:
    version, anna, path = told
    kept = factories.contact(session)
    session.commit()
    merging.merge(session, kept, anna, AT)
    session.commit()
    assert client.get(path).status_code == 404, "the kept one was not told yet"
    notices.catch_up(session, AT)
    mailing = queries.find_mailing(session, version.id)
    assert mailing is not None
    fan_out(session, mailing)
    session.commit()
    assert client.post(path).status_code == 303
    assert session.scalars(select(ExpressAgreement.contact_id)).all() == [kept.id]
    erasure.erase(session, kept, AT)
    session.commit()
    assert client.get(path).status_code == 404


def test_a_forged_link_is_404(client: FlaskClient, told: tuple[Version, Contact, str]) -> None:
    assert client.get(told[2] + "x").status_code == 404
    assert client.post("/agreements/nothing").status_code == 404
