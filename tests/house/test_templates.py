"""Templates: every kind of mail is complete, essential mail carries no promotion, pages have nothing inline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailer.consent.rules import Channel
from mailer.outbox.rules import MailKind
from tests.house.source import TEMPLATES, templates

PARTS = ("subject.txt", "body.txt", "body.html")
# what may stand unescaped: text that our own code made safe
SAFE_IN: frozenset[str] = frozenset()
_INLINE = {
    "script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "style element": re.compile(r"<style", re.IGNORECASE),
    "style attribute": re.compile(r"<[^>]+\sstyle\s*=", re.IGNORECASE),
    "handler": re.compile(r"<[^>]+\son[a-z]+\s*=", re.IGNORECASE),
    "javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "foreign address": re.compile(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE),
}
_SAFE = re.compile(r"\|\s*safe\b|Markup\(|autoescape\s+false")
_FORM = re.compile(r"<form.*?</form>", re.DOTALL)
_CHOSEN = re.compile(r'type="(?:hidden|date|checkbox|radio|submit)"')
PAGES = [path for path in templates() if path.suffix == ".html" and "mail" not in path.relative_to(TEMPLATES).parts[:1]]


def inline(text: str) -> list[str]:
    """What stands inline in a page that our Content-Security-Policy would refuse."""
    return [name for name, pattern in _INLINE.items() if pattern.search(text)]


def typed_into_a_url(text: str) -> list[str]:
    """The fields of GET forms that anything can be typed into, an address too (invariant 12)."""
    forms = [form for form in _FORM.findall(text) if re.search(r'method="get"', form.partition(">")[0])]
    return [
        field for form in forms for field in re.findall(r"<(?:input|textarea)[^>]*", form) if not _CHOSEN.search(field)
    ]


def name_of(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_of_mail_is_complete(kind: MailKind) -> None:
    folder = TEMPLATES / "mail" / kind.channel / kind
    assert [part for part in PARTS if not (folder / part).is_file()] == []
    for part in PARTS:
        assert (folder / part).read_text().strip()


@pytest.mark.parametrize("channel", Channel)
def test_every_mail_folder_is_a_kind_of_that_channel(channel: Channel) -> None:
    folders = {path.name for path in (TEMPLATES / "mail" / channel).iterdir()}
    assert folders == {kind.value for kind in MailKind if kind.channel is channel}


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind.channel is Channel.ESSENTIAL])
def test_essential_mail_stands_on_the_essential_base_and_loads_nothing(kind: MailKind) -> None:
    for part in ("body.txt", "body.html"):
        text = (TEMPLATES / "mail" / kind.channel / kind / part).read_text()
        assert "mail/_base/essential" in text
        assert "marketing" not in text.lower()
        assert "<img" not in text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_have_nothing_inline(page: Path) -> None:
    assert inline(page.read_text()) == []


@pytest.mark.parametrize("page", [page for page in PAGES if "admin" in page.parts], ids=name_of)
def test_what_staff_type_stands_in_no_url(page: Path) -> None:
    assert typed_into_a_url(page.read_text()) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_escape_everything(page: Path) -> None:
    assert name_of(page) in SAFE_IN or not _SAFE.search(page.read_text())


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<style>p {}</style>",
        '<p class="a" style="color: red">',
        '<a href="#" onclick="go()">',
        '<script src="https://cdn.example/x.js"></script>',
        '<link href="//fonts.example/x.css">',
    ],
)
def test_this_test_sees_what_is_inline(text: str) -> None:
    assert inline(text) != []
    assert typed_into_a_url('<form class="filters" method="get"><input name="words" type="search"></form>') != []
    assert _SAFE.search("{{ text | safe }}")
