"""What a mail is taken for, case by case."""

import dataclasses
from collections.abc import Callable

import pytest

from mailer.inbound.parse import parse
from mailer.inbound.rules import (
    FOR_A_PERSON,
    MACHINE,
    Decision,
    Kind,
    aligned,
    classify,
    proof_level,
    unreadable,
)

from .letters import REPLIES, letter
from .world import complaint, report

OURS = ("mx.example.com",)


@pytest.mark.parametrize(("kind", "text"), REPLIES)
def test_a_reply_is_read_as_a_person_would(kind: Kind, text: str) -> None:
    reading = classify(parse(letter(text)))
    assert (reading.kind, reading.reasons) == (kind, reading.reasons)


def test_a_termination_says_its_words_and_language() -> None:
    reading = classify(parse(letter("Hierbij zeg ik mijn account op.")))
    assert reading.language == "nl"
    assert reading.reasons == ("terminates: zeg ik mijn account op",)
    assert reading.auto is False
    assert reading.mail is not None


def test_what_a_delivery_report_and_a_spam_report_say_is_believed_before_any_words_of_theirs() -> None:
    bounce = classify(parse(report("privacy@example.com").replace(b"It could not be delivered.", b"Ik zeg op")))
    assert (bounce.kind, bounce.auto) == (Kind.BOUNCE, True)
    spam = classify(parse(complaint("privacy@example.com").replace(b"This is a report.", b"Ik zeg op")))
    assert (spam.kind, spam.auto) == (Kind.COMPLAINT, True)


AUTO_SURE = (
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated; owner-email=x@example.com",
    "Precedence: auto_reply",
    "X-Autoreply: yes",
    "X-Apple-Action: VACATION",
    "Subject: Automatisch antwoord: Wijziging",
    "Subject: Automatic reply: New terms",
    "Subject: Réponse automatique : conditions",
    "Subject: Abwesenheit\r\nReturn-Path: <>",
    "Return-Path: <>\r\nX-Auto-Response-Suppress: All",
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=x",
)


@pytest.mark.parametrize("header", AUTO_SURE)
def test_a_machine_s_answer_is_an_auto_reply(header: str) -> None:
    reading = classify(parse(letter("I am away until Monday.", *header.split("\r\n"))))
    assert reading.kind is Kind.AUTO_REPLY
    assert reading.auto is True


@pytest.mark.parametrize("header", AUTO_SURE)
def test_a_machine_never_terminates(header: str) -> None:
    assert classify(parse(letter("Ik zeg op", *header.split("\r\n")))).kind is not Kind.TERMINATION


@pytest.mark.parametrize("header", [header for header in AUTO_SURE if "Return-Path" not in header])
def test_a_mail_that_says_it_is_automatic_is_kept_and_nothing_else_whatever_its_words(header: str) -> None:
    assert classify(parse(letter("Ik zeg op", header))).kind is Kind.AUTO_REPLY


PERSONS_HEADERS = (
    "Auto-Submitted: no",
    "X-Auto-Response-Suppress: All",
    "Subject: Re: Automatic reply: New terms",
    "X-Autoreply: no",
)


@pytest.mark.parametrize("header", PERSONS_HEADERS)
def test_a_person_with_an_odd_header_still_terminates(header: str) -> None:
    assert classify(parse(letter("Ik zeg op", header))).kind is Kind.TERMINATION


@pytest.mark.parametrize(
    "headers",
    [
        ("Return-Path: <>",),
        ("Precedence: list",),
        ("Return-Path: <>", "Precedence: bulk"),
        ("Return-Path: <>", "X-Auto-Response-Suppress: All"),
        ("Subject: Out of office next week",),
        ("Subject: Fwd: Wijziging",),
        ("From: no-reply@example.nl",),
    ],
)
def test_a_weak_sign_of_a_machine_leaves_a_termination_to_a_person(headers: tuple[str, ...]) -> None:
    assert classify(parse(letter("Ik zeg op", *headers))).kind is Kind.UNSURE


def test_a_null_return_path_alone_discards_nothing() -> None:
    reading = classify(parse(letter("Wat verandert er?", "Return-Path: <>")))
    assert reading.kind is Kind.QUESTION
    assert reading.auto is True


@pytest.mark.parametrize(
    ("headers", "text", "kind"),
    [
        (("To: leave+k7abc@mail.example.com",), "", Kind.LEAVE_NEWSLETTERS),
        (("Delivered-To: LEAVE+k7abc@mail.example.com",), "ok", Kind.LEAVE_NEWSLETTERS),
        (("To: leave+k7abc@mail.example.com",), "Ik zeg mijn account op", Kind.TERMINATION),
        (("To: leave+k7abc@mail.example.com",), "Ik wil misschien opzeggen", Kind.UNSURE),
        ((), "Ik zeg op en wil geen nieuwsbrief meer", Kind.UNSURE),
        ((), "Opzeggen graag, ook de nieuwsbrief.", Kind.UNSURE),
        ((), "Ik zeg mijn abonnement op de nieuwsbrief op.", Kind.UNSURE),
        (("Subject: unsubscribe",), "", Kind.LEAVE_NEWSLETTERS),
        (("Subject: unsubscribe",), "Bedankt.", Kind.UNSURE),
    ],
)
def test_leaving_the_newsletters_never_swallows_a_termination(headers: tuple[str, ...], text: str, kind: Kind) -> None:
    assert classify(parse(letter(text, *headers))).kind is kind


@pytest.mark.parametrize(
    "sender",
    ["From: jan@example.nl\r\nFrom: eva@example.org", "From: jan@example.nl)eva@example.org", "From: a@b.nl, c@d.nl"],
)
def test_more_than_one_sender_is_a_spoof_for_a_person(sender: str) -> None:
    reading = classify(parse(letter("Ik zeg op", *sender.split("\r\n"))))
    assert reading.kind is Kind.SPOOF
    assert reading.kind in FOR_A_PERSON


def test_inline_answers_wait_for_a_person() -> None:
    assert classify(parse(letter("Dag\n> vraag een\nja\n> vraag twee\nnee"))).kind is Kind.UNSURE


def test_inline_terminating_question_waits_for_a_person() -> None:
    assert classify(parse(letter("Dag\n> vraag\nhoe kan ik opzeggen?\n> twee"))).kind is Kind.UNSURE


def test_an_unreadable_mail_is_never_answered_by_a_machine() -> None:
    assert unreadable("too deep").auto is True
    assert not MACHINE & FOR_A_PERSON


@pytest.mark.parametrize(
    ("token", "proven", "decision"),
    [
        (True, True, Decision.RECORD),
        (True, False, Decision.CONFIRM),
        (False, True, Decision.CONFIRM),
        (False, False, Decision.PERSON),
    ],
)
def test_a_termination_is_recorded_only_with_both_proofs(token: bool, proven: bool, decision: Decision) -> None:
    assert proof_level(token, proven) is decision


DMARC = "Authentication-Results: mx.example.com; dmarc=pass (p=none) header.from=example.nl"
ALIGNED: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("dmarc", (DMARC,), True),
    ("dkim", ("Authentication-Results: mx.example.com; dkim=pass header.d=example.nl header.s=a",), True),
    ("dkim by identity", ("Authentication-Results: mx.example.com; dkim=pass header.i=@example.nl",), True),
    ("spf", ("Authentication-Results: MX.example.com 1; spf=pass smtp.mailfrom=bounce@example.nl",), True),
    ("dkim of another", ("Authentication-Results: mx.example.com; dkim=pass header.d=example.org",), False),
    ("dkim of a suffix", ("Authentication-Results: mx.example.com; dkim=pass header.d=nl",), False),
    ("dkim of a look-alike", ("Authentication-Results: mx.example.com; dkim=pass header.d=ample.nl",), False),
    ("dkim failed", ("Authentication-Results: mx.example.com; dkim=fail header.d=example.nl",), False),
    ("arc says nothing", ("Authentication-Results: mx.example.com; arc=pass header.d=example.nl",), False),
    (
        "dmarc failed",
        ("Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=example.nl; dmarc=fail",),
        False,
    ),
    ("dmarc of another", ("Authentication-Results: mx.example.com; dmarc=pass header.from=example.org",), False),
    ("another server", ("Authentication-Results: mx.example.org; dmarc=pass header.from=example.nl",), False),
    ("another's above ours", ("Authentication-Results: x.org; none", DMARC), True),
    (
        "one added below ours",
        ("Authentication-Results: mx.example.com; dmarc=fail header.from=example.nl", DMARC),
        False,
    ),
    ("broken", ("Authentication-Results: mx.example.com; dmarc=((((",), False),
    ("none", (), False),
    ("two From", (DMARC, "From: jan@example.nl", "From: jan@example.nl"), False),
    ("another's address", (DMARC, "From: eva@example.nl"), False),
    ("name of one, address of another", (DMARC, 'From: "jan@example.nl" <eva@example.nl>'), False),
    ("trick of parentheses", (DMARC, "From: jan@example.nl)eva@example.org"), False),
    ("another's comment", (DMARC, "From: eva@example.org(<jan@example.nl>)"), False),
    ("comma in the name", (DMARC, "From: Jan, de Wit <jan@example.nl>"), False),
    ("case does not matter", (DMARC, "From: Jan <JAN@Example.NL>"), True),
)


@pytest.mark.parametrize(("headers", "proven"), [row[1:] for row in ALIGNED], ids=[row[0] for row in ALIGNED])
def test_a_sender_is_proven_only_by_our_own_server(headers: tuple[str, ...], proven: bool) -> None:
    assert aligned(parse(letter("Ik zeg op", *headers)), OURS, "jan@example.nl") is proven


def test_no_mail_is_proven_where_no_server_of_ours_is_named() -> None:
    assert aligned(parse(letter("Ik zeg op", DMARC)), (), "jan@example.nl") is False


def test_several_addresses_without_a_fault_prove_nothing() -> None:
    mail = dataclasses.replace(parse(letter("x", DMARC)), from_addresses=("jan@example.nl", "eva@example.nl"))
    assert aligned(mail, OURS, "jan@example.nl") is False


@pytest.mark.parametrize("build", [lambda: letter("Ik zeg op"), lambda: letter("", "Auto-Submitted: auto-replied")])
def test_reading_twice_gives_the_same(build: Callable[[], bytes]) -> None:
    assert classify(parse(build())) == classify(parse(build()))
