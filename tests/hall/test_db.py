"""Transactions: what we say yes to outlives a loss of power; everything else waits for no disk."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer import db, ids, signing
from mailer.consent import links
from tests import factories

NORMAL, FULL = 1, 2
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@only_sqlite
def test_a_durable_commit_waits_for_the_disk_and_the_next_one_does_not(commits: list[int]) -> None:
    for is_durable in (False, True, False):
        with db.transaction(is_durable=is_durable) as session:
            session.execute(text("DELETE FROM tasks"))
    assert commits == [NORMAL, FULL, NORMAL]


@only_sqlite
def test_who_leaves_has_left_also_after_a_loss_of_power(
    client: FlaskClient, session: Session, commits: list[int]
) -> None:
    who = factories.contact(session, topics=["news"])
    session.commit()
    commits.clear()
    url = links.leave_url("", who.id, ids.message_id(1), signing.newest_key_id())
    assert client.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert set(commits) == {FULL}
