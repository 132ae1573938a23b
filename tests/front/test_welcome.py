"""The first `mailer up`: accounts on an empty database, shown once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mailer import settings, welcome
from mailer.contacts.models import Contact
from mailer.policies import queries as policies
from mailer.staff import queries as staff
from mailer.staff.passwords import fits
from mailer.staff.rules import Role
from tests.conftest import Configure


def test_an_empty_database_gets_one_account_with_every_role(session: Session) -> None:
    (account,) = welcome.first_accounts(settings.current())
    made = staff.get_by_email(session, account.email)
    assert account.email == "admin@leadmark.example"
    assert sorted(made.roles) == sorted(role.value for role in Role)
    assert made.must_change
    assert fits(made.password_hash, account.password)
    assert account.password in welcome.text(settings.current(), [account])


def test_the_second_time_nothing_is_made_and_no_password_shown(database: str) -> None:
    first = welcome.first_accounts(settings.current())
    again = welcome.first_accounts(settings.current())
    assert again == []
    text = welcome.text(settings.current(), again)
    assert first[0].password not in text
    assert "mailer staff reset EMAIL" in text


def test_the_demo_loads_the_sample_company(session: Session, configure: Configure) -> None:
    accounts = welcome.first_accounts(configure(demo=True))
    assert {role for account in accounts for role in account.roles} == {role.value for role in Role}
    assert policies.find(session, "privacy-statement") is not None
    assert session.query(Contact).count() > 100


def test_production_shows_no_post_office(configure: Configure) -> None:
    config = configure(smtp_essential="smtp://127.0.0.1:2525", smtp_marketing="smtp://127.0.0.1:2525")
    assert "Post office" not in welcome.text(config, [])
