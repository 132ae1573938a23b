from __future__ import annotations

import hashlib
import smtplib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos import sink
from tests.chaos.sink import Deed, Moment, Record, Rule

SENDER, ANNA = "bounce@reply.example", "anna@people.example"
MAIL = b"Message-ID: <one@x.example>\r\nSubject: x\r\n\r\n.dots\r\n"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "mails.jsonl"


def send(control: sink.Control, data: bytes = MAIL, to: str = ANNA) -> tuple[int, bytes | str]:
    """One mail over a connection of its own; the last reply."""
    with smtplib.SMTP(control.host, control.port, timeout=5) as client:
        try:
            client.sendmail(SENDER, [to], data)
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[to]
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code, refused.smtp_error
    return 250, b""


def test_what_was_accepted_is_on_record_when_the_answer_is_out(record: Path) -> None:
    before = time.time()
    with sink.running(record=record) as control:
        assert send(control)[0] == 250
        (row,) = control.rows()
        assert (row.number, row.connection, row.outcome) == (1, 1, "accepted")
        assert (row.envelope_from, row.envelope_to, row.message_id) == (SENDER, ANNA, "<one@x.example>")
        assert (row.sha256, row.size) == (hashlib.sha256(MAIL).hexdigest(), len(MAIL))
        assert before <= row.mail_at <= row.body_at <= row.answered_at <= time.time()


def test_a_signature_in_front_does_not_change_the_digest(record: Path) -> None:
    signed = b"DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=abc;\r\n d=x.example\r\n" + MAIL
    with sink.running(record=record) as control:
        send(control)
        send(control, signed)
        plain, with_signature = control.rows()
    assert plain.sha256 == with_signature.sha256
    assert with_signature.size == len(signed)


def test_copies_are_found_by_their_message_id(record: Path) -> None:
    with sink.running(record=record) as control:
        for data in (MAIL, MAIL.replace(b"<one", b"<two"), MAIL):
            send(control, data)
    assert {name: len(rows) for name, rows in Record.load(record).copies().items()} == {
        "<one@x.example>": 2,
        "<two@x.example>": 1,
    }


@pytest.mark.parametrize("deed", [Deed.DROP, Deed.HALF])
def test_a_mail_whose_answer_was_not_written_whole_is_not_accepted(record: Path, deed: Deed) -> None:
    with sink.running(Rule(Moment.DOT, deed), record=record) as control:
        with socket.create_connection((control.host, control.port)) as link, link.makefile("rb") as lines:
            link.sendall(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
            assert [lines.readline()[:3] for _ in range(4)] == [b"220", b"250", b"250", b"354"]
            link.sendall(MAIL + b".\r\n")
            assert b"\n" not in lines.read()
        assert [row.outcome for row in control.rows()] == ["lost"]
        assert Record.load(record).accepted == ()


def test_a_refused_mail_is_on_record_as_such(record: Path) -> None:
    with sink.running(Rule(Moment.DOT, text="552 5.3.4 too big"), record=record) as control:
        assert send(control) == (552, b"5.3.4 too big")
        assert [row.outcome for row in control.rows()] == ["refused"]


def test_a_rule_counts_its_occasions_and_knows_its_recipients(record: Path) -> None:
    rule = Rule(Moment.RCPT, text="450 4.2.1 busy", to="bad*", first=2, times=1)
    with sink.running(rule, record=record) as control:
        codes = [send(control, to=to)[0] for to in ("bad@x.example", ANNA, "bad@x.example", "bad@x.example")]
    assert codes == [250, 250, 450, 250]


def test_the_same_seed_throws_the_same_dice(record: Path) -> None:
    def codes() -> list[int]:
        with sink.running(Rule(Moment.RCPT, text="451 later", chance=0.5), record=record, seed=7) as control:
            return [send(control)[0] for _ in range(12)]

    once = codes()
    assert set(once) == {250, 451}
    assert codes() == once


def test_greylisting_says_later_to_a_pair_it_does_not_know(record: Path) -> None:
    with sink.running(Rule(Moment.RCPT, Deed.GREYLIST, "451 4.7.1 come again"), record=record) as control:
        assert [send(control, to=to)[0] for to in (ANNA, ANNA, "bert@x.example", ANNA)] == [451, 250, 451, 250]


def test_a_hook_runs_after_the_yes_is_out(record: Path) -> None:
    known: list[int] = []
    hooks = {"look": lambda: known.append(len(Record.load(record).accepted))}
    with sink.running(Rule(Moment.DOT, Deed.THEN_HOOK, hook="look"), record=record, hooks=hooks) as control:
        send(control)
    assert known == [1]


def test_it_refuses_connections_for_a_while_and_then_takes_them_again(record: Path) -> None:
    with sink.running(record=record) as control:
        with socket.create_connection((control.host, control.port)) as kept:
            assert kept.recv(100).startswith(b"220")
            control.deaf(0.3)
            kept.settimeout(5)
            assert kept.recv(100) == b""
        with pytest.raises(ConnectionRefusedError):
            send(control)
        wait_for_port(control.port)
        assert send(control)[0] == 250


def test_a_reply_in_drops_takes_its_time(record: Path) -> None:
    with sink.running(Rule(Moment.DOT, Deed.DRIP, seconds=0.4), record=record) as control:
        at = time.monotonic()
        assert send(control)[0] == 250
        assert time.monotonic() - at >= 0.4
        assert [row.outcome for row in control.rows()] == ["accepted"]


def test_what_comes_in_one_piece_waits_one_delay(record: Path) -> None:
    with sink.running(record=record, delay=0.2) as control:
        at = time.monotonic()
        with socket.create_connection((control.host, control.port)) as link, link.makefile("rb") as lines:
            assert lines.readline().startswith(b"220")
            link.sendall(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
            assert [lines.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        assert 0.4 <= time.monotonic() - at < 0.4 + 0.4  # with a delay a command it would be 0.8


def test_rules_change_while_it_runs(record: Path) -> None:
    with sink.running(record=record) as control:
        assert send(control)[0] == 250
        control.rules(Rule(Moment.MAIL, text="451 4.3.0 not now"))
        assert send(control)[0] == 451
        control.rules()
        assert send(control)[0] == 250
        assert control.counts()["accepted"] == 2


def test_it_keeps_the_order_of_commands(record: Path) -> None:
    with (
        sink.running(Rule(Moment.RCPT, text="550 5.1.1 nobody", times=1), record=record) as control,
        smtplib.SMTP(control.host, control.port, timeout=5) as client,
    ):
        client.ehlo()
        codes = [client.docmd(line)[0] for line in ("RCPT TO:<a@x>", "MAIL FROM:<a@x>", "MAIL FROM:<a@x>")]
        codes += [client.docmd(line)[0] for line in ("RCPT TO:<a@x>", "DATA", "RSET", "MAIL FROM:<a@x>")]
    assert codes == [503, 250, 503, 550, 554, 250, 250]


def test_as_a_process_it_takes_orders_and_keeps_its_record(record: Path, tmp_path: Path) -> None:
    options = ("--hook", f"mark=touch {tmp_path}/hooked")
    with sink.process(record, Rule(Moment.DOT, Deed.THEN_HOOK, hook="mark", times=1), options=options) as control:
        assert send(control)[0] == 250
        assert (tmp_path / "hooked").exists()
        control.rules(Rule(Moment.DOT, text="451 later"))
        assert send(control)[0] == 451
    assert [row.outcome for row in Record.load(record).rows] == ["accepted", "refused"]


def test_it_says_what_it_can_do() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.chaos.sink", "--help"], capture_output=True, text=True, check=True
    )
    assert "--record" in told.stdout


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("it does not listen again")
