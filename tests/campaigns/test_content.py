"""What people write becomes a safe mail, with placeholders where readers see them and nothing evaluated (TRAPS 15)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.campaigns import content, placeholders
from mailer.campaigns.content import BadLetter
from mailer.campaigns.placeholders import BadPlaceholder
from mailer.delivery.slots import word
from mailer.errors import Invalid

FIRST_NAME, COMPANY = word("first_name"), word("company")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ adress }}", "“{{ adress }}” is not a placeholder"),
        ("{{ firstname }}", "perhaps “{{ first_name }}” is meant"),
        ("{{ email.upper }}", "a dot"),
        ("{{ email['x'] }}", "a bracket"),
        ("{{ email() }}", "a call"),
        ("{{ email|upper }}", "a filter"),
        ("{{ 'a' * 300000000 }}", "a computation"),
        ("{{ 1 }}", "a fixed value"),
        ("{{ a if b }}", "a condition"),
        ("{{ self }}", "is not a placeholder"),
        ("{% for x in y %}{% endfor %}", "“{% … %}”"),
        ("{%- set x = 1 %}", "“{% … %}”"),
        ("{# a remark that would vanish #}", "“{# … #}”"),
        ("{% raw %}{{ email }}{% endraw %}", "“{% raw %}”"),
        ("{{ email", "do not close"),
        ("{{ }}", "do not close"),
        ("{{" + "(" * 5_000 + "1" + ")" * 5_000 + "}}", "too deeply"),
        ("x\0y", "take it out"),
        (placeholders.MARKS["email"], "take it out"),
        ("x" * 100_001, "too many"),
    ],
)
def test_what_is_no_placeholder_is_refused_with_the_allowed_ones(text: str, words: str) -> None:
    with pytest.raises(BadPlaceholder) as refused:
        content.write("Subject", text)
    assert words in str(refused.value)
    assert refused.value.field == "body"


def test_the_line_is_named() -> None:
    with pytest.raises(BadPlaceholder, match=r"body, line 3: .* Allowed: \{\{ first_name \}\}, "):
        content.write("Subject", "one\n\n{{ nope }}")


def test_nothing_is_evaluated_however_costly_it_would_be() -> None:
    began = time.monotonic()
    with pytest.raises(BadPlaceholder):
        content.write("Subject", "{{ 'a' * 300000000 }}{{ range(10**9)|list }}")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "body",
    [
        "[your page](https://people.example/{{ email }})",
        "[your page]({{ email }})",
        "<https://people.example/{{ email }}>",
        "[page](https://people.example 'for {{ name }}')",
        "![{{ name }}](https://people.example/a.png)",
        "[ref]: https://people.example/{{ name }}",
        "``` {{ name }}\ncode\n```",
    ],
)
def test_a_placeholder_stands_in_text_and_nowhere_else(body: str) -> None:
    with pytest.raises(BadLetter):
        content.write("Subject", body)


@pytest.mark.parametrize("target", ["/relative", "page.html", "#top", "ftp://people.example/"])
def test_a_link_has_a_full_address(target: str) -> None:
    with pytest.raises(BadLetter, match="full address"):
        content.write("Subject", f"[page]({target})")


def test_a_picture_comes_by_https() -> None:
    with pytest.raises(BadLetter, match="full address"):
        content.write("Subject", "![a boat](http://people.example/a.png)")


@pytest.mark.parametrize("subject", ["two\nlines", "=?utf-8?q?Bcc:?=", "{{ nope }}"])
def test_a_subject_cannot_smuggle_a_header(subject: str) -> None:
    with pytest.raises(Invalid) as refused:
        content.write(subject, "text")
    assert refused.value.field == "subject"


def test_html_of_the_author_is_text() -> None:
    letter = content.write("Subject", "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1))")
    assert "<script" not in letter.html
    assert "<img" not in letter.html
    assert "<a" not in letter.html
    assert letter.links == ()


def test_placeholders_survive_every_kind_of_text() -> None:
    body = (
        "# {{ company }}\n\n*{{ first_name }}* and **{{ first_name }}**\n\n- `{{ first_name }}`\n\n> {{ first_name }}"
    )
    letter = content.write("For {{ first_name }}", body)
    assert letter.subject == f"For {FIRST_NAME}"
    assert letter.html.count(FIRST_NAME) == letter.text.count(FIRST_NAME) == 4
    assert f"<h2>{COMPANY}</h2>" in letter.html
    assert letter.placeholders == {"first_name", "company"}


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_becomes_a_letter_or_a_clear_refusal(body: str) -> None:
    try:
        letter = content.write("Subject", body)
    except Invalid:
        return
    assert "<script" not in letter.html.lower()


def test_the_text_part_is_written_for_reading() -> None:
    body = """# Faster search

Search is **ten times** faster for everybody who keeps more than a thousand contracts with us. [See how](https://trac.example/search).
Write to <support@trac.example> or open <https://trac.example/help>.

1. Open a contract
2. Press *Search*
   - or type a slash

---

> It found everything.

    code stays as it is

![A boat](https://trac.example/boat.png)
"""
    assert (
        content.write("Subject", body).text
        == """Faster search
-------------

Search is ten times faster for everybody who keeps more than a thousand
contracts with us. See how (https://trac.example/search). Write to
support@trac.example or open https://trac.example/help.

1. Open a contract
2. Press Search
   - or type a slash

* * *

> It found everything.

    code stays as it is

[A boat]"""
    )


def test_loose_lists_keep_their_air_and_numbers() -> None:
    assert content.write("Subject", "3. one\n\n   more\n\n4. two").text == "3. one\n\n   more\n\n4. two"


def test_line_breaks_and_long_addresses_stay_whole() -> None:
    address = "https://trac.example/" + "a-long-path-" * 10
    text = content.write("Subject", f"Dear reader,\\\nopen <{address}>").text
    assert text == f"Dear reader,\nopen\n{address}"


def test_what_was_found_is_told_to_the_checks() -> None:
    letter = content.write("Subject", "{{ greeting }}\n\n![](https://trac.example/a.png) [x](https://trac.example/)")
    assert letter.links == ("https://trac.example/",)
    assert letter.images == ("https://trac.example/a.png",)
    assert letter.images_without_words == 1
    assert letter.greets
    assert content.write("Subject", "word " * 60).preheader.endswith("…")
