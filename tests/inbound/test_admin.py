"""The reply desk as people see it: what waits, one mail with its reasons, and buttons that do what they say."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from mailer.db import reading, transaction
from mailer.inbound import child, queries
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundMail, InboundReading
from mailer.inbound.rules import Kind
from mailer.outbox.models import Message
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff
from mailer.staff.rules import Role
from mailer.terminations import actions as terminations
from mailer.terminations import queries as termination_queries
from mailer.terminations.mail import LINK
from mailer.terminations.rules import State
from tests.inbound.world import AT, letter, take_in, told

SignIn = Callable[..., FlaskClient]
HTML = b"""From: Jan <jan@example.nl>\r
To: privacy@leadmark.example\r
Subject: <b>Vraag</b>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b"\r
\r
--b\r
Content-Type: text/html; charset=utf-8\r
\r
<p onclick="x()">Hoe kan ik opzeggen?</p><script>alert(1)</script><img src="https://evil.example/x.png">\r
--b\r
Content-Type: application/pdf; name="contract.pdf"\r
Content-Disposition: attachment; filename="contract.pdf"\r
\r
%PDF\r
--b--\r
"""

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _take_in(raw: bytes, recipient: str = "privacy@leadmark.example", **other: str) -> str:
    with transaction() as session:
        return take_in(session, raw, recipient, **other).id  # type: ignore[arg-type]


@pytest.fixture
def question(database: str) -> str:
    """A question of Jan's, answered to a notice; gives its id."""
    with transaction() as session:
        jan = told(session)
        raw = letter("Als de prijs stijgt zeg ik op.", to=jan.reply, proven=True)
        return take_in(session, raw, jan.reply, sender="jan@example.nl").id


@pytest.fixture
def officer(signed_in: SignIn) -> FlaskClient:
    return signed_in(Role.POLICY)


def _mail(mail_id: str) -> InboundMail:
    with reading() as session:
        return queries.get(session, mail_id)


def test_the_list_shows_what_waits_oldest_first(officer: FlaskClient, question: str) -> None:
    second = _take_in(letter("How do I terminate?", sender="eve@elsewhere.example", message_id="<two@b.nl>"))
    _take_in(letter("weg", "Auto-Submitted: auto-replied", sender="robot@elsewhere.example"))
    page = officer.get("/admin/replies/").text
    assert page.index(question) < page.index(second)
    assert "robot@" not in page
    assert "Waiting for a person (2)" in page
    assert "Settled by the machine (1)" in page
    assert "robot@" in officer.get("/admin/replies/?state=settled&kind=auto_reply").text
    assert "Jan Bakker" in page


def test_an_address_is_looked_for_without_standing_in_a_url(officer: FlaskClient, question: str) -> None:
    _take_in(letter("How do I terminate?", sender="eve@elsewhere.example"))
    page = officer.post("/admin/replies/", data={"words": "EVE@"})
    assert page.status_code == 200
    assert "eve@elsewhere.example" in page.text
    assert question not in page.text
    assert "No mail came" in officer.post("/admin/replies/", data={"words": "nobody"}).text


def test_pages_go_on_after_the_last_row(officer: FlaskClient) -> None:
    ids = [_take_in(letter(f"Hoe kan ik opzeggen? {n}")) for n in range(51)]
    first = officer.get("/admin/replies/").text
    listed = sorted(ids)
    assert listed[49] in first
    assert f"/admin/replies/{listed[50]}" not in first
    second = officer.get(f"/admin/replies/?state=for_person&after={listed[49]}").text
    assert f"/admin/replies/{listed[50]}" in second


def test_an_empty_desk_says_what_belongs_there(officer: FlaskClient) -> None:
    assert "Nothing waits for a person." in officer.get("/admin/replies/").text
    assert "Nothing here for this choice." in officer.get("/admin/replies/?kind=bounce").text


def test_one_mail_tells_what_it_is_whose_and_why(officer: FlaskClient, question: str) -> None:
    page = officer.get(f"/admin/replies/{question}").text
    assert "Als de prijs stijgt zeg ik op." in page
    assert "our mail server proved the sender" in page
    assert "Respond by" in page
    assert "The notice of" in page
    assert "/admin/messages/msg_" in page
    assert "may terminate" in page.lower()
    assert 'name="csrf_token"' in page


@pytest.mark.parametrize("view", ["text", "html", "headers", "source", "nonsense"])
def test_foreign_markup_is_text_on_our_page(officer: FlaskClient, view: str) -> None:
    mail_id = _take_in(HTML)
    page = officer.get(f"/admin/replies/{mail_id}?view={view}").text
    assert "<b>Vraag</b>" not in page
    assert "<script>alert" not in page
    assert 'evil.example/x.png"' not in page.replace("&#34;", "")
    assert "contract.pdf" in page
    assert "%PDF" not in page or view == "source"


def test_html_is_served_to_a_frame_without_rights(officer: FlaskClient) -> None:
    answer = officer.get(f"/admin/replies/{_take_in(HTML)}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert "allow-" not in policy
    assert answer.mimetype == "text/html"
    assert "Hoe kan ik opzeggen?" in answer.text


def test_the_source_can_be_kept_and_is_never_shown_by_the_browser(officer: FlaskClient) -> None:
    answer = officer.get(f"/admin/replies/{_take_in(HTML)}/mail.eml")
    assert answer.data == HTML
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"X: " + b"a" * 200_000 + b"\r\n\r\nx"])
@pytest.mark.parametrize("view", ["text", "html", "headers", "source"])
def test_a_mail_that_cannot_be_read_has_a_page_too(officer: FlaskClient, raw: bytes, view: str) -> None:
    mail_id = _take_in(raw)
    assert officer.get(f"/admin/replies/{mail_id}?view={view}").status_code == 200
    assert officer.get(f"/admin/replies/{mail_id}/html").status_code == 200


@pytest.mark.parametrize(
    "kind", ["termination", "question", "rights_request", "leave_newsletters", "auto_reply", "bounce", "spoof"]
)
def test_each_button_decides(officer: FlaskClient, question: str, kind: str) -> None:
    answer = officer.post(f"/admin/replies/{question}/decide", data={"kind": kind}, follow_redirects=True)
    assert "Decided: " in answer.text
    assert "Put it back on the desk" in answer.text
    assert _mail(question).decided_kind is Kind(kind)
    again = officer.post(f"/admin/replies/{question}/decide", data={"kind": kind})
    assert again.status_code == 409
    assert "decided already" in again.text


def test_a_termination_shows_its_timing_in_words(officer: FlaskClient, question: str) -> None:
    officer.post(f"/admin/replies/{question}/decide", data={"kind": "termination"})
    page = officer.get(f"/admin/replies/{question}").text
    assert "In time: it came on" in page
    with reading() as session:
        termination = termination_queries.by_source(session, question)
    assert termination is not None
    shown = officer.get(f"/admin/replies/terminations/{termination.id}").text
    assert "Tue 1 December 2026" in shown
    assert f"/admin/replies/{question}" in shown
    about = re.search(r'href="([^"]+)">Privacy statement, version 1<', shown)
    assert about is not None
    assert officer.get(about[1]).status_code == 200
    assert "Record the termination" not in shown


def test_a_request_that_waits_for_its_confirmation_is_decided_on_its_own_page(officer: FlaskClient) -> None:
    with transaction() as session:
        jan, eve = told(session), told(session, "eve@example.nl")
        ids = [take_in(session, letter("Ik zeg op", to=one.reply), one.reply).id for one in (jan, eve)]
        waiting = [termination_queries.by_source(session, one) for one in ids]
    for one, act, state in zip(waiting, ("record", "close"), (State.RECORDED, State.CLOSED), strict=True):
        assert one is not None
        assert "Close: it is none" in officer.get(f"/admin/replies/terminations/{one.id}").text
        assert officer.post(f"/admin/replies/terminations/{one.id}/{act}").status_code == 303
        with reading() as session:
            assert termination_queries.get(session, one.id).state is state
    assert officer.get("/admin/replies/terminations/trm_nothing").status_code == 404


def test_a_termination_by_link_leads_to_the_notice_whose_link_it_was(officer: FlaskClient) -> None:
    with transaction() as session:
        jan = told(session)
        made = terminations.receive(
            session,
            contact=jan.contact,
            version=None,
            respond_by_on=None,
            received_at=AT,
            received_on=AT.date(),
            source_id=f"{LINK}{jan.message.id}/2",
            state=State.TO_BE_CONFIRMED,
            at=AT,
        )
        path = f"/admin/replies/terminations/{made.id}"
    link = re.search(r'href="([^"]+)">the link of this notice<', officer.get(path).text)
    assert link is not None
    assert officer.get(link[1]).status_code == 200


def test_a_button_that_nobody_made_decides_nothing(officer: FlaskClient, question: str) -> None:
    answer = officer.post(f"/admin/replies/{question}/decide", data={"kind": "unsure"})
    assert answer.status_code == 422
    assert "Press one of the buttons" in answer.text
    assert _mail(question).state is DeskState.FOR_PERSON


def test_saying_whose_mail_it_is(officer: FlaskClient, question: str) -> None:
    mail_id = _take_in(letter("Ik zeg op", sender="other@elsewhere.example"))
    page = officer.get(f"/admin/replies/{mail_id}").text
    assert "say first whose mail it is" in page
    wrong = officer.post(f"/admin/replies/{mail_id}/contact", data={"who": "nobody@example.nl"})
    assert wrong.status_code == 422
    assert "Nobody is known" in wrong.text
    assert 'value="nobody@example.nl"' in wrong.text
    right = officer.post(f"/admin/replies/{mail_id}/contact", data={"who": "jan@example.nl"}, follow_redirects=True)
    assert "A colleague said so." in right.text
    assert _mail(mail_id).contact_id == _mail(question).contact_id


def test_an_answer_is_sent_and_takes_the_mail_off_the_desk(officer: FlaskClient, question: str) -> None:
    page = officer.get(f"/admin/replies/{question}").text
    assert "The answer goes to <strong>jan@example.nl</strong>, the primary address" in page
    empty = officer.post(f"/admin/replies/{question}/answer", data={"kind": "question", "text": ""})
    assert empty.status_code == 422
    sent = officer.post(f"/admin/replies/{question}/answer", data={"kind": "question", "text": "Dat kan."})
    assert sent.status_code == 303
    assert _mail(question).state is DeskState.DECIDED
    with reading() as session:
        assert session.scalars(select(Message.to_address).where(Message.kind == MailKind.ANSWER)).all() == [
            "jan@example.nl"
        ]
    twice = officer.post(f"/admin/replies/{question}/answer", data={"kind": "question", "text": "Dat kan."})
    assert twice.status_code == 409


def test_automatic_mail_offers_no_answer_and_takes_none(officer: FlaskClient) -> None:
    mail_id = _take_in(letter("Ben er niet", "Auto-Submitted: auto-replied"))
    officer.post(f"/admin/replies/{mail_id}/back")
    assert "automatic mail is never answered" in officer.get(f"/admin/replies/{mail_id}").text
    answer = officer.post(f"/admin/replies/{mail_id}/answer", data={"kind": "question", "text": "Dat kan."})
    assert answer.status_code == 422
    assert _mail(mail_id).state is DeskState.FOR_PERSON


@pytest.mark.parametrize("role", [Role.MARKETING, Role.AUDITOR])
def test_who_may_only_look_gets_no_buttons_and_may_press_none(signed_in: SignIn, question: str, role: Role) -> None:
    browser = signed_in(role)
    page = browser.get(f"/admin/replies/{question}").text
    assert "Als de prijs stijgt" in page
    assert f"/admin/replies/{question}/decide" not in page
    for act in ("decide", "contact", "answer", "back", "undo", "note", "colleague"):
        assert browser.post(f"/admin/replies/{question}/{act}", data={"kind": "spoof"}).status_code == 403
    assert _mail(question).state is DeskState.FOR_PERSON


def test_strangers_are_sent_to_sign_in(client: FlaskClient, question: str) -> None:
    for path in ("/admin/replies/", f"/admin/replies/{question}", f"/admin/replies/{question}/html"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert "/admin/sign-in" in answer.headers["Location"]


def test_looking_changes_nothing(officer: FlaskClient, question: str) -> None:
    before = _mail(question).state
    for path in ("", "/html", "/mail.eml", "?view=source"):
        assert officer.get(f"/admin/replies/{question}{path}").status_code == 200
        assert officer.head(f"/admin/replies/{question}{path}").status_code == 200
    assert _mail(question).state is before
    assert officer.get("/admin/replies/inb_nothing").status_code == 404


def test_buttons_need_their_pages_token(guarded_app: Flask, question: str) -> None:
    assert (
        guarded_app.test_client().post(f"/admin/replies/{question}/decide", data={"kind": "spoof"}).status_code == 400
    )
    assert _mail(question).state is DeskState.FOR_PERSON


# The desk among colleagues


def test_the_list_shows_what_is_left_of_each_clock_and_counts_what_waits(officer: FlaskClient, question: str) -> None:
    page = officer.get("/admin/replies/").text
    assert "Window ends" in page
    assert "Unsure (1)" in page
    assert "no clock" not in page


def test_a_mail_is_given_noted_and_found(officer: FlaskClient, question: str) -> None:
    with reading() as session:
        [who] = [one.id for one in session.scalars(select(Staff))]
    given = officer.post(f"/admin/replies/{question}/colleague", data={"to": who}, follow_redirects=True)
    assert "given to a colleague" in given.text
    assert question in officer.get(f"/admin/replies/?to={who}").text
    assert question not in officer.get("/admin/replies/?to=nobody").text
    noted = officer.post(f"/admin/replies/{question}/note", data={"note": "Called <b>him</b>."}, follow_redirects=True)
    assert "Called &lt;b&gt;him&lt;/b&gt;." in noted.text
    assert officer.post(f"/admin/replies/{question}/note", data={"note": ""}).status_code == 422
    assert officer.post(f"/admin/replies/{question}/colleague", data={"to": "stf_nobody"}).status_code == 404


def test_a_decision_is_undone_by_one_press(officer: FlaskClient, question: str) -> None:
    officer.post(f"/admin/replies/{question}/decide", data={"kind": "leave_newsletters"})
    assert "Undo the decision" in officer.get(f"/admin/replies/{question}").text
    undone = officer.post(f"/admin/replies/{question}/undo", follow_redirects=True)
    assert "The decision is taken back" in undone.text
    assert "only the person can subscribe again" in undone.text
    assert _mail(question).state is DeskState.FOR_PERSON
    assert officer.post(f"/admin/replies/{question}/undo").status_code == 409


def test_every_decision_has_a_key_of_its_own_and_the_next_mail_has_one(officer: FlaskClient, question: str) -> None:
    other = _take_in(letter("How do I terminate?", message_id="<two@b.nl>"))
    page = officer.get(f"/admin/replies/{question}").text
    for key, kind in (("t", "termination"), ("q", "question"), ("r", "rights_request"), ("s", "spoof")):
        assert f'value="{kind}" data-key="{key}"' in page
    assert f'data-key="n" href="/admin/replies/{other}"' in page
    assert "desk.js" in page


def test_an_answer_begins_with_the_words_of_a_template(officer: FlaskClient, question: str) -> None:
    said = {"name": "Prijs", "locale": "nl", "text": "De prijs stijgt niet."}
    assert officer.post("/admin/replies/templates/new", data=said).status_code == 303
    listed = officer.get("/admin/replies/templates/").text
    assert "Prijs" in listed
    page = officer.get(f"/admin/replies/{question}").text
    found = re.search(r"template=(atp_\w+)", page)
    assert found
    assert "De prijs stijgt niet." in officer.get(f"/admin/replies/{question}?template={found[1]}").text
    changed = officer.post(f"/admin/replies/templates/{found[1]}", data=said | {"text": "Niet dit jaar."})
    assert changed.status_code == 303
    assert "Niet dit jaar." in officer.get(f"/admin/replies/templates/{found[1]}").text
    assert officer.post("/admin/replies/templates/new", data=said | {"text": ""}).status_code == 422
    officer.post(f"/admin/replies/templates/{found[1]}/retire")
    assert "Begin with" not in officer.get(f"/admin/replies/{question}").text
    assert officer.get(f"/admin/replies/{question}?template=atp_nothing").status_code == 404


def test_the_notice_that_is_answered_stands_beside_the_mail(officer: FlaskClient, question: str) -> None:
    page = officer.get(f"/admin/replies/{question}").text
    assert "The notice as it was sent" in page
    assert "Hello." in page


def test_a_page_does_not_read_the_mail_again(
    officer: FlaskClient, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "read", None)  # a mail of 25 MB is as quick to look at as any
    for view in ("text", "html", "headers", "source"):
        assert officer.get(f"/admin/replies/{question}?view={view}").status_code == 200
    assert officer.get(f"/admin/replies/{question}/html").status_code == 200


def test_a_mail_of_an_earlier_release_has_its_page_too(officer: FlaskClient, question: str) -> None:
    with transaction() as session:
        session.execute(delete(InboundReading))
    page = officer.get(f"/admin/replies/{question}").text
    assert "our mail server proved the sender" in page


def test_a_termination_is_withdrawn_on_its_own_page(officer: FlaskClient, question: str) -> None:
    officer.post(f"/admin/replies/{question}/decide", data={"kind": "termination"})
    with reading() as session:
        termination = termination_queries.by_source(session, question)
    assert termination is not None
    path = f"/admin/replies/terminations/{termination.id}"
    assert "Withdraw it" in officer.get(path).text
    assert officer.post(f"{path}/withdraw").status_code == 303
    assert "Withdraw it" not in officer.get(path).text
    assert officer.post(f"{path}/withdraw").status_code == 409
