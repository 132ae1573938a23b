from pathlib import Path

import pytest

from mailer.policies.diff.blocks import blocks
from mailer.policies.text import contents, recognise_headings, to_html

LONG = (
    "We write at some length here, as a paragraph of a real statement is long and ends with a full stop, so this does."
)
PLAIN = f"""House rules
Last changed in May
Who we are
{LONG}
What do we keep?
{LONG}
{LONG}
We keep:
Names
Addresses
Phones
{LONG}
2. Reach us
Write to us.
"""


def test_headings_carry_the_anchors_of_the_contents() -> None:
    text = "# A & B\n\nwords\n\n## Same\n\n## Same\n\n## Same-1\n\n## [Linked](/x)\n\n## 条款"
    anchors = [section.anchor for section in contents(text)]
    assert anchors == ["a--b", "same", "same-1", "same-1-1", "linked", "条款"]
    html = to_html(text)
    assert all(f'id="{anchor}"' in html for anchor in anchors)
    assert [block.section for block in blocks(text)][:2] == ["a--b", "a--b"]


def test_no_section_takes_an_id_that_the_page_itself_has() -> None:
    assert 'id="main-1"' in to_html("# Main\n\nwords")


def test_a_link_within_the_text_leads_to_the_id_that_its_section_has_kept() -> None:
    html = to_html("# T\n\nSee [scope](#b-scope) and [there](/x#b-scope).\n\n## B. Scope\n", ["t", "a-scope"])
    assert 'href="#a-scope"' in html
    assert 'id="a-scope"' in html
    assert 'href="/x#b-scope"' in html


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[x](javascript:alert(1))", "href"),
        ("[x](JaVaScRiPt:alert(1))", "href"),
        ("[x](data:text/html,hello)", "href"),
        ("[x](&#106;avascript:alert(1))", "href"),
        ("![pixel](https://tracker.example/p.png)", "<img"),
        ('<a href="/x" onclick="y()">z</a>', "onclick"),
        ('<a href="javascript:y()">z</a>', "href"),
        ('<div onclick="y()"><iframe src="/x"></iframe>z</div>', "<iframe"),
        ("- a\n  <script>alert(1)</script>", "script"),
        ("say <svg onload=alert(1)> so", "svg"),
        ('<table background="javascript:x"><tr><td style="x">z</td></tr></table>', "javascript"),
        ("# <img src=x onerror=y>", "<img"),
        ("| a |\n|:-:|\n| b |", "style"),
        ("---\ntitle: secret\n---\ntext", "secret"),
    ],
)
def test_nothing_unsafe_comes_out(text: str, absent: str) -> None:
    assert absent not in to_html(text)


@pytest.mark.parametrize(
    "url", ["https://example.com/x", "http://example.com", "mailto:a@example.com", "/rel", "#part"]
)
def test_plain_links_stay(url: str) -> None:
    assert f'href="{url}"' in to_html(f"[x]({url})")


def test_bare_heading_lines_become_headings() -> None:
    found = [(section.level, section.title) for section in contents(recognise_headings(PLAIN))]
    assert found == [(1, "House rules"), (2, "Who we are"), (2, "What do we keep?"), (2, "2. Reach us")]


@pytest.mark.parametrize("spelt", [PLAIN.replace("\n", "\r\n"), "\ufeff" + PLAIN, PLAIN.replace("\n", "\n\n")])
def test_line_ends_and_byte_order_mark_make_no_difference(spelt: str) -> None:
    assert contents(recognise_headings(spelt)) == contents(recognise_headings(PLAIN))


@pytest.mark.parametrize(
    "text", ["# Title\r\n\r\nSection\r\n" + LONG, "\ufeffTitle\n=====\n\nwords", "Intro\n\n## Part\n\nwords", ""]
)
def test_markdown_is_left_as_it_is(text: str) -> None:
    assert recognise_headings(text) == text


def test_a_text_wrapped_by_hand_has_headings_only_between_empty_lines() -> None:
    text = "Rules\n\nScope\n\nThese rules hold for all\nWho use the house and\nits garden.\n\nWe end here.\n"
    assert [section.title for section in contents(recognise_headings(text))] == ["Rules", "Scope"]


def test_the_real_statement_has_all_its_sections(shared: Path) -> None:
    text = (shared / "statement" / "leadmark-privacy-statement.txt").read_text()
    lines = text.splitlines()
    short = [line for line in lines if len(line) < 80]
    found = contents(recognise_headings(text))
    assert [section.title for section in found] == short
    assert [section.level for section in found] == [1, *[2] * (len(short) - 1)]
    assert len(blocks(recognise_headings(text))) == len(lines)
