"""DKIM: every signature is read by another program (dkimpy); keys are made, rotated and given up."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim.canonicalization import Relaxed
from sqlalchemy.orm import Session

from mailer.delivery import compose, dkim, dkim_keys
from mailer.delivery.dkim import Signer, Unsignable, canonical_body
from mailer.delivery.dkim_keys import BadKey, BadName, NoKey, Record, Standing, State
from mailer.errors import Conflict
from mailer.outbox.rules import MailKind, Outcome
from tests.conftest import Configure
from tests.delivery import pumping, sink
from tests.delivery.letters import letter

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
DOMAIN = "leadmark.example"
HEAD = b"From: Leadmark <service@leadmark.example>\r\nTo: anna@people.example\r\nSubject: Hello\r\n"
BODIES = [
    b"Hello.\r\n",
    b"",
    b"\r\n",
    b"\r\n\r\n\r\n",
    b" ",
    b" \r\n\t\r\n",
    b"no line end",
    b"blanks at the end \t ",
    b"two  blanks,   three, \t a tab\tand\t\ttwo\r\n",
    b"    in front\r\n\tand a tab\r\n",
    b"before the line end  \r\nand a tab\t\r\n \r\nafter an empty one\r\n",
    b"empty lines at the end\r\n\r\n \r\n\t\r\n\r\n",
    b"\r\nempty line first\r\n\r\nand in the middle\r\n",
    b"line=\r\n of quoted-printable =20\r\n.\r\n..dots\r\n",
    b"\x0bvertical\x0c and form feed\r\n",
    b"caf\xc3\xa9  raw\r\n",
    b" " * 10_000 + b"x\r\n",
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    """A folder with one key, made once for the whole file, and its record."""
    folder = tmp_path_factory.mktemp("dkim")
    return folder, dkim_keys.make(folder, DOMAIN, "s1", AT)


@pytest.fixture
def signer(pair: tuple[Path, Record]) -> Signer:
    return Signer(DOMAIN, "s1", dkim_keys.load(pair[0], DOMAIN, "s1"))


Verify = Callable[[bytes], bool]


@pytest.fixture
def verify(pair: tuple[Path, Record]) -> Verify:
    """Whether another program finds a mail well signed, with the record that we printed as its DNS."""
    record = pair[1]

    def answer(name: bytes, timeout: int = 5) -> bytes:
        return record.value.encode() if name.decode() == f"{record.name}." else b""

    return lambda mail: bool(dkimpy.verify(mail, dnsfunc=answer))


def tags(header: bytes) -> dict[str, str]:
    """The tags of a signature, folding undone."""
    value = header.decode().partition(":")[2].replace("\r\n\t", "")
    return {name.strip(): said.strip() for name, _, said in (part.partition("=") for part in value.split(";"))}


def on_the_wire(data: bytes) -> bytes:
    """A mail or its body as a server gets it: the last line is ended (RFC 5321 §4.1.1.4)."""
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_another_program_finds_every_body_well_signed(body: bytes, signer: Signer, verify: Verify) -> None:
    mail = HEAD + b"\r\n" + body
    assert verify(signer.sign(mail, AT) + on_the_wire(mail))


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_becomes_what_another_program_makes_of_it(body: bytes) -> None:
    assert canonical_body(body) == Relaxed.canonicalize_body(on_the_wire(body))


def test_bodies_drawn_at_random_become_what_another_program_makes_of_them() -> None:
    draw = random.Random(6376)
    for _ in range(2_000):
        body = b"".join(draw.choices([b" ", b"  ", b"\t", b"\r\n", b"a", b"=20", b"."], k=draw.randrange(14)))
        assert canonical_body(body) == Relaxed.canonicalize_body(on_the_wire(body)), body


@pytest.mark.parametrize(
    "lines",
    [
        b"Subject: folded\r\n over\r\n\tthree  lines \r\n",
        b"subject:   blanks  around \t\r\n",
        b"Subject:\r\n",
        b"Subject: =?utf-8?q?Caf=C3=A9_?=\r\n =?utf-8?q?au_lait?=\r\n",
        b"Subject: x\r\nReferences: <a@b.example>\r\n <c@d.example>\r\nX-Other: not signed\r\n",
        b"Subject: x\r\nTo: one@people.example\r\nTo: two@people.example\r\n",
    ],
)
def test_another_program_finds_every_header_well_signed(lines: bytes, signer: Signer, verify: Verify) -> None:
    mail = b"From: service@leadmark.example\r\n" + lines + b"\r\nHello\r\n"
    assert verify(signer.sign(mail, AT) + mail)


def test_a_mail_without_a_body_or_even_its_blank_line_is_signed(signer: Signer, verify: Verify) -> None:
    assert verify(signer.sign(HEAD + b"\r\n", AT) + HEAD + b"\r\n")
    assert signer.sign(HEAD, AT)


@pytest.mark.parametrize("kind", [MailKind.CAMPAIGN, MailKind.ADMINISTRATIVE, MailKind.ANSWER])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_real_mail_is_well_signed_as_the_next_server_gets_it(
    session: Session, kind: MailKind, signer: Signer, verify: Verify
) -> None:
    words = {"heading": "An answer", "paragraphs": ["Thank  you."]}
    message = letter(session, kind=kind, name="Zoë  van “Dam”", in_reply_to="<asked@people.example>", **words)
    made = compose.compose(message)
    signed = signer.sign(made.data, AT) + made.data
    with sink.running() as server:
        (answer,) = pumping.send(pumping.route(server.port), [pumping.job(to=made.envelope_to, data=signed)])
        assert answer.outcome is Outcome.ACCEPTED
        (caught,) = server.mails
    received = caught.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    assert verify(received)
    named = tags(received.partition(b"\r\nFrom:")[0])["h"].split(":")
    is_marketing = kind is MailKind.CAMPAIGN
    for name in ("list-unsubscribe", "list-unsubscribe-post"):
        assert named.count(name) == (2 if is_marketing else 0)
    for name in ("from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"):
        assert named.count(name) == 2
    assert ("in-reply-to" in named, "references" in named) == (True, True)


@pytest.mark.parametrize(
    "added",
    [
        b"From: other@bad.example\r\n",
        b"To: other@bad.example\r\n",
        b"Subject: another\r\n",
        b"Date: Tue, 1 Jan 2030 00:00:00 +0000\r\n",
        b"Message-ID: <other@bad.example>\r\n",
        b"Reply-To: other@bad.example\r\n",
        b"MIME-Version: 2.0\r\n",
        b"Content-Type: text/html\r\n",
        b"List-Unsubscribe: <https://bad.example>\r\n",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    ],
)
def test_a_header_that_somebody_adds_breaks_the_signature(added: bytes, signer: Signer, verify: Verify) -> None:
    unsubscribe = b"List-Unsubscribe: <https://a.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    mail = HEAD + unsubscribe + b"\r\nHello\r\n"
    signature = signer.sign(mail, AT)
    assert verify(signature + mail)
    assert not verify(signature + added + mail)
    assert not verify(signature + HEAD + unsubscribe + added + b"\r\nHello\r\n")


def test_what_a_forwarding_list_adds_of_its_own_breaks_nothing(signer: Signer, verify: Verify) -> None:
    mail = HEAD + b"\r\nHello\r\n"
    assert verify(
        b"List-Id: <list.example>\r\nList-Unsubscribe: <https://l.example>\r\n" + signer.sign(mail, AT) + mail
    )


@pytest.mark.parametrize(
    ("old", "new"), [(b"Hello", b"Hallo"), (b"Hello\r\n", b"Hello\r\nmore\r\n"), (b"anna@", b"anne@")]
)
def test_a_changed_mail_is_not_well_signed(old: bytes, new: bytes, signer: Signer, verify: Verify) -> None:
    mail = b"From: a@leadmark.example\r\nTo: anna@people.example\r\n\r\nHello\r\n"
    assert not verify(signer.sign(mail, AT) + mail.replace(old, new))


def test_the_header_is_folded_and_says_what_it_must(signer: Signer) -> None:
    header = signer.sign(HEAD + b"\r\nHello\r\n", AT)
    assert header.startswith(b"DKIM-Signature: ")
    assert header.endswith(b"\r\n")
    assert header.count(b"\n") == header.count(b"\r\n")
    assert all(len(line) <= 78 and line[:1] in b"D\t" for line in header.removesuffix(b"\r\n").split(b"\r\n"))
    said = tags(header)
    assert {name: said[name] for name in ("v", "a", "c", "d", "s", "t")} == {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": DOMAIN,
        "s": "s1",
        "t": str(int(AT.timestamp())),
    }
    assert said.keys().isdisjoint({"l", "x"})


def test_a_mail_without_from_is_not_signed(signer: Signer) -> None:
    for mail in (b"To: anna@people.example\r\n\r\nHello\r\n", b"", b"\r\n\r\nFrom: in the body\r\n"):
        with pytest.raises(Unsignable):
            signer.sign(mail, AT)


def test_threads_share_a_signer(signer: Signer, verify: Verify) -> None:
    mails = [HEAD + b"\r\n" + str(number).encode() * 99 + b"\r\n" for number in range(60)]
    signed: dict[int, bytes] = {}

    def work(own: range) -> None:
        signed.update({number: signer.sign(mails[number], AT) + mails[number] for number in own})

    threads = [threading.Thread(target=work, args=(range(start, 60, 3),)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number in range(60) if not verify(signed[number])] == []


def test_the_record_fits_into_strings_that_dns_can_hold(pair: tuple[Path, Record]) -> None:
    record = pair[1]
    assert record.name == f"s1._domainkey.{DOMAIN}"
    assert record.value.startswith("v=DKIM1; k=rsa; p=MIIBIjAN")
    assert "".join(record.strings()) == record.value
    assert [len(string) <= 255 for string in record.strings()] == [True, True]
    first, second = record.strings()
    assert record.zone_line() == f's1._domainkey.{DOMAIN}. IN TXT ( "{first}" "{second}" )'


def test_a_key_is_made_for_nobody_else_to_read_and_waits(tmp_path: Path) -> None:
    folder = tmp_path / "dkim"
    made = dkim_keys.make(folder, DOMAIN, "", AT)
    assert made.name == f"m20261124._domainkey.{DOMAIN}"
    assert dkim_keys.record(folder, DOMAIN, "m20261124") == made
    assert [kept.standing for kept in dkim_keys.every(folder, DOMAIN)] == [Standing.WAITS]
    assert dkim.signer_for(DOMAIN, folder) is None
    assert [path.name for path in (folder / DOMAIN).iterdir()] == ["m20261124.pem"]
    assert (folder / DOMAIN / "m20261124.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / DOMAIN).stat().st_mode & 0o077 == 0


def test_a_second_key_of_a_day_has_a_name_of_its_own_and_none_is_written_over(tmp_path: Path) -> None:
    first = dkim_keys.make(tmp_path, DOMAIN, "", AT)
    assert dkim_keys.make(tmp_path, DOMAIN, "", AT).name == f"m20261124-2._domainkey.{DOMAIN}"
    with pytest.raises(Conflict, match="has or had a key m20261124") as refused:
        dkim_keys.make(tmp_path, DOMAIN, "m20261124", AT)
    assert refused.value.field == "selector"
    assert dkim_keys.record(tmp_path, DOMAIN, "m20261124") == first


def test_keys_take_turns_and_the_old_one_stays_seven_days(tmp_path: Path) -> None:
    for selector in ("one", "two"):
        dkim_keys.make(tmp_path, DOMAIN, selector, AT)
    assert dkim_keys.use(tmp_path, DOMAIN, "one", AT) == ""
    assert dkim_keys.use(tmp_path, DOMAIN, "two", AT) == "one"
    assert [(kept.selector, kept.standing, kept.since) for kept in dkim_keys.every(tmp_path, DOMAIN)] == [
        ("one", Standing.REPLACED, AT),
        ("two", Standing.SIGNS, None),
    ]
    with pytest.raises(Conflict, match=r"signs for leadmark\.example already"):
        dkim_keys.use(tmp_path, DOMAIN, "two", AT)
    with pytest.raises(Conflict, match="let another do so first"):
        dkim_keys.retire(tmp_path, DOMAIN, "two", AT)
    with pytest.raises(Conflict, match="on the way until 2026-12-01"):
        dkim_keys.retire(tmp_path, DOMAIN, "one", AT + timedelta(days=7, seconds=-1))
    gone = dkim_keys.retire(tmp_path, DOMAIN, "one", AT + timedelta(days=7))
    assert gone == Record(f"one._domainkey.{DOMAIN}", "v=DKIM1; k=rsa; p=")
    assert dkim_keys.record(tmp_path, DOMAIN, "one") == gone
    assert not (tmp_path / DOMAIN / "one.pem").exists()
    assert [kept.standing for kept in dkim_keys.every(tmp_path, DOMAIN)] == [Standing.RETIRED, Standing.SIGNS]


def test_a_replaced_key_may_sign_again_and_a_retired_one_never(tmp_path: Path) -> None:
    for selector in ("one", "two"):
        dkim_keys.make(tmp_path, DOMAIN, selector, AT)
        dkim_keys.use(tmp_path, DOMAIN, selector, AT)
    assert dkim_keys.use(tmp_path, DOMAIN, "one", AT) == "two"
    dkim_keys.retire(tmp_path, DOMAIN, "two", AT, early=True)
    assert dkim_keys.read(tmp_path, DOMAIN) == State("one", {}, {"two": AT})
    with pytest.raises(NoKey):
        dkim_keys.use(tmp_path, DOMAIN, "two", AT)
    with pytest.raises(Conflict):
        dkim_keys.make(tmp_path, DOMAIN, "two", AT)


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    for act in (dkim_keys.use, dkim_keys.retire):
        with pytest.raises(NoKey, match=r"leadmark\.example has no key none; `mailer dkim list`"):
            act(tmp_path, DOMAIN, "none", AT)
    assert not (tmp_path / DOMAIN).exists()
    assert dkim_keys.domains(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["../etc", "leadmark", "", "a..b", "/etc/x.y", "a.b\n", "b_c.d"])
def test_what_is_no_domain_names_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName, match="is no domain"):
        dkim_keys.make(tmp_path, name, "s1", AT)
    with pytest.raises(BadName, match="is no domain"):
        dkim.signer_for(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../s1", "S1", "a.b", "-a", "a" * 64])
def test_what_is_no_selector_names_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName, match="is no selector"):
        dkim_keys.make(tmp_path, DOMAIN, name, AT)


def test_a_key_that_cannot_sign_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / DOMAIN).mkdir()
    small = generate_private_key(65537, 1024)
    curve = elliptic_key(SECP256R1())
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data, words in (
        ("small", small.private_bytes(*plain), "no RSA key of 2048 bits"),
        ("curve", curve.private_bytes(*plain), "no RSA key of 2048 bits"),
        ("none", b"what", "no private key"),
    ):
        (tmp_path / DOMAIN / f"{name}.pem").write_bytes(data)
        with pytest.raises(BadKey, match=f"{name}.pem holds {words}"):
            dkim_keys.use(tmp_path, DOMAIN, name, AT)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"signs": "s1"}', '{"signs": "", "replaced": {"a": 1}, "retired": {}}']
)
def test_a_broken_state_is_said_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / DOMAIN).mkdir()
    (tmp_path / DOMAIN / "state.json").write_text(text)
    with pytest.raises(BadKey, match=r"state\.json is broken: delete it"):
        dkim.signer_for(DOMAIN, tmp_path)


def test_the_signer_is_kept_and_a_rotation_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim, "FRESH_SECONDS", 0.0)
    for selector in ("one", "two"):
        dkim_keys.make(tmp_path, DOMAIN, selector, AT)
    assert dkim.signer_for(DOMAIN, tmp_path) is None
    dkim_keys.use(tmp_path, DOMAIN, "one", AT)
    first = dkim.signer_for(DOMAIN, tmp_path)
    assert first is not None
    assert (first.domain, first.selector) == (DOMAIN, "one")
    assert dkim.signer_for(DOMAIN, tmp_path) is first
    dkim_keys.use(tmp_path, DOMAIN, "two", AT)
    second = dkim.signer_for(DOMAIN, tmp_path)
    assert second is not None
    assert second.selector == "two"


def test_the_files_are_not_looked_at_again_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim, "FRESH_SECONDS", 3600.0)
    assert dkim.signer_for(DOMAIN, tmp_path) is None
    dkim_keys.make(tmp_path, DOMAIN, "one", AT)
    dkim_keys.use(tmp_path, DOMAIN, "one", AT)
    assert dkim.signer_for(DOMAIN, tmp_path) is None


def test_the_keys_lie_beside_the_data_or_where_the_setting_says(configure: Configure, tmp_path: Path) -> None:
    config = configure()
    assert config.dkim_folder == config.data_dir / "dkim"
    assert configure(dkim_dir=tmp_path / "keys").dkim_folder == tmp_path / "keys"
    dkim_keys.make(tmp_path / "keys", DOMAIN, "one", AT)
    dkim_keys.use(tmp_path / "keys", DOMAIN, "one", AT)
    found = dkim.signer_for("LeadMark.example")  # as From may spell it
    assert found is not None
    assert found.selector == "one"
