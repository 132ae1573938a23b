"""A policy whose history has what a comparison can show: a move, a split, a changed number, a changed target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from mailer import clock, settings
from mailer.policies import actions
from mailer.policies.actions import Wording
from mailer.policies.models import Policy, Version
from mailer.policies.wording import Translation
from tests import factories

OLD = """# Privacy statement

This statement says what we do with personal data, and why we may do it at all.

## What we keep

We keep your name, your address and the contracts you upload for 12 months after you close your account.

When you write to our help desk we keep the letters for as long as the question is open, and then we remove them \
from our systems, so that nobody can read them later or use them for another purpose.

## Who helps us

We use three companies that work for us and only on our word. The [list of processors](/policies/processors) \
names them, says where they are, and what they do for us.

- a company that keeps our servers
- a company that sends our mail

## Your rights

You may ask us at any time what we know about you, and we answer within ten working days without asking for money.

You may object to a decision that a machine made about you, and a person of our staff will look at it again with you.

## Questions

Write to [our privacy desk](https://privacy.example/ask) if anything here is not clear to you.

| Matter | Where |
|---|---|
| Complaints | the authority |
| Questions | the desk |
"""
NEW = """# Privacy statement

You may object to a decision that a machine made about you, and a person of our staff will look at it again with you.

This statement says what we do with personal data, and why we may do it at all.

## What we keep

We keep your name, your address and the contracts you upload for 24 months after you close your account.

When you write to our help desk we keep the letters for as long as the question is open.

And then we remove them from our systems, so that nobody can read them later or use them for another purpose.

## Who helps us

We use three companies that work for us and only on our word. The [list of processors](/policies/processors) \
names them, says where they are, and what they do for us.

- a company that keeps our servers
- a company that sends our mail

## Your rights

You may ask us at any time what we know about you, and we answer within ten working days without asking for money.

## Questions

Write to [our privacy desk](https://privacy.example/desk) if anything here is not clear to you.

| Matter | Where |
|---|---|
| Complaints | the authority |
| Questions | the desk |
"""
OLD_DUTCH = "# Privacyverklaring\n\n## Wat wij bewaren\n\nWij bewaren uw naam 12 maanden.\n"
NEW_DUTCH = OLD_DUTCH.replace("12", "24")
SUMMARY = "We keep your contracts for 24 months instead of 12."
DUTCH = Translation("Privacyverklaring", NEW_DUTCH, "Wij bewaren uw contracten 24 maanden in plaats van 12.")


def first(
    session: Session,
    text: str = OLD,
    slug: str = "privacy",
    title: str = "Privacy statement",
    *,
    language: str = "en",
    translations: Mapping[str, Translation] | None = None,
) -> Policy:
    """A policy whose version 1 has been in force for a hundred days."""
    at = clock.now() - timedelta(days=100)
    version = actions.import_first(
        session,
        slug=slug,
        title=title,
        text=text,
        effective_on=None,
        at=at,
        language=language,
        translations=translations,
    )
    return version.policy


def history(session: Session) -> Version:
    """The sample with its change on its way, in English and Dutch, and the list of processors that it links to."""
    before = Translation(DUTCH.title, OLD_DUTCH)
    policy = first(session, translations={"nl": before})
    first(
        session,
        "# List of processors\n\nHosting B.V. See the [statement](/policies/privacy).\n",
        "processors",
        "List of processors",
    )
    return released(session, policy, NEW, translations={"nl": DUTCH})


def released(
    session: Session,
    policy: Policy,
    text: str,
    *,
    summary: str = SUMMARY,
    translations: Mapping[str, Translation] | None = None,
) -> Version:
    """One more version of a policy, by the hands of two people."""
    at = clock.now()
    effective_on = clock.local_day(at, settings.current().zone) + timedelta(days=40)
    wording = Wording(text, effective_on=effective_on, summary=summary, translations=translations)
    author, other = factories.staff(session), factories.staff(session)
    draft = actions.draft(session, policy, text, author.id, at, wording)
    actions.submit(session, draft, author.id, at)
    actions.approve(session, draft, other.id, at)
    return actions.release(session, draft, author.id, at)
