"""`mailer policy …` takes a draft all the way to people's mail, with every guard of the pages."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, doorbell, settings
from mailer.cli import main
from mailer.errors import MailerError
from mailer.notices.cli import policy
from mailer.outbox.models import Mailing
from mailer.outbox.rules import MailingState
from mailer.policies import actions as policies
from mailer.policies import queries
from mailer.policies.actions import Wording
from mailer.policies.models import Version
from mailer.policies.rules import NeedsSecondPerson, NoticeTooShort, earliest_effective, holidays_of
from mailer.staff.rules import Role
from tests import factories

NEW_TEXT = factories.POLICY_TEXT.replace("two years", "seven years")
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def draft_id(session: Session) -> str:
    """A material draft of anna's; bram may approve it, max works elsewhere."""
    at = clock.now()
    anna = factories.staff(session, Role.POLICY, email="anna@company.example", name="Anna")
    factories.staff(session, Role.POLICY, email="bram@company.example", name="Bram")
    factories.staff(session, Role.MARKETING, email="max@company.example", name="Max")
    wording = Wording(NEW_TEXT, effective_on=earliest(), summary="Seven years.")
    made = policies.draft(session, factories.policy(session), NEW_TEXT, anna.id, at, wording)
    session.commit()
    return made.id


def earliest() -> date:
    config = settings.current()
    return earliest_effective(clock.local_day(clock.now(), config.zone), holidays_of(config.country))


def run(*words: str) -> str:
    return CliRunner().invoke(policy, words, catch_exceptions=False).output


def test_a_draft_is_submitted_approved_and_released_with_its_mail(
    session: Session, redis_server: Redis, draft_id: str
) -> None:
    assert "needs 1 approval by others" in run("submit", draft_id, "--by", "anna@company.example")
    with pytest.raises(NeedsSecondPerson):
        run("release", draft_id, "--by", "anna@company.example")
    assert "approved by 1 of the 1" in run("approve", draft_id, "--by", "BRAM@company.example")
    assert f"{draft_id} privacy" in run("drafts")
    said = run(
        "release", draft_id, "--by", "anna@company.example", "--effective-on", str(earliest() + timedelta(days=3))
    )
    assert "Version 2 of “Privacy statement” is released" in said
    assert "Everyone concerned is being mailed." in said
    version = session.scalars(select(Version).where(Version.number == 2)).one()
    assert version.effective_on == earliest() + timedelta(days=3)
    assert session.scalars(select(Mailing.subject_id)).all() == [version.id]
    session.commit()
    assert doorbell.queue("chores").count == 1
    said = run("withdraw", "privacy", "2", "--by", "bram@company.example", "--reason", "A mistake.")
    assert "is withdrawn; 0 people already told get a mail" in said


def test_the_guards_of_the_pages_hold_here_too(session: Session, draft_id: str) -> None:
    for email, words in (("max@company.example", "may not work on policies"), ("x@y.example", "has no account")):
        with pytest.raises(MailerError, match=words):
            run("submit", draft_id, "--by", email)
    run("submit", draft_id, "--by", "anna@company.example")
    run("approve", draft_id, "--by", "bram@company.example")
    with pytest.raises(MailerError, match="earlier than the approved"):
        run("release", draft_id, "--by", "anna@company.example", "--effective-on", "2020-01-01")
    assert session.scalars(select(Version.number)).all() == [1]


def test_a_date_too_early_is_refused_with_the_lawful_one(session: Session, draft_id: str) -> None:
    draft = queries.get_draft(session, draft_id)
    words = Wording(NEW_TEXT, effective_on=earliest() - timedelta(days=1), summary="Seven years.")
    policies.edit(session, draft, words, draft.author_id, clock.now())
    session.commit()
    run("submit", draft_id, "--by", "anna@company.example")
    run("approve", draft_id, "--by", "bram@company.example")
    with pytest.raises(NoticeTooShort, match="earliest lawful date"):
        run("release", draft_id, "--by", "anna@company.example")


def test_the_front_door_has_the_whole_way(session: Session, tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["policy", "--help"]).output
    for command in ("import", "list", "diff", "diff-files", "drafts", "submit", "approve", "release", "withdraw"):
        assert f"  {command} " in said


def test_a_notice_is_corrected_from_the_command_line(session: Session, redis_server: Redis, draft_id: str) -> None:
    run("submit", draft_id, "--by", "anna@company.example")
    run("approve", draft_id, "--by", "bram@company.example")
    run("release", draft_id, "--by", "anna@company.example")
    version = session.scalars(select(Version).where(Version.number == 2)).one()
    mailing = session.scalars(select(Mailing)).one()
    mailing.state = MailingState.FANNED_OUT
    session.commit()
    words = ("--english", "It is 2027.", "--dutch", "Het is 2027.", "--by", "anna@company.example")
    assert "goes out again to 0 people" in run("correct", version.id, *words)
