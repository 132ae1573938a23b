from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest

from mailer.ledger import rules
from mailer.ledger.merkle import merkle_root
from mailer.ledger.rules import GENESIS, Broken, Head, Link, Whole


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
    links[2] = links[2]._replace(**{field: value})
    assert rules.verify(links) == Broken(3, "entry 3 was changed")


def test_an_entry_that_was_made_anew_does_not_fit_its_neighbours() -> None:
    links = chain(5)
    forged = links[2]._replace(kind="test.undone")
    fields = (forged.seq, forged.kind, forged.at, forged.subjects, forged.detail_digest, forged.prev_hash)
    links[2] = forged._replace(hash=rules.hash_entry(*fields))
    assert rules.verify(links) == Broken(4, "entry 4 does not follow entry 3")


def test_a_missing_entry_is_found() -> None:
    links = chain(5)
    assert rules.verify(links[:2] + links[3:]) == Broken(4, "entry 3 is missing")
    assert rules.verify(links[1:]) == Broken(2, "entry 1 is missing")


def head_at(links: list[Link], seq: int, name: str = "the head published on 2026-03-01") -> Head:
    return Head(seq, links[seq - 1].hash, merkle_root(link.hash for link in links[:seq]), name)


def test_a_chain_that_passes_its_heads_is_whole() -> None:
    links = chain(9)
    heads = [head_at(links, seq) for seq in (9, 1, 4, 4)]
    assert rules.verify(links, heads) == Whole(9, links[-1].hash)


def test_a_chain_that_was_cut_off_ends_before_its_head() -> None:
    links = chain(9)
    cut = "the ledger ends at entry 6, but the head published on 2026-03-01 is of entry 8"
    assert rules.verify(links[:6], [head_at(links, 4), head_at(links, 8)]) == Broken(7, cut)


def test_a_chain_that_was_made_anew_is_not_the_one_of_its_head() -> None:
    links, forged = chain(9), chain(3)
    for seq in range(4, 10):
        fields = (seq, "test.forged", "2026-03-01T10:00:00.000000Z", "{}", "", forged[-1].hash)
        forged.append(Link(*fields, rules.hash_entry(*fields)))
    assert rules.verify(forged) == Whole(9, forged[-1].hash)
    why = "the chain up to entry 5 is not the one of the head published on 2026-03-01"
    assert rules.verify(forged, [head_at(links, 3), head_at(links, 5)]) == Broken(5, why)


@pytest.mark.parametrize("seq", [0, 12])
def test_a_head_of_no_entry_is_not_passed(seq: int) -> None:
    links = chain(3)
    assert isinstance(rules.verify(links, [Head(seq, "0" * 64)]), Broken)


def test_the_root_of_a_head_counts_where_it_is_known() -> None:
    links = chain(5)
    kept = Head(4, links[3].hash)
    assert isinstance(rules.verify(links, [kept]), Whole)
    assert isinstance(rules.verify(links, [kept, head_at(links, 5)]), Whole)
    assert isinstance(rules.verify(links, [Head(4, links[3].hash, "f" * 64)]), Broken)


@pytest.mark.parametrize("text", ["7:" + "a" * 64, "  7:" + "a" * 64 + "\n", '{"seq": 7, "hash": "' + "a" * 64 + '"}'])
def test_a_head_is_read_as_people_keep_it(text: str) -> None:
    found = rules.read_head(text)
    assert found == Head(7, "a" * 64)
    assert str(found) == "7:" + "a" * 64


@pytest.mark.parametrize(
    "text", ["", "7", "7:abc", "x:" + "a" * 64, "[]", "7.5", '{"seq": 7}', '{"seq": 7, "hash": 1}']
)
def test_what_is_no_head_is_not_read(text: str) -> None:
    assert rules.read_head(text) is None


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


AT = datetime(2026, 11, 24, 12, 3, tzinfo=UTC)


@pytest.mark.parametrize("latest", [None, AT - timedelta(days=1), AT, AT + rules.CLOCKS_APART])
def test_a_clock_that_is_about_right_is_left_alone(latest: datetime | None) -> None:
    assert rules.clock_fault(AT, latest) is None


def test_a_clock_before_the_record_was_set_back_and_both_are_said() -> None:
    fault = rules.clock_fault(AT, AT + timedelta(hours=1))
    assert fault is not None
    assert fault.startswith("The clock was set back: it says 2026-11-24 12:03 UTC, and the record has an entry of")
    assert "2026-11-24 13:03 UTC" in fault
