"""What `mailer up` prepares and prints: the first accounts on an empty database, and where things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailer import clock
from mailer.db import reading, transaction
from mailer.demo import company
from mailer.settings import Settings
from mailer.staff import actions as staff
from mailer.staff import queries as staff_queries
from mailer.staff.rules import Role


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in now; the password is shown this once and must be changed."""

    email: str
    roles: Sequence[str]
    password: str


def first_accounts(config: Settings) -> list[Account]:
    """On an empty database: load the sample company in the demo, else make one account with every role."""
    with reading() as session:
        if staff_queries.all_staff(session):
            return []
    if config.demo:
        return [Account(one.email, one.roles, one.password) for one in company.load()]
    email = f"admin@{config.public_mailbox.rpartition('@')[2]}"
    with transaction() as session:
        made, password = staff.create(session, email=email, name="First account", roles=tuple(Role), at=clock.now())
    return [Account(made.email, made.roles, password)]


def text(config: Settings, accounts: Sequence[Account]) -> str:
    """The addresses, and the first passwords if accounts were made just now."""
    lines = [
        "Mailer is up.",
        f"  Staff pages     {config.url}/admin/",
        f"  Public pages    {config.url}/policies",
        f"  Mail comes in   {config.inbound_host}:{config.inbound_port} ({config.inbound_protocol.upper()})",
    ]
    if config.catches_mail:
        lines.append(f"  Post office     {config.url}/post-office (mail caught on port {config.post_office_port})")
    lines.append(f"  Data            {config.data_dir.absolute()}")
    if accounts:
        width = max(len(account.email) for account in accounts)
        lines.append("First passwords, shown once, to be changed at first sign-in:")
        lines += [f"  {one.email:<{width}}  {one.password}  ({', '.join(one.roles)})" for one in accounts]
    else:
        lines.append("Accounts exist already; a lost password is replaced by: mailer staff reset EMAIL")
    lines.append("Ctrl-C ends all of it.")
    return "\n".join(lines)
