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
from mailer.policies.wording import Translation
from mailer.staff import actions as staff
from mailer.staff import queries as staff_queries
from mailer.staff.rules import Role

HERE = Path(__file__).parent
TEXTS = HERE / "texts"
PEOPLE = HERE / "people.csv"
SLUG = "privacy-statement"
TITLE = "Privacy statement"
DUTCH_TITLE = "Privacyverklaring"
ANNEX = "cookie-list"
ANNEX_TITLES = ("List of cookies", "Lijst van cookies")
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


def file_of(number: int, language: str = "en") -> Path:
    """The file of the sample privacy statement, version 1, 2 or 3; English is authoritative, Dutch a translation."""
    return TEXTS / (f"{SLUG}-{number}.md" if language == "en" else f"{SLUG}-{number}.{language}.md")


def text_of(number: int, language: str = "en") -> str:
    """The sample privacy statement, version 1, 2 or 3, as Markdown."""
    return file_of(number, language).read_text("utf-8")


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
    """Everything: topics, staff, version 1 of the statement and its annex, two hundred people."""
    accounts = set_up()
    dutch, annex = Translation(DUTCH_TITLE, text_of(1, "nl")), (TEXTS / f"{ANNEX}.md").read_text("utf-8")
    dutch_annex = Translation(ANNEX_TITLES[1], (TEXTS / f"{ANNEX}.nl.md").read_text("utf-8"))
    texts = ((SLUG, TITLE, text_of(1), dutch), (ANNEX, ANNEX_TITLES[0], annex, dutch_annex))
    with transaction() as session:
        for slug, title, text, translation in texts:
            policies.import_first(
                session,
                slug=slug,
                title=title,
                text=text,
                concerns=CONCERNS,
                effective_on=EFFECTIVE_ON,
                at=now(),
                translations={"nl": translation},
            )
    importing.import_file(PEOPLE, source="sample people")
    return accounts
