"""The sample company: Leadmark with its topics, staff, privacy statement and people, loaded into an empty database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mailer.clock import now
from mailer.consent import actions as consent
from mailer.consent import importing
from mailer.contacts.rules import Origin
from mailer.db import transaction
from mailer.errors import Conflict
from mailer.policies import actions as policies
from mailer.staff import actions as staff
from mailer.staff import queries as staff_queries
from mailer.staff.rules import Role

HERE = Path(__file__).parent
PEOPLE = HERE / "people.csv"
SLUG = "privacy-statement"
TITLE = "Privacy statement"
CONCERNS = [Origin.ACCOUNT_HOLDER.value, Origin.SUBSCRIBER.value]
EFFECTIVE_ON = date(2025, 1, 1)

TOPICS = (
    ("news", "News", "Leadmark may send me its newsletter by e-mail. I can leave at any time."),
    ("releases", "Releases", "Leadmark may tell me by e-mail what is new in TRAC. I can leave at any time."),
    ("events", "Events", "Leadmark may invite me to its events by e-mail. I can leave at any time."),
)
STAFF = (
    ("marketing@leadmark.example", "Mara Kramer", [Role.MARKETING]),
    ("policy@leadmark.example", "Pien Officier", [Role.POLICY]),
    ("counsel@leadmark.example", "Cas Jurist", [Role.POLICY]),
    ("operator@leadmark.example", "Otto Beheer", [Role.OPERATOR]),
    ("all@leadmark.example", "Alex Almacht", list(Role)),
)


class NotFresh(Conflict):
    """Somebody works here already."""


@dataclass(frozen=True)
class Account:
    """A staff account with the password of its first logon."""

    email: str
    roles: tuple[str, ...]
    password: str


def text_of(number: int) -> str:
    """The sample privacy statement, version 1, 2 or 3, as Markdown."""
    return (HERE / "texts" / f"privacy-statement-{number}.md").read_text("utf-8")


def set_up() -> list[Account]:
    """Topics and staff: what stands before the story begins."""
    at = now()
    accounts = []
    with transaction() as session:
        if staff_queries.all_staff(session):
            raise NotFresh("The database is in use; the sample company needs a fresh one: set MAILER_DATABASE_URL.")
        for position, (key, name, wording) in enumerate(TOPICS):
            consent.add_topic(session, key, name, wording, position)
        for email, name, roles in STAFF:
            made, password = staff.create(session, email=email, name=name, roles=roles, at=at)
            accounts.append(Account(made.email, tuple(made.roles), password))
    return accounts


def load() -> list[Account]:
    """Everything: topics, staff, version 1 of the statement, two hundred people."""
    accounts = set_up()
    with transaction() as session:
        policies.import_first(
            session, slug=SLUG, title=TITLE, text=text_of(1), concerns=CONCERNS, effective_on=EFFECTIVE_ON, at=now()
        )
    importing.import_file(PEOPLE, source="sample people")
    return accounts
