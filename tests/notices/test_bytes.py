"""A notice's bytes follow from its frozen wording and its row: what was sent can be made again (invariant 9)."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import clock, db
from mailer.consent.rules import Channel
from mailer.contacts.models import Contact
from mailer.delivery import compose
from mailer.outbox.models import Message
from mailer.outbox.rules import State
from rq_jobs.deliver import deliver
from tests import factories
from tests.conftest import Configure
from tests.delivery import sink
from tests.notices.conftest import Release, fan_out

OLD, NEW = "an-older-key-" * 3, "a-newer-key-" * 3
OTHER_COMPANY = {
    "company_name": "Another name",
    "company_address": "Elsewhere 2",
    "from_essential": "Other <other@company.example>",
    "reply_domain": "elsewhere.example",
    "public_url": "https://elsewhere.example",
    "time_zone": "Pacific/Auckland",
}


def test_a_notice_with_dates_is_the_same_bytes_after_rotation_renaming_and_a_new_name(
    session: Session, database: str, configure: Configure, release: Release
) -> None:
    url = database if database.startswith("postgresql") else ""
    with sink.running() as server:
        configure(secret_keys=OLD, smtp_essential=server.url, database_url=url)
        anna = factories.contact(session, "anna@people.example", name="Anna de Vries")
        factories.contact(session, "bas@people.example", name="Bas Smit", locale="nl")
        _, mailing = release()
        assert mailing is not None
        fan_out(session, mailing)
        session.execute(update(Message).values(due_at=clock.now() - timedelta(minutes=1)))
        session.commit()
        server.replies["."] = "451 4.3.0 later"  # a first try on another day, with other dates, leaves no trace
        assert deliver(Channel.ESSENTIAL) == 0
        del server.replies["."]
        session.execute(update(Message).values(due_at=clock.now() - timedelta(minutes=1)))
        session.commit()
        assert deliver(Channel.ESSENTIAL) == 2

    configure(secret_keys=f"{NEW},{OLD}", database_url=url, **OTHER_COMPANY)
    with db.transaction() as later:
        later.execute(update(Contact).where(Contact.id == anna.id).values(name="Anna Bakker"))
    wire = {raw.replace(b"\r\n..", b"\r\n.").removesuffix(b".\r\n") for raw in server.mails[-2:]}
    with db.reading() as later:
        messages = later.scalars(select(Message)).all()
        made_again = {message.id: compose.compose(message) for message in messages}
        assert {message.state for message in messages} == {State.ACCEPTED}
        assert {mail.data for mail in made_again.values()} == wire
        for message in messages:
            mail = made_again[message.id]
            assert mail.sha256 == message.sha256 == hashlib.sha256(mail.data).hexdigest()
            assert message.facts is not None
            assert message.facts["respond_by_on"].encode() in mail.data.replace(b"=\r\n", b"")
