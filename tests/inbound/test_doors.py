"""What the doors say of themselves: to `mailer doctor`, and to whoever asks `/readyz`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from mailer import clock, doctor, settings
from mailer.cli import main
from mailer.db import transaction
from mailer.doctor import Verdict
from mailer.inbound import doors, listener
from tests.conftest import Configure
from tests.inbound.imap_server import ImapServer, running
from tests.inbound.world import letter

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    with running(tmp_path_factory.mktemp("imap")) as made:
        yield made


@only_sqlite
def test_what_a_door_said_yes_to_outlives_a_loss_of_power(commits: list[int]) -> None:
    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos, envelope.content = "a@b.nl", ["privacy@leadmark.example"], letter("een")
    assert listener.keep(envelope, "smtp", is_vouched=True) == listener.KEPT
    assert CliRunner().invoke(main, ["mail", "ingest"], input=letter("twee")).exit_code == 0
    with transaction() as session:
        doors.note(session, "smtp", AT)  # nobody relies on this
    assert commits == [2, 2, 1]


def _faults(session: Session, at: datetime) -> dict[str, str]:
    return {door.name: door.fault for door in doors.health(session, settings.current(), at)}


def test_a_door_is_well_as_long_as_it_is_seen(session: Session) -> None:
    assert "not seen at work yet" in _faults(session, AT)["smtp"]
    doors.note(session, "smtp", AT)
    assert _faults(session, AT + timedelta(minutes=2)) == {"smtp": ""}
    assert "last seen at work 5 minutes ago" in _faults(session, AT + timedelta(minutes=5))["smtp"]
    doors.note(session, "smtp", AT + timedelta(minutes=6), "cannot be read")
    assert _faults(session, AT + timedelta(minutes=6)) == {"smtp": "cannot be read"}
    doors.note(session, "smtp", AT + timedelta(minutes=7))
    assert _faults(session, AT + timedelta(minutes=7)) == {"smtp": ""}


def test_readyz_tells_each_door_and_no_name_of_a_mailbox(
    client: FlaskClient, configure: Configure, server: ImapServer
) -> None:
    configure(imap_url=server.url)
    with transaction() as session:
        doors.note(session, "smtp", clock.now())
    ready = client.get("/readyz")
    assert ready.json is not None
    assert ready.json["inbound"]["smtp"] == ready.json["inbound"]["pipe"] == ready.json["inbound"]["upload"] == "ok"
    assert "not seen at work yet" in ready.json["inbound"]["imap"]
    assert "privacy" not in ready.text


def _finding(what: str) -> doctor.Finding:
    [found] = [one for one in doctor.examine(settings.current()) if one.what == what]
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_doctor_signs_in_at_the_mailbox(database: str, configure: Configure, server: ImapServer) -> None:
    server.put(b"Subject: x\r\n\r\nx")
    configure(imap_url=server.url)
    assert "not seen at work yet" in _finding("inbound imap").words
    with transaction() as session:
        doors.note(session, doors.names(settings.current())[1], clock.now())
    well = _finding("inbound imap")
    assert (well.verdict, "unread" in well.words, "p@ss" in well.words) == (Verdict.WELL, True, False)
    assert server.count("UNSEEN") > 0
    configure(imap_url=server.url.replace("word", "wrong"))
    bad = _finding("inbound imap")
    assert bad.verdict is Verdict.BAD
    assert "look at MAILER_IMAP_URL" in bad.words
    assert "/inbound/<service>" in _finding("inbound upload").words


@pytest.mark.parametrize(
    "url",
    [
        "https://a:b@c/INBOX",
        "imaps://imap.example/INBOX",
        "imaps://user@imap.example",
        "imap://user:word@imap.example/INBOX",
    ],
)
def test_a_mailbox_that_cannot_be_opened_safely_is_said_at_once(configure: Configure, url: str) -> None:
    with pytest.raises(settings.BadSettings, match="MAILER_IMAP_URL"):
        configure(imap_url=url)


def test_the_password_of_the_mailbox_is_not_shown(configure: Configure) -> None:
    shown = configure(imap_url="imaps://user:s3cret%40@imap.example/INBOX").printable()["MAILER_IMAP_URL"]
    assert shown == "imaps://user:***@imap.example/INBOX"


def test_a_certificate_without_its_key_and_a_wrong_network_are_said(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "a.pem").touch()
    with pytest.raises(settings.BadSettings, match="belong together"):
        configure(inbound_tls_cert=tmp_path / "a.pem")
    configure(inbound_tls_key=tmp_path / "a.pem")
    with pytest.raises(settings.BadSettings, match="is no network"):
        configure(inbound_relays="10.0.0.0/8,relay.example")
