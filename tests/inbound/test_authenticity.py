"""Who wrote it: only our own server's word counts, and no trick with a header borrows it."""

from time import perf_counter

import pytest

from mailer.inbound.parse import parse
from mailer.inbound.rules import Decision, aligned, proof_level

from .letters import letter

OURS = ("mx.example.com", "mx2.example.com")
JAN, EVA = "jan@example.nl", "eva@example.org"
HEADER = "Authentication-Results"
PASSED = "Authentication-Results: mx.example.com; dmarc=pass (p=none) header.from=example.nl"
FAILED = "Authentication-Results: mx.example.com; dmarc=fail (p=none) header.from=example.nl"

SIX = (
    (True, (PASSED,), Decision.RECORD),
    (True, (FAILED,), Decision.CONFIRM),
    (True, (), Decision.CONFIRM),
    (False, (PASSED,), Decision.CONFIRM),
    (False, (FAILED,), Decision.PERSON),
    (False, (), Decision.PERSON),
)


@pytest.mark.parametrize(("token", "headers", "decision"), SIX)
def test_a_token_and_a_proven_sender_record_and_either_alone_is_confirmed(
    token: bool, headers: tuple[str, ...], decision: Decision
) -> None:
    proven = aligned(parse(letter("Ik zeg op", *headers)), OURS, JAN)
    assert proof_level(token, proven) is decision


WILD = (
    "mx.example.com; dkim=pass header.i=@example.nl header.s=a header.b=abcd; spf=pass (mx.example.com: domain of "
    "jan@example.nl designates 192.0.2.1 as permitted sender) smtp.mailfrom=jan@example.nl; dmarc=pass (p=REJECT "
    "sp=REJECT dis=NONE) header.from=example.nl",
    "mx2.example.com (amavisd-new); dkim=pass (2048-bit key) header.d=example.nl",
    "mx2.example.com;\r\n\tdkim=pass header.d=example.nl;\r\n\tspf=none smtp.helo=mail.example.nl",
    '"mx2.example.com"; spf=pass smtp.mailfrom=example.nl',
    "mx.example.com; dkim=fail header.d=list.example; dkim=pass header.d=example.nl",
)


@pytest.mark.parametrize("value", WILD)
def test_the_results_of_common_servers_are_read(value: str) -> None:
    assert aligned(parse(letter("Ik zeg op", f"Authentication-Results: {value}")), OURS, JAN) is True


ADDED = (
    ("another's name", "Authentication-Results: evil.example; dmarc=pass header.from=example.nl"),
    ("our name in a comment", f"{HEADER}: (mx.example.com) evil.example; dmarc=pass header.from=example.nl"),
    ("a name that ends in ours", "Authentication-Results: evil.mx.example.com; dmarc=pass header.from=example.nl"),
    ("a name that begins with ours", "Authentication-Results: mx.example.com.evil.example; dmarc=pass"),
    ("another header", "X-Authentication-Results: mx.example.com; dmarc=pass header.from=example.nl"),
    ("arc", "ARC-Authentication-Results: i=1; mx.example.com; dmarc=pass header.from=example.nl"),
    ("a reason that says pass", f'{HEADER}: mx.example.com; dmarc=fail reason="dmarc=pass" header.from=example.nl'),
    ("a comment that says pass", f"{HEADER}: mx.example.com; dmarc=none (dmarc=pass) header.from=example.nl"),
    ("spf for a helo", "Authentication-Results: mx.example.com; spf=pass smtp.helo=example.nl"),
    ("dkim of a public suffix", "Authentication-Results: mx.example.com; dkim=pass header.d=nl"),
)  # fmt: skip


@pytest.mark.parametrize("header", [row[1] for row in ADDED], ids=[row[0] for row in ADDED])
def test_results_that_our_server_did_not_write_prove_nothing(header: str) -> None:
    assert aligned(parse(letter("Ik zeg op", header)), OURS, JAN) is False


def test_an_added_pass_below_our_own_result_proves_nothing() -> None:
    assert aligned(parse(letter("Ik zeg op", FAILED, PASSED)), OURS, JAN) is False


@pytest.mark.parametrize(
    "results", ["noreason=ne ;none", "none; dmarc=fail", "dkim=pass " + "header.d=example.nl " * 4_000], ids=len
)
def test_results_that_are_hard_to_read_prove_nothing_and_take_no_time(results: str) -> None:
    begun = perf_counter()
    assert aligned(parse(letter("Ik zeg op", f"{PASSED.partition(';')[0]}; {results}")), OURS, JAN) is False
    assert perf_counter() - begun < 0.5


# CVE-2023-27043 and its kin: one string, two addresses, and parsers that do not agree which.
TWO_IN_ONE = [f"{JAN}{mark}{EVA}" for mark in ")(<>@,;:\"[]"] + [
    f"{JAN}({EVA})", f"<{JAN}>{EVA}", f"<{JAN}> <{EVA}>", f"{JAN}, {EVA}", f'"{JAN}" , <{EVA}>', f"{JAN}<{EVA}>",
    f"friends: {JAN}, {EVA};", f"({JAN} {EVA}", f'"{JAN} {EVA}', f"=?utf-8?q?{JAN}=3E?= <{EVA}>",
]  # fmt: skip


@pytest.mark.parametrize("value", TWO_IN_ONE)
def test_an_address_that_two_parsers_read_as_two_is_proven_for_nobody_it_names_by_trick(value: str) -> None:
    mail = parse(letter("Ik zeg op", PASSED, f"From: {value}"))
    assert aligned(mail, OURS, JAN) is (value == f"{JAN}({EVA})")


SPOOFS = (
    ("a display name", f'From: "{JAN}" <{EVA}>'),
    ("an encoded display name", f"From: =?utf-8?q?jan=40example=2Enl?= <{EVA}>"),
    ("two From fields", f"From: {EVA}\r\nFrom: {JAN}"),
    ("two From fields, ours first", f"From: {JAN}\r\nFrom: {EVA}"),
    ("a Sender field", f"From: {EVA}\r\nSender: {JAN}"),
    ("a Reply-To field", f"From: {EVA}\r\nReply-To: {JAN}"),
    ("a look-alike domain", "From: jan@examp1e.nl"),
    ("a homograph", "From: jan@exаmple.nl"),
    ("a subdomain", "From: jan@example.nl.evil.example"),
    ("nobody", "From: "),
)


@pytest.mark.parametrize("headers", [row[1] for row in SPOOFS], ids=[row[0] for row in SPOOFS])
def test_a_name_is_no_address(headers: str) -> None:
    mail = parse(letter("Ik zeg op", PASSED, *headers.split("\r\n")))
    assert aligned(mail, OURS, JAN) is False
