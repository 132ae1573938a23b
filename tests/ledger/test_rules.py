from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest

from mailer.ledger import rules
from mailer.ledger.rules import GENESIS, Broken, Link, Whole


def chain(length: int) -> list[Link]:
    made, head = [], GENESIS
    for seq in range(1, length + 1):
        fields = (seq, "test.done", "2026-03-01T10:00:00.000000Z", f'{{"n":{seq}}}', "", head)
        head = rules.hash_entry(*fields)
        made.append(Link(*fields, head))
    return made


def test_an_empty_chain_and_a_long_one_are_whole() -> None:
    assert rules.verify([]) == Whole(0, GENESIS)
    links = chain(5)
    assert rules.verify(links) == Whole(5, links[-1].hash)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "test.undone"),
        ("at", "2026-03-01T10:00:00.000001Z"),
        ("subjects", '{"n":4}'),
        ("detail_digest", "0" * 64),
        ("hash", "f" * 64),
    ],
)
def test_a_changed_entry_is_found(field: str, value: str) -> None:
    links = chain(5)
    links[2] = replace(links[2], **{field: value})  # type: ignore[arg-type]
    assert rules.verify(links) == Broken(3, "entry 3 was changed")


def test_an_entry_that_was_made_anew_does_not_fit_its_neighbours() -> None:
    links = chain(5)
    forged = replace(links[2], kind="test.undone")
    fields = (forged.seq, forged.kind, forged.at, forged.subjects, forged.detail_digest, forged.prev_hash)
    links[2] = replace(forged, hash=rules.hash_entry(*fields))
    assert rules.verify(links) == Broken(4, "entry 4 does not follow entry 3")


def test_a_missing_entry_is_found() -> None:
    links = chain(5)
    assert rules.verify(links[:2] + links[3:]) == Broken(4, "entry 3 is missing")
    assert rules.verify(links[1:]) == Broken(2, "entry 1 is missing")


def test_the_same_facts_are_always_the_same_text() -> None:
    assert rules.canonical({"b": 1, "a": "é\n"}) == '{"a":"é\\n","b":1}' == rules.canonical({"a": "é\n", "b": 1})
    noon = datetime(2026, 3, 29, 14, tzinfo=timezone(timedelta(hours=2)))
    assert rules.spell_instant(noon) == "2026-03-29T12:00:00.000000Z" == rules.spell_instant(noon.astimezone(UTC))


def test_a_digest_of_personal_details_cannot_be_guessed_without_its_salt() -> None:
    digest = rules.digest_detail("salt", "anna@people.example")
    assert (
        digest
        == sha256(b"salt\nanna@people.example").hexdigest()
        != rules.digest_detail("pepper", "anna@people.example")
    )


def leaf(text: str) -> bytes:
    return sha256(b"\x00" + bytes.fromhex(text)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


A, B, C, D, E = ("0a", "0b", "0c", "0d", "0e")
ROOTS = [
    ([], sha256(b"").hexdigest()),
    ([A], leaf(A).hex()),
    ([A, B], node(leaf(A), leaf(B)).hex()),
    ([A, B, C], node(node(leaf(A), leaf(B)), leaf(C)).hex()),
    ([A, B, C, D], node(node(leaf(A), leaf(B)), node(leaf(C), leaf(D))).hex()),
    ([A, B, C, D, E], node(node(node(leaf(A), leaf(B)), node(leaf(C), leaf(D))), leaf(E)).hex()),
]


@pytest.mark.parametrize(("leaves", "root"), ROOTS)
def test_merkle_roots_are_those_of_rfc_6962(leaves: list[str], root: str) -> None:
    assert rules.merkle_root(leaves) == root


def test_a_merkle_root_knows_order_and_repeats() -> None:
    roots = {rules.merkle_root(leaves) for leaves in ([A, B], [B, A], [A, B, B], [A, A, B])}
    assert len(roots) == 4


AT = datetime(2026, 11, 24, 12, 3, tzinfo=UTC)


@pytest.mark.parametrize("latest", [None, AT - timedelta(days=1), AT, AT + rules.CLOCKS_APART])
def test_a_clock_that_is_about_right_is_left_alone(latest: datetime | None) -> None:
    assert rules.clock_fault(AT, latest) is None


def test_a_clock_before_the_record_was_set_back_and_both_are_said() -> None:
    fault = rules.clock_fault(AT, AT + timedelta(hours=1))
    assert fault is not None
    assert fault.startswith("The clock was set back: it says 2026-11-24 12:03 UTC, and the record has an entry of")
    assert "2026-11-24 13:03 UTC" in fault
