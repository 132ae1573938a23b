"""A web page becomes what people see of it; no script, no trick of style, no mark of its own comes through."""

from __future__ import annotations

import pytest

from mailer.errors import MailerError
from mailer.policies.diff import html
from mailer.policies.documents import page, read_document, read_file
from mailer.policies.text import to_html


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        (
            "<h1>Title</h1><h3>Sub</h3><p>Words <b>bold</b> <em>soft</em>.</p>",
            "# Title\n\n### Sub\n\nWords **bold** *soft*.\n",
        ),
        ("<ol start=3><li>c<ul><li>x</li></ul></li><li>d</li></ol>", "3. c\n   - x\n4. d\n"),
        ("<ul><li><p>a</p><p>b</p></li></ul>", "- a\n\n  b\n"),
        ('<p>See <a href="/policies/dpa">the DPA</a>.</p>', "See [the DPA](/policies/dpa).\n"),
        ('<p><a href="javascript:alert(1)">bad</a> <a href="#x">here</a></p>', "bad here\n"),
        (
            "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "| A | B |\n| --- | --- |\n| 1 | 2 |\n",
        ),
        ("<pre><code>x = 1\n  y</code></pre>", "```\nx = 1\n  y\n```\n"),
        ("<blockquote><p>q</p><p>r</p></blockquote>", "> q\n>\n> r\n"),
        ("<dl><dt>Term <i>a</i></dt><dd>What it is.</dd></dl>", "**Term *a***\n\nWhat it is.\n"),
        ('<p>Our logo: <img src="http://x.example/p.png" alt="a ship"></p>', "Our logo: a ship\n"),
    ],
)
def test_what_a_page_says_becomes_markdown(html: str, markdown: str) -> None:
    assert page.from_html(html) == markdown


@pytest.mark.parametrize(
    "gone",
    [
        "<script>alert(1)</script>",
        "<style>p { color: red }</style>",
        "<!-- a comment -->",
        "<template>never</template>",
        "<p hidden>never</p>",
        '<p style="DISPLAY : none">never</p>',
        '<span style="visibility:hidden">never</span>',
        "<nav><a href='/'>never</a></nav>",
        "<iframe src='https://x.example/'>never</iframe>",
        "<svg><text>never</text></svg>",
        "<form><input value='never'><button>never</button></form>",
        "<del>never</del>",
        "<noscript>never</noscript>",
    ],
)
def test_what_nobody_reads_is_gone(gone: str) -> None:
    assert (
        page.from_html(f"<html><head><title>never</title></head><body>{gone}<p>Words.</p></body></html>") == "Words.\n"
    )


def test_only_the_part_that_the_page_calls_its_main_one_is_read() -> None:
    assert page.from_html("<body><p>menu</p><main><p>Words.</p></main><footer>foot</footer></body>") == "Words.\n"
    twice = page.from_html("<body><article>one</article><article>two</article></body>")
    assert (twice.count("one"), twice.count("two")) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        "1. not a list",
        "12) not a list",
        "# not a heading",
        "- no item",
        "+ no item",
        "> no quotation",
        "a * b and *c* and `d` and [e](f)",
        "snake_case and _this_ and __that__",
        "<script>alert(1)</script>",
        "&lt; stays an entity's name",
        "a | b",
        "back\\slash",
        "~~~ no code",
        "=== no underline",
        "2026-11-24 at 10.30 is no list, 50% & more",
    ],
)
def test_words_that_look_like_marks_stay_words(words: str) -> None:
    source = f"<p>{words.replace('&', '&amp;').replace('<', '&lt;')}</p>"
    shown = to_html(page.from_html(source))
    assert shown.unescape().strip() == f"<p>{words}</p>"


def test_a_heading_keeps_the_sign_it_ends_with() -> None:
    assert "Area C #</h2>" in to_html(page.from_html("<h2>Area C #</h2><h2>1. Numbered</h2>"))
    assert page.from_html("<h2>1. Numbered</h2>") == "## 1. Numbered\n"


def test_a_plain_text_is_not_littered_with_backslashes() -> None:
    words = "Privacy (AVG/GDPR), article 6.1(b): snake_case, 3 + 4 = 7, a-b, e-mail <at> x. Really? Yes!"
    assert page.from_html(f"<p>{words.replace('<at>', 'at')}</p>") == words.replace("<at>", "at") + "\n"


def test_the_same_page_in_other_encodings_reads_the_same() -> None:
    text = "<html><head><meta charset='{}'></head><body><p>Privé — één</p></body></html>"
    for charset in ("utf-8", "windows-1252"):
        assert read_file("a.html", text.format(charset).encode(charset)) == "Privé — één\n"
    assert read_file("a.html", text.format("utf-16").encode("utf-16")) == "Privé — één\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<p>Priv\xe9</p>", "not in the encoding it claims"),
        (b"<meta charset=x-none><p>Priv\xe9</p>", "not in the encoding it claims"),
        (b"<div>" * 300 + b"x", "nests more than"),
        (b"<p>a" * (html.ELEMENTS + 1), "more than 50,000 elements"),
        (b"<html></html>", "no words"),
        (b" ", "no words"),
    ],
)
def test_a_page_that_cannot_be_read_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(MailerError, match=words) as raised:
        read_document(data, "page.html")
    assert raised.value.field == "text"
