import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from mailer.policies.diff import diff
from mailer.policies.diff.render import Wording, summary_sentence, to_html, to_text, wordings

OLD = "# Policy\n\nOpening words.\n\nMore words.\n\n## Cookies\n\nWe keep logs for 30 days.\n\nSee [terms](/a)."
NEW = OLD.replace("30", "60").replace("/a", "/b")
LONG = [f"Paragraph {n} speaks of matter {n * 3} for a while and then it ends." for n in range(9)]


def test_the_sentence_counts_changes_and_words() -> None:
    assert summary_sentence(diff("a 30 b", "a 60 c b")) == "1 change: 1 word removed, 2 added."
    assert summary_sentence(diff(OLD, OLD)) == "No words changed."
    assert summary_sentence(diff("\n\n".join(LONG), "\n\n".join(LONG[1:] + LONG[:1]))).startswith("1 change, no words")


def test_wordings_hold_old_and_new_of_each_changed_block() -> None:
    assert wordings(diff(OLD, NEW)) == [
        Wording("Cookies", "changed", "We keep logs for 30 days.", "We keep logs for 60 days."),
        Wording("Cookies", "changed", "See terms (link to /a).", "See terms (link to /b)."),
    ]


def test_text_names_the_place_and_both_wordings() -> None:
    text = to_text(diff(OLD, NEW))
    assert "Policy › Cookies\n[Changed]\nOld: We keep logs for 30 days.\nNew: We keep logs for 60 days." in text
    assert "Opening" not in text


def test_html_says_in_words_what_it_marks() -> None:
    html = to_html(diff(OLD, NEW))
    heard = Markup(re.sub(r"<[^>]*>", "", html)).unescape()
    assert "We keep logs for removed: 30 end of removal inserted: 60 end of insertion  days." in heard
    assert "removed: (link to /a) end of removal inserted: (link to /b) end of insertion" in heard
    assert '<details class="unchanged"><summary>4 paragraphs unchanged</summary>' in html
    assert 'id="change-1"' in html
    assert "style=" not in html


def test_moves_are_linked_both_ways() -> None:
    html = to_html(diff("\n\n".join(LONG), "\n\n".join(LONG[1:] + LONG[:1])))
    assert html.count('class="change moved" id="change-1"') == 1
    assert 'href="#change-1-from"' in html
    assert 'id="change-1-from"' in html
    assert 'href="#change-1"' in html
    assert html.index("change-1-from") < html.index('id="change-1"')


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "# <script>x</script>", "`<script>`", "[a](x '<script>')"]
)
def test_no_script_comes_out(hostile: str) -> None:
    for found in (diff("", hostile), diff(hostile, ""), diff(hostile, hostile + " more\n\n" + hostile)):
        assert "<script" not in to_html(found)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text())
def test_every_tag_of_the_html_is_ours(old: str, new: str) -> None:
    tags = set(re.findall(r"<(/?[^\s>]*)", to_html(diff(old, new))))
    ours = {"p", "pre", "div", "details", "summary", "span", "ins", "del", "a", "dl", "dt", "dd", "ul", "li", "bdi"}
    ours |= {"h3", "h4", "h5", "h6", "blockquote", "table", "tr", "td", "th"}
    assert {tag.removeprefix("/") for tag in tags} <= ours


def test_all_renumbering_is_one_remark_that_lists_each_place_once() -> None:
    old = (
        "# T\n\n1. first of all things\n2. second of all things\n3. third of all things\n\n## 1. Scope\n\n## 2. Data\n"
    )
    new = (
        old.replace("1. first", "1. brand new words entirely\n1. first")
        .replace("## 1.", "## 3.")
        .replace("## 2.", "## 4.")
    )
    html = to_html(diff(old, new))
    assert html.count("Renumbered") == 1
    assert html.count("<li>") == 5
    assert "<span dir='auto'>second of all things</span>" in html
    assert "paragraphs unchanged" in html


def test_a_space_that_a_split_took_away_is_not_read_out() -> None:
    first, second = "You may leave at any time for any reason.", "We then erase all that we hold of you at once."
    assert "removed: " not in to_html(diff(f"{first} {second}", f"{first}\n\n{second}"))
