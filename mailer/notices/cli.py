"""`mailer policy submit`, `approve`, `release`, `withdraw`: the way of a version, which ends in mail to people."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy.orm import Session

from mailer import clock
from mailer.db import reading, transaction
from mailer.errors import NotAllowed
from mailer.notices import actions, bells, corrections, mail
from mailer.policies import actions as policies
from mailer.policies import queries
from mailer.policies.cli import DAY
from mailer.policies.cli import policy as policy
from mailer.policies.rules import approvals_counted, approvals_needed
from mailer.staff import queries as staff
from mailer.staff.rules import May, Role, may

BY = click.option("--by", "email", required=True, help="Address of the account that does it.")


class NoOfficer(NotAllowed):
    """An account that has no say in policies."""

    field = "by"


@policy.command("drafts")
def list_drafts() -> None:
    """Show the drafts that people work on."""
    with reading() as session:
        names = staff.names(session)
        for draft in queries.open_drafts(session):
            said = f"{draft.policy.slug:<30} {draft.state.value:<10} {draft.change_class.value:<9}"
            click.echo(f"{draft.id} {said} by {names.get(draft.author_id, draft.author_id)}")


@policy.command("correct")
@click.argument("version_id", metavar="VERSION")
@click.option("--english", required=True, help="What was wrong in the notice and what is right, in English.")
@click.option("--dutch", required=True, help="The same in Dutch.")
@BY
def correct(version_id: str, english: str, dutch: str, email: str) -> None:
    """Send the notice of a pending version again, put right; everybody's time starts anew."""
    with transaction() as session:
        version = queries.get_version(session, version_id)
        words = {"en": english, "nl": dutch}
        count = corrections.correct(session, version, words, _officer(session, email), clock.now())
    bells.withdrawn()
    click.echo(f"The notice goes out again to {count:,} people, with a clock of its own.")


@policy.command("submit")
@click.argument("draft_id", metavar="DRAFT")
@BY
def submit(draft_id: str, email: str) -> None:
    """Ask for review of a draft."""
    with transaction() as session:
        draft = queries.get_draft(session, draft_id)
        policies.submit(session, draft, _officer(session, email), clock.now())
        needed = approvals_needed(draft.change_class)
        click.echo(f"Review of {draft.id} is asked for; it needs {needed} approval{'s' * (needed > 1)} by others.")


@policy.command("approve")
@click.argument("draft_id", metavar="DRAFT")
@BY
def approve(draft_id: str, email: str) -> None:
    """Approve a draft that somebody else wrote, as it is now."""
    with transaction() as session:
        draft = queries.get_draft(session, draft_id)
        policies.approve(session, draft, _officer(session, email), clock.now())
        base = queries.shelf(session, draft.policy).latest()
        counted = len(approvals_counted(draft.written_by, policies.approvers(draft, base)))
        click.echo(f"{draft.id} is approved by {counted} of the {approvals_needed(draft.change_class)} it needs.")


@policy.command("release")
@click.argument("draft_id", metavar="DRAFT")
@BY
@click.option("--effective-on", type=DAY, default=None, help="The approved day or a later one (year-month-day).")
def release(draft_id: str, email: str, effective_on: datetime | None) -> None:
    """Release an approved draft, and plan the mail that tells of it, in one transaction."""
    at = clock.now()
    with transaction() as session:
        draft = queries.get_draft(session, draft_id)
        wished = effective_on.date() if effective_on else None
        version = policies.release(session, draft, _officer(session, email), at, wished)
        mailing = actions.plan(session, version, at)
        day = mail.say(version.effective_on, mail.LOCALES[0])
        click.echo(f"Version {version.number} of “{version.policy.title}” is released; it takes effect on {day}.")
    bells.released(mailing)
    click.echo("Everyone concerned is being mailed." if mailing else "Nobody is mailed.")


@policy.command("withdraw")
@click.argument("slug")
@click.argument("number", type=int)
@BY
@click.option("--reason", required=True, help="Why; those already told read it word for word.")
def withdraw(slug: str, number: int, email: str, reason: str) -> None:
    """Take back a version that is not in effect yet, and tell those already told of it."""
    with transaction() as session:
        version = queries.shelf(session, queries.get(session, slug)).get(number)
        told = actions.withdraw(session, version, _officer(session, email), reason, clock.now())
    bells.withdrawn()
    click.echo(f"Version {number} of “{version.policy.title}” is withdrawn; {told:,} people already told get a mail.")


def _officer(session: Session, email: str) -> str:
    """The id of an account that may work on policies; NoOfficer if this one may not."""
    who = staff.get_by_email(session, email)
    if who.disabled_at is not None or not may([Role(role) for role in who.roles], May.POLICY):
        raise NoOfficer(f"by: {email} may not work on policies; name an account with the role policy.")
    return who.id
