"""HTML is read as the Markdown that says the same, in whole pages and in pieces."""

import pytest

from mailer.policies.diff import diff
from mailer.policies.diff.blocks import blocks
from mailer.policies.diff.html import fragment_as_markdown as markdown_of
from mailer.policies.text import to_html

PAGE = """<!doctype html><html><head><title>Not text</title><style>p { color: red }</style></head><body>
<!-- a note --><h1>Terms &amp; conditions</h1>
Opening <b>bold</b> and <i>slanted</i> words.
<ul><li>one<ul><li>deeper</li></ul></li><li><p>two</p><p>more of two</p></li></ul>
<ol start="3"><li>third</li><li>fourth</li></ol>
<table><tr><th>What</th><th>How long</th></tr><tr><td>Logs</td><td>30 days | more</td></tr></table>
<p>1. no list<br>- nor this, see <a href="/x y">there</a> or <a>nowhere</a></p>
<pre>a
  b</pre><p hidden>unseen</p><p style="display: none">unseen</p><script>alert(1)</script>
<blockquote><p>quoted *stars* [square] &lt;angle&gt; `tick`</p></blockquote></body></html>"""


def texts(markdown: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in blocks(markdown)]


def test_a_page_comes_out_as_what_a_reader_sees() -> None:
    assert texts(markdown_of(PAGE)) == [
        ("h1", "Terms & conditions"),
        ("p", "Opening bold and slanted words."),
        ("li", "one"),
        ("li", "deeper"),
        ("li", "two"),
        ("li", "more of two"),
        ("li", "third"),
        ("li", "fourth"),
        ("th", "What"),
        ("th", "How long"),
        ("td", "Logs"),
        ("td", "30 days | more"),
        ("p", "1. no list - nor this, see there ⟨/x%20y⟩ or nowhere"),
        ("code", "a\n  b"),
        ("blockquote", "quoted *stars* [square] <angle> `tick`"),
    ]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ('See <a href="/t">the terms</a>.', "See [the terms](/t)."),
        ("<p>Words in <em>a</em> paragraph.</p>", "Words in *a* paragraph."),
        ("<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "- one\n- two"),
        ("one<br>two", "one\ntwo"),
        ('<figure><img src="x.png" alt="a picture"></figure>\n\nWords.', "Words."),
        ("- item\n  <div>more</div>", "- item\n\n  more"),
        ("# <span>Title</span>", "# Title"),
        ("Kept for 30<sup>1</sup> days.", "Kept for 30^1 days."),
        ("<p>Kept for 30<sup>1</sup> days.</p>", "Kept for 30^1 days."),
        ("We <del>never</del> sell <s>them</s>.", "We sell ."),
        ("<p>We <del>never</del> sell <s>them</s>.</p>", "We sell ."),
        ("One <span hidden>secret</span>two<script>alert(1)</script>.", "One two."),
        ('One <span style="display: none">secret</span>two.', "One two."),
        ("One <del>two three.", "One two three."),
        ("<table><caption>What</caption><tr><th>h</th></tr><tr><td>c</td></tr></table>", "What\n\n| h |\n|---|\n| c |"),
    ],
)
def test_html_and_markdown_that_say_the_same_do_not_differ(html: str, markdown: str) -> None:
    assert diff(html, markdown).is_empty


@pytest.mark.parametrize("tag", ["<company>", "<your-name>", "<>", "< b", "a < b > c"])
def test_what_is_no_html_is_text(tag: str) -> None:
    assert texts(f"Write {tag} here.") == [("p", f"Write {tag} here.")]
    assert "&lt;" in to_html(f"Write {tag} here.")


@pytest.mark.parametrize(
    "broken",
    ["<a href='x'>never closed", "closed only</a>", "<b><a href=/y>x</b></a>", "<table><tr><td>", "<ul><p></li>",
     "<div>\n\n**bold**\n\n</div>", "<" * 200, "<b>" * 2000, "<div>" * 2000, "&#0;&#x110000;", "<p>\x00</p>"],
)  # fmt: skip
def test_broken_html_is_read_without_a_fault(broken: str) -> None:
    found = diff(broken, broken + "\n\nMore.")
    assert found.exact
    assert found.words.removed == 0
    to_html(broken)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_an_html_heading_is_a_section(level: int) -> None:
    assert f'id="your-rights">Your rights</h{level}>' in to_html(f"<h{level}>Your rights</h{level}>")
