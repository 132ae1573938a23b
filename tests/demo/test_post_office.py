"""The local post office, over real SMTP."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask.testing import FlaskClient

from mailer import clock
from mailer.demo import post_office
from mailer.demo import post_office_answers as answers
from tests.conftest import Configure

REPLY_TO = "reply+abcd0000000000001234567890abcdef@reply.leadmark.example"
RETURN_PATH = "bounce+abcd0000000000001234567890abcdef@reply.leadmark.example"
LONG_ID = f"<{'a' * 70}@reply.leadmark.example>"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def letter(*, unsubscribe: str = "", html: str = "<p>Hello <b>Anna</b></p>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Leadmark News <news@news.leadmark.example>"
    mail["To"] = "Anna de Vries <anna@people.example>"
    mail["Reply-To"] = REPLY_TO
    mail["Subject"] = "What is new"
    mail["Message-ID"] = LONG_ID
    if unsubscribe:
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("Hello Anna,\nall is well: http://127.0.0.1/u/token")
    mail.add_alternative(html, subtype="html")
    return mail


def keep(mail: EmailMessage | None = None) -> str:
    data = (mail or letter()).as_bytes()
    return post_office.keep(data, RETURN_PATH, ["anna@people.example"], clock.now())


@contextmanager
def listening(make: Any, port: int = 0) -> Iterator[int]:
    """An asyncio server in a thread, on a free port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(make(loop, port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def inbound(configure: Configure) -> Iterator[list[Envelope]]:
    """A door that takes any mail, in the settings as the inbound listener."""
    taken: list[Envelope] = []

    class Door:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
            taken.append(envelope)
            return "250 kept"

    async def open_door(loop: asyncio.AbstractEventLoop, port: int) -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(Door(), loop=loop), "127.0.0.1", port)

    with listening(open_door) as port:
        configure(inbound_port=port, authserv_ids=post_office.AUTHSERV_ID)
        yield taken


def taken_mail(taken: list[Envelope]) -> tuple[Envelope, EmailMessage]:
    (envelope,) = taken
    assert isinstance(envelope.content, bytes)
    return envelope, post_office.parse(envelope.content)


def test_mail_is_caught_over_smtp_byte_for_byte(database: str) -> None:
    async def open_counter(_loop: asyncio.AbstractEventLoop, port: int) -> asyncio.Server:
        return await post_office.listen(port)

    data = letter().as_bytes(policy=letter().policy.clone(linesep="\r\n"))
    with listening(open_counter) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail(RETURN_PATH, ["anna@people.example"], data)
    (caught,) = post_office.newest()
    assert (caught.envelope_from, caught.envelope_to) == (RETURN_PATH, ["anna@people.example"])
    assert caught.subject == "What is new"
    assert post_office.source(caught.id) == data
    assert not list(post_office.folder().glob("*.new"))


def test_the_list_is_newest_first_and_filters_by_recipient(client: FlaskClient) -> None:
    first, second = keep(), keep()
    other = post_office.keep(b"Subject: other\r\n\r\n", "", ["bert@people.example"], clock.now())
    assert [mail.id for mail in post_office.newest()] == [other, second, first]
    page = client.get("/post-office/?to=ANNA").text
    assert first in page
    assert other not in page
    assert "No mail to such an address" in client.get("/post-office/?to=nobody").text


def test_an_empty_post_office_says_what_belongs_there(client: FlaskClient) -> None:
    assert "No mail was caught yet" in client.get("/post-office/").text


def test_older_mail_is_a_page_away(client: FlaskClient) -> None:
    kept = [keep() for _ in range(51)]
    page = client.get("/post-office/").text
    assert kept[0] not in page
    older = re.search(r'href="([^"]+before=[^"]+)"', page)
    assert older is not None
    assert kept[0] in client.get(older[1].replace("&amp;", "&")).text


@pytest.mark.parametrize("show", ["text", "html", "headers", "source", "nonsense"])
def test_a_mail_is_shown_in_every_way(client: FlaskClient, show: str) -> None:
    answer = client.get(f"/post-office/{keep()}?show={show}")
    assert answer.status_code == 200
    assert "What is new" in answer.text


def test_html_of_a_mail_can_do_nothing(client: FlaskClient) -> None:
    mail_id = keep(letter(html="<script>alert(1)</script><img src='https://elsewhere.example/pixel'>"))
    answer = client.get(f"/post-office/{mail_id}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script>" not in client.get(f"/post-office/{mail_id}?show=source").text


def test_the_source_can_be_downloaded(client: FlaskClient) -> None:
    mail_id = keep()
    assert client.get(f"/post-office/{mail_id}.eml").data == post_office.source(mail_id)


@pytest.mark.parametrize("name", ["nothing", "00000000000000000000-00000000", "..%2f..%2fmailer"])
def test_a_mail_that_is_not_there_is_a_404(client: FlaskClient, name: str) -> None:
    assert client.get(f"/post-office/{name}").status_code == 404


def test_reply_to_this_is_a_real_answer(client: FlaskClient, inbound: list[Envelope]) -> None:
    answer = client.post(f"/post-office/{keep()}/reply", data={"text": "Ik zeg op"})
    assert answer.status_code == 303
    envelope, mail = taken_mail(inbound)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("anna@people.example", [REPLY_TO])
    assert mail["From"] == "Anna de Vries <anna@people.example>"
    assert mail["Subject"] == "Re: What is new"
    assert mail["In-Reply-To"] == LONG_ID
    assert mail["Authentication-Results"] == "post-office.localhost; dmarc=pass header.from=people.example"
    text = (post_office.part(mail, "plain") or "").replace("\r\n", "\n")
    assert text.startswith("Ik zeg op\n\nOn ")
    assert "\n> Hello Anna," in text


def test_long_ids_in_an_answer_stay_plain_on_the_wire(client: FlaskClient, inbound: list[Envelope]) -> None:
    client.post(f"/post-office/{keep()}/reply", data={"text": "yes"})
    content = inbound[0].content
    assert isinstance(content, bytes)
    assert f"\r\nReferences: {LONG_ID}\r\n".encode() in content
    assert b"=?utf-8?" not in content


def test_an_automatic_answer_says_so_and_has_a_null_return_path(client: FlaskClient, inbound: list[Envelope]) -> None:
    client.post(f"/post-office/{keep()}/reply", data={"text": "I am away", "is_automatic": "y"})
    envelope, mail = taken_mail(inbound)
    assert envelope.mail_from == "<>"
    assert mail["Auto-Submitted"] == "auto-replied"


def test_an_empty_answer_is_not_sent(client: FlaskClient, inbound: list[Envelope]) -> None:
    answer = client.post(f"/post-office/{keep()}/reply", data={"text": ""})
    assert answer.status_code == 422
    assert "Write something first." in answer.text
    assert inbound == []


def test_bounce_this_is_a_delivery_report(client: FlaskClient, inbound: list[Envelope]) -> None:
    assert client.post(f"/post-office/{keep()}/bounce").status_code == 303
    envelope, mail = taken_mail(inbound)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", [RETURN_PATH])
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    text, status, original = list(mail.iter_parts())
    assert "anna@people.example" in text.get_content()
    blocks = status.get_payload()
    assert blocks[1]["Status"] == "5.1.1"
    assert blocks[1]["Final-Recipient"] == "rfc822; anna@people.example"
    assert email.message_from_string(original.get_payload())["Message-ID"] == LONG_ID


def test_a_mail_whose_subject_is_not_ascii_bounces_with_the_head_it_came_with(
    client: FlaskClient, inbound: list[Envelope]
) -> None:
    mail = letter()
    mail.replace_header("Subject", "Privacyverklaring: wijziging per 1 januari – “lees dit”, Daniëlle")
    assert client.post(f"/post-office/{keep(mail)}/bounce").status_code == 303
    _, report = taken_mail(inbound)
    original = list(report.iter_parts())[2].get_payload()
    assert original.isascii()
    head = email.message_from_string(original, policy=email.policy.default)
    assert head["Subject"] == "Privacyverklaring: wijziging per 1 januari – “lees dit”, Daniëlle"


def test_a_door_that_is_shut_is_said_in_a_sentence(client: FlaskClient, configure: Configure) -> None:
    configure(inbound_port=1)
    answer = client.post(f"/post-office/{keep()}/bounce")
    assert answer.status_code == 409
    assert "start `mailer inbound`" in answer.text


def test_unsubscribe_is_pressed_as_a_mail_client_does(client: FlaskClient, configure: Configure) -> None:
    called: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            called.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    configure(public_url=url)
    answer = client.post(f"/post-office/{keep(letter(unsubscribe=f'{url}/u/token'))}/unsubscribe")
    server.shutdown()
    server.server_close()
    thread.join()
    assert answer.status_code == 303
    assert called == [("/u/token", "application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click")]


def test_no_button_without_one_click_headers(client: FlaskClient) -> None:
    mail_id = keep()
    assert "shows no unsubscribe button here" in client.get(f"/post-office/{mail_id}").text
    assert client.post(f"/post-office/{mail_id}/unsubscribe").status_code == 409


def test_an_unsubscribe_address_elsewhere_is_never_called(client: FlaskClient) -> None:
    mail_id = keep(letter(unsubscribe="http://169.254.0.1/u/token"))
    assert "not on this server" in client.post(f"/post-office/{mail_id}/unsubscribe").text


def test_a_mail_without_sender_cannot_bounce_or_be_answered(database: str) -> None:
    mail_id = post_office.keep(b"Subject: none\r\n\r\nx", "", ["anna@people.example"], clock.now())
    with pytest.raises(answers.CannotAnswer, match="null return path"):
        answers.bounce(mail_id, clock.now())
    with pytest.raises(answers.CannotAnswer, match="nobody to answer"):
        answers.reply(mail_id, "hello", clock.now())


def test_forms_of_the_post_office_want_a_csrf_token(guarded_app: Any) -> None:
    mail_id = keep()
    assert guarded_app.test_client().post(f"/post-office/{mail_id}/bounce").status_code == 400


def test_there_is_no_post_office_where_real_routes_are_set(client: FlaskClient, configure: Configure) -> None:
    configure(smtp_essential="smtp://127.0.0.1:2525", smtp_marketing="smtp://127.0.0.1:2525")
    assert client.get("/post-office/").status_code == 404
