"""Messages: the list, a life, the mail itself."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from mailer import clock, db
from mailer.consent.rules import Withheld
from mailer.contacts.rules import Origin
from mailer.delivery import compose, slots
from mailer.outbox import actions as outbox
from mailer.outbox import audience as audiences
from mailer.outbox.models import Attempt
from mailer.outbox.rules import MailKind, Outcome, State
from tests import factories

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


ANSWERS = ((Outcome.DEFERRED, 451, "451 4.7.1 try later"), (Outcome.ACCEPTED, 250, "250 2.0.0 queued as 4F2A"))


def test_a_life_is_told_with_the_servers_answers(signed_in: SignIn) -> None:
    now = clock.now()
    with db.transaction() as session:
        message = factories.message(session)
        for outcome, reply in (
            (Outcome.DEFERRED, "451 4.7.1 try later"),
            (Outcome.ACCEPTED, "250 2.0.0 queued as 4F2A"),
        ):
            code = int(reply[:3])
            made = Attempt(message_row=message.row, at=now, route="essential", outcome=outcome, code=code, reply=reply)
            session.add(made)
        message.state, message.settled_at, message.dated_at, message.bounced_at = State.ACCEPTED, now, now, now
        message.sha256 = compose.compose(message).sha256
    client = signed_in()
    page = client.get(f"/admin/messages/{message.id}").text
    told = (
        "Made:",
        "451 4.7.1 try later",
        "250 2.0.0 queued as 4F2A",
        "Accepted by the next server",
        "It came back",
    )
    assert [page.index(words) for words in told] == sorted(page.index(words) for words in told)
    assert "The mail below has it" in page
    assert "delivered" not in page.lower()


def test_a_withheld_mail_says_why(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, topics=["news"])
        message = factories.message(session, who, kind=MailKind.CAMPAIGN, topic="news")
        message.state, message.withheld, message.settled_at = State.WITHHELD, Withheld.UNSUBSCRIBED, clock.now()
    client = signed_in()
    assert "Not sent. The person left newsletters." in client.get(f"/admin/messages/{message.id}").text
    assert "The person left newsletters." in client.get("/admin/messages/").text


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_page(signed_in: SignIn, state: State) -> None:
    with db.transaction() as session:
        message = factories.message(session)
        message.state = state
    client = signed_in()
    for view in ("html", "text", "headers", "source", "nonsense"):
        assert client.get(f"/admin/messages/{message.id}?view={view}").status_code == 200


def test_the_mail_is_framed_without_script_or_way_out(signed_in: SignIn) -> None:
    with db.transaction() as session:
        message = factories.message(session)
    client = signed_in()
    answer = client.get(f"/admin/messages/{message.id}/html")
    assert answer.text == "<p>Hello.</p>"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert re.search(r"<iframe[^>]* sandbox", client.get(f"/admin/messages/{message.id}").text)


def test_the_file_holds_the_bytes(signed_in: SignIn) -> None:
    with db.transaction() as session:
        message = factories.message(session)
        expected = compose.compose(message).data
    assert signed_in().get(f"/admin/messages/{message.id}/mail.eml").data == expected


def test_filters_stay_in_the_url(signed_in: SignIn) -> None:
    with db.transaction() as session:
        who = factories.contact(session, topics=["news"])
        essential = factories.message(session, who)
        marketing = factories.message(session, who, kind=MailKind.CAMPAIGN, topic="news")
        other = factories.message(session)
    client = signed_in()

    def listed(query: str) -> set[str]:
        return set(re.findall(r"/admin/messages/(msg_\w+)", client.get(f"/admin/messages/?{query}").text))

    assert listed("") == {essential.id, marketing.id, other.id}
    assert listed("channel=marketing") == {marketing.id}
    assert listed(f"contact={who.id}&channel=essential") == {essential.id}
    assert listed("state=accepted") == set()
    assert listed("state=waiting") == {essential.id, marketing.id, other.id}
    assert listed("state=nonsense&since=nonsense&before=x") == {essential.id, marketing.id, other.id}
    chosen = client.get("/admin/messages/?state=queued&channel=essential").text
    assert '<option value="queued" selected>' in chosen
    assert len(list(csv.DictReader(client.get("/admin/messages/?format=csv").text.splitlines()))) == 3


def test_a_page_beyond_all_counting_is_the_first(signed_in: SignIn) -> None:
    assert signed_in().get(f"/admin/messages/?before={'9' * 40}").status_code == 200


def test_an_unknown_message_is_not_found(signed_in: SignIn) -> None:
    for unknown in ("msg_0000000000009", "msg_x", "x"):
        assert signed_in().get(f"/admin/messages/{unknown}").status_code == 404


def test_a_mail_whose_dates_are_not_known_yet_is_shown_with_the_gaps_named(signed_in: SignIn) -> None:
    with db.transaction() as session:
        message = factories.message(session, kind=MailKind.NOTICE)
        message.content.text = slots.keep(f"Respond by {slots.word('respond_by_on')}.")
    client = signed_in()
    page = client.get(f"/admin/messages/{message.id}?view=text").text
    assert "Respond by [respond by on]." in page
    assert "cannot be composed in full" in page
    assert client.get(f"/admin/messages/{message.id}?view=source").status_code == 200


def test_a_mail_signed_by_a_key_that_is_gone_is_shown_all_the_same(
    signed_in: SignIn, configure: Callable[..., object]
) -> None:
    configure(secret_keys="an-older-key-" * 3)
    with db.transaction() as session:
        message = factories.message(session)
    configure(secret_keys="a-newer-key-" * 3)
    page = signed_in().get(f"/admin/messages/{message.id}").text
    assert "put it back behind the newest one" in page


def test_a_mailing_shows_how_far_it_is_page_by_page(signed_in: SignIn) -> None:
    with db.transaction() as session:
        content_id = factories.content(session, MailKind.ANNOUNCEMENT)
        audience = audiences.of_origins([Origin.ACCOUNT_HOLDER])
        about = {"subject_id": "cmp_1", "contents": {"en": content_id}, "audience": audience}
        for _ in range(51):
            factories.contact(session)
        mailing = outbox.create_mailing(session, kind=MailKind.ANNOUNCEMENT, at=clock.now(), **about)
        while outbox.fan_out_slice(session, mailing, clock.now()):
            pass
    client = signed_in()
    first = client.get(f"/admin/messages/?mailing={mailing.id}").text
    assert "0 of 51 of this mailing settled" in first
    following = re.search(r'href="(/admin/messages/\?mailing=[^"]+before=\d+)"', first)
    assert following
    second = client.get(following[1].replace("&amp;", "&")).text
    assert second.count('<th scope="row">') == 1
    assert "First page" in second
