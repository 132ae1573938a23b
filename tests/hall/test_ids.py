"""Ids say what they are, sort by age and fit into URLs, logs and mail addresses (STYLE §15)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import ids


def test_a_later_id_sorts_after_an_earlier_one() -> None:
    made = []
    for _ in range(5):
        made.append(ids.new("con"))
        time.sleep(0.002)
    assert made == sorted(made)
    assert len(set(made)) == 5
    assert all(ids.is_id(one, "con") and len(one) == 30 for one in made)


@pytest.mark.parametrize("row", [1, 31, 32, 2**40, 2**63 - 1])
def test_a_message_id_spells_its_row(row: int) -> None:
    spelled = ids.message_id(row)
    assert len(spelled) == 17
    assert ids.message_row(spelled) == row


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "msg_",
        "con_0000000000001",
        "msg_0000000000000",
        "msg_000000000001",
        "msg_00000000000001",
        "msg_000000000000u",
        "msg_zzzzzzzzzzzzz",
        "MSG_0000000000001",
        "msg_0000000000001\n",
        "msg_٠٠٠٠٠٠٠٠٠٠٠٠1",
    ],
)
def test_what_spells_no_row_is_none(bad: str) -> None:
    assert ids.message_row(bad) is None


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("con_0000000000001", True),
        ("ver_0000000000001", False),
        ("con_", False),
        ("con_0000000000001.", False),
        ("con_' OR 1=1 --00", False),
    ],
)
def test_the_shape_of_an_id_is_known(text: str, fits: bool) -> None:
    assert ids.is_id(text, "con") is fits


@pytest.mark.parametrize(
    ("number", "length", "spelled"),
    [
        (0, 13, "0000000000000"),
        (1, 13, "0000000000001"),
        (31, 4, "000z"),
        (32, 4, "0010"),
        (123456789, 5, "nqk8n"),
        (2**20 - 1, 4, "zzzz"),
        (2**40 + 12345, 13, "0000100000c1s"),
        (2**63 - 1, 13, "7zzzzzzzzzzzz"),
        (0x0123456789ABCDEFFEDC, 16, "04hmasw9nf6yzzpw"),
        (2**128 - 1, 26, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        (2**70, 3, "000"),
    ],
)
def test_a_number_is_spelled_as_the_first_release_spelled_it(number: int, length: int, spelled: str) -> None:
    assert ids.encode(number, length) == spelled
    assert ids.decode(spelled) == number % 32**length


@given(st.integers(0, 2**130), st.integers(1, 26))
def test_what_is_spelled_is_read_back(number: int, length: int) -> None:
    spelled = ids.encode(number, length)
    assert len(spelled) == length
    assert ids.decode(spelled) == number % 32**length


def test_a_letter_outside_the_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="“u”"):
        ids.decode("u")


@given(st.integers(0, 2**80 - 1))
def test_sixteen_letters_are_spelled_alike(number: int) -> None:
    assert ids.encode_16(number) == ids.encode(number, 16)
