"""What is brought in is read strictly, and every fault says what to do."""

from __future__ import annotations

import pytest

from mailer.errors import MailerError
from mailer.policies import written


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("# A\n\nWords.", "# A\n\nWords.\n"),
        (b"\xef\xbb\xbf# A\r\n\r\nWords.\r\n\r\n", "# A\n\nWords.\n"),
        ("\n\nWords.\rMore.", "Words.\nMore.\n"),
        ("Priv\u00e9".encode(), "Priv\u00e9\n"),
    ],
)
def test_a_text_is_kept_as_utf_8_with_plain_line_ends(data: bytes | str, text: str) -> None:
    assert written.read_text(data) == text


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "no words"),
        ("\ufeff \n", 422, "no words"),
        ("Privé".encode("latin-1"), 422, "not UTF-8"),
        (b"a" * 500_001, 413, "too many"),
        ("one\ntwo\x00", 422, r"line 2 holds the control character U\+0000"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_in_one_sentence(data: bytes | str, status: int, words: str) -> None:
    with pytest.raises(MailerError, match=words) as raised:
        written.read_text(data)
    assert (raised.value.field, raised.value.status) == ("text", status)


def test_words_are_trimmed_and_bounded() -> None:
    assert written.read_words("  one\r\ntwo ", "summary") == "one\ntwo"
    for words in ("x" * 4_001, "\x07"):
        with pytest.raises(written.BadText) as raised:
            written.read_words(words, "summary")
        assert raised.value.field == "summary"


@pytest.mark.parametrize("slug", ["", "Privacy", "a b", "-a", "a--b", "a/b", "../x", "new", "drafts", "x" * 81, "é"])
def test_a_name_that_does_not_fit_an_address_is_refused(slug: str) -> None:
    with pytest.raises(written.BadPolicy) as raised:
        written.read_slug(slug)
    assert raised.value.field == "slug"


def test_a_policy_concerns_somebody_we_know() -> None:
    assert written.read_slug(" privacy-statement ") == "privacy-statement"
    assert written.read_concerns(["subscriber", "account_holder"]) == ["account_holder", "subscriber"]
    for origins in ([], ["everybody"]):
        with pytest.raises(written.BadPolicy):
            written.read_concerns(origins)
