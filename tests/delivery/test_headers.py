"""Header values: what is written is what a reader gets, and nothing becomes a line of its own (TRAPS 1, 2)."""

from __future__ import annotations

import email.policy
import re
from email.header import decode_header, make_header
from email.parser import Parser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.delivery import headers
from mailer.delivery.headers import UnsafeHeader
from tests.delivery.letters import CONTROLS

ONE_LINE = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters=CONTROLS), max_size=300)
WORD = re.compile(r"=\?utf-8\?[qb]\?[!->@-~]*\?=")


def unfolded(value: str) -> str:
    """What a reader makes of a header value, by the standard library."""
    return str(make_header(decode_header(value.replace("\r\n", ""))))


@settings(deadline=None)
@given(ONE_LINE)
@example("Grüße – 名前")
@example("=?UTF-8?Q?=0D=0ABcc:_x@example.com?=")
@example(" blank at both ends ")
@example("x" * 241)
@example("a_b?c=d" * 40)
@example("\N{FAMILY}" * 70)
@example("é" * 34)
def test_a_subject_is_read_back_as_it_was_written(value: str) -> None:
    written = headers.text(value, "Subject")
    assert written.isascii()
    assert unfolded(written) == value
    message = Parser(policy=email.policy.default).parsestr(f"Subject: {written}\r\n\r\n")
    assert message["Subject"] == value
    assert message.keys() == ["Subject"]


@settings(deadline=None)
@given(ONE_LINE, st.integers(60, 76))
def test_encoded_words_are_short_and_each_reads_alone(value: str, first_line: int) -> None:
    words = headers.encoded_words(value, first_line)
    assert [word for word in words if not WORD.fullmatch(word) or len(word) > 75] == []
    assert len(words[0]) <= first_line
    assert "".join(unfolded(word) for word in words) == value, "no word ends within a character"


@settings(deadline=None)
@given(ONE_LINE.filter(bool))
@example('Anna" <x@example.com>, "')
@example("Anna\\")
@example("Zoë, O'Brien")
@example("Smit (sales)")
@example("名前" * 60)
def test_a_name_is_read_back_and_makes_no_second_recipient(name: str) -> None:
    written = headers.mailbox(name, "anna@people.example", "To")
    message = Parser(policy=email.policy.default).parsestr(f"To: {written}\r\n\r\n")
    (found,) = message["To"].addresses
    assert found.addr_spec == "anna@people.example"
    if WORD.search(written):  # this Python's own reading of a name leaves blanks between two words (cpython #128110)
        assert unfolded(written.rpartition("<")[0].removesuffix("\r\n ").removesuffix(" ")) == name
        assert max(map(len, f"To: {written}".split("\r\n"))) <= 76, "RFC 2047 §2"
    else:
        assert found.display_name == name


def test_a_plain_text_is_left_plain() -> None:
    assert headers.text("News of March: 50% off?", "Subject") == "News of March: 50% off?"
    assert headers.mailbox("", "anna@people.example", "To") == "anna@people.example"
    assert headers.mailbox("Anna de Vries", "a@b.example", "To") == "Anna de Vries <a@b.example>"


def test_the_shorter_spelling_is_taken() -> None:
    assert headers.text("Zoë Jansen", "Subject") == "=?utf-8?q?Zo=C3=AB_Jansen?="
    assert headers.text("名前", "Subject") == "=?utf-8?b?5ZCN5YmN?="


@pytest.mark.parametrize("bad", [*CONTROLS, "\r\n", "\ud800"], ids=ascii)
@pytest.mark.parametrize("around", ["{}", "Anna{}Bcc: x@example.com", "Zoë{}"])
def test_a_line_end_or_a_control_character_is_refused(bad: str, around: str) -> None:
    value = around.format(bad)
    with pytest.raises(UnsafeHeader, match="control character") as refused:
        headers.text(value, "Subject")
    assert refused.value.field == "Subject"
    with pytest.raises(UnsafeHeader) as refused:
        headers.mailbox(value, "a@b.example", "To")
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    "bad",
    [
        "anna",
        "anna@",
        "anna@b.example\r\nBcc: x@y.example",
        "anna@b.example>, <x@y.example",
        "anna@b.example, x@y.example",
        "a b@c.example",
        "ü@b.example",
        "anna@bücher.example",
        "=?utf-8?q?a?=@b.example",
        '"a\\"b"@c.example',
        "anna@b.example\x00",
    ],
)
def test_an_address_with_anything_else_in_it_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeHeader, match="address"):
        headers.mailbox("Anna", bad, "To")


@pytest.mark.parametrize("email_", ["o'brien+news@people.example", "a.b-c_d@xn--bcher-kva.example", "a@[127.0.0.1]"])
def test_an_address_that_people_have_is_taken(email_: str) -> None:
    assert headers.address(email_) == email_


@pytest.mark.parametrize("bad", ["", "Company", "Company <>", "Company\r\nBcc: x@y.example", "A <a@b.example\r\n>"])
def test_a_sender_without_an_address_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeHeader):
        headers.mailbox(*headers.sender(bad), "From")


def test_a_value_of_another_form_or_too_long_for_a_line_is_refused() -> None:
    form = re.compile("<[a-z]+>")
    assert headers.matching("<" + "a" * 980 + ">", "List-Id", form)
    for bad in ("<A>", "<a>\n", "", "<" + "a" * 990 + ">"):
        with pytest.raises(UnsafeHeader, match="List-Id"):
            headers.matching(bad, "List-Id", form)
