from __future__ import annotations

import pytest

from mailer.contacts import rules
from mailer.contacts.rules import Origin


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        ("anna@people.example", "anna@people.example", "anna@people.example"),
        ("  Anna@People.Example ", "Anna@people.example", "anna@people.example"),
        ("a.b+tag@people.example", "a.b+tag@people.example", "a.b+tag@people.example"),
        ("anna@faß.de", "anna@xn--fa-hia.de", "anna@xn--fa-hia.de"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_read_with_the_key_it_is_known_by(text: str, email: str, key: str) -> None:
    assert rules.read_address(text) == rules.MailAddress(email, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "anna@",
        "@people.example",
        "anna@people",
        "anna@people..example",
        "an na@people.example",
        "anna@people.example, bob@people.example",
        "anna@people.example\r\nBcc: bob@people.example",
        "=?UTF-8?Q?anna?=@people.example",
        "an\u200bna@people.example",
        "\ufeffanna@people.example",
        "anna@people.\u202eexample",
        "anna@[127.0.0.1]",
        '"anna b"@people.example',
        "jürgen@people.example",
        "a" * 65 + "@people.example",
        "anna@" + "a" * 64 + ".example",
        "anna\x00@people.example",
    ],
)
def test_what_is_no_address_is_refused_with_the_field_named(text: str) -> None:
    with pytest.raises(rules.BadAddress, match=r"^email: ") as refused:
        rules.read_address(text)
    assert refused.value.field == "email"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["Anna", "", "  Anna de Vries ", "Zoë O’Brien", "名前", "50% = half?"])
def test_a_line_of_plain_text_is_kept(text: str) -> None:
    assert rules.read_line(text, "name") == text.strip(" ")


@pytest.mark.parametrize(
    "text",
    [
        "a\rb",
        "a\nb",
        "a\x00b",
        "a\tb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "=?UTF-8?Q?=0D=0ABcc:_x@example.com?=",
        "a" * 201,
    ],
)
def test_a_line_that_may_not_stand_in_a_header_is_refused(text: str) -> None:
    with pytest.raises(rules.BadText, match=r"^name: ") as refused:
        rules.read_line(text, "name")
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (Origin.THIRD_PARTY, Origin.SUBSCRIBER, Origin.SUBSCRIBER),
        (Origin.SUBSCRIBER, Origin.THIRD_PARTY, Origin.SUBSCRIBER),
        (Origin.ACCOUNT_HOLDER, Origin.SUBSCRIBER, Origin.ACCOUNT_HOLDER),
        (Origin.THIRD_PARTY, Origin.ACCOUNT_HOLDER, Origin.ACCOUNT_HOLDER),
        (Origin.THIRD_PARTY, Origin.THIRD_PARTY, Origin.THIRD_PARTY),
    ],
)
def test_an_origin_is_never_weakened(one: Origin, other: Origin, kept: Origin) -> None:
    assert rules.stronger(one, other) is kept


@pytest.mark.parametrize(
    ("text", "locale"), [("", ""), ("nl", "nl"), ("NL", "nl"), ("nl-BE", "nl"), ("en_GB", "en"), (" en ", "en")]
)
def test_a_language_is_read_from_what_files_say(text: str, locale: str) -> None:
    assert rules.read_locale(text) == locale


def test_a_language_that_we_do_not_write_is_named() -> None:
    with pytest.raises(rules.UnknownLocale, match="locale: “fr” is not one of en, nl"):
        rules.read_locale("fr")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("", ""),
        (" ", ""),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        (" america/argentina/ushuaia ", "America/Argentina/Ushuaia"),
        ("UTC", "UTC"),
    ],
)
def test_a_time_zone_is_read_by_its_name(text: str, zone: str) -> None:
    assert rules.read_time_zone(text) == zone


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Amsterdam", "Europe/Amsterdam"),
        ("America/New York", "America/New_York"),
        ("CEST", "Europe/Amsterdam"),
        ("+01:00", "Europe/Amsterdam"),
        ("../../etc/passwd", "Europe/Amsterdam"),
        ("localtime", "Europe/Amsterdam"),
    ],
)
def test_what_is_no_time_zone_is_told_with_a_name_that_is(text: str, name: str) -> None:
    with pytest.raises(rules.UnknownTimeZone) as caught:
        rules.read_time_zone(text)
    assert f"time_zone: “{text}” is not in the IANA list of time zones; write a name like {name}," in str(caught.value)
    assert caught.value.field == "time_zone"


@pytest.mark.parametrize(("name", "first"), [("Anna de Vries", "Anna"), ("Anna", "Anna"), ("", "")])
def test_a_mail_greets_by_the_first_word_of_the_name(name: str, first: str) -> None:
    assert rules.first_name(name) == first
