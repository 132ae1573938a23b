"""Policy text for people: safe HTML, the list of contents, and headings found in plain text."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import nh3
from markupsafe import Markup

from mailer.policies.diff.blocks import HEADINGS, LINK_SCHEMES, Section, parse, parser, sections

HEADING_WORDS = 14
HEADING_LETTERS = 120
LINE_LETTERS = 100
"""A text without longer lines is wrapped by hand: there an empty line, not a line's end, closes a paragraph."""

_TAGS = {
    *HEADINGS,
    *("p", "br", "hr", "strong", "em", "a", "code", "pre", "blockquote", "ol", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {**{heading: {"id"} for heading in HEADINGS}, "a": {"href", "title"}, "ol": {"start"}}
_MARKDOWN_HEADING = re.compile(
    r"^ {0,3}#{1,6}(?:[ \t]|$)|^ {0,3}\S.*\n {0,3}(?:=+|-{2,})[ \t]*$|^ {0,3}(?:```|~~~)", re.M
)
_BULLET = re.compile(r"\s*(?:[-*+•|>]|\(?[a-z]\)\s)")
_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s")
_CLOSED = re.compile(r"[.;:,!…][\"'”’)\]]*$")


def to_html(markdown: str) -> Markup:
    """The text as HTML that no script can run from; headings carry the ids that `contents` names."""
    tokens = parse(markdown)
    headings = iter(sections(tokens))
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", next(headings).anchor)
        for child in token.children or []:
            if child.type == "image":  # a picture fetched from elsewhere would tell who reads; its words stay
                child.type = "text"
    rendered = parser().renderer.render(tokens, parser().options, {})
    clean = nh3.clean(rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=LINK_SCHEMES - {""})
    return Markup(clean)  # noqa: S704 - sanitised in the line above


def contents(markdown: str) -> list[Section]:
    """The headings in order, for a list of contents."""
    return [section for section in sections(parse(markdown)) if section.title]


def recognise_headings(plain_text: str) -> str:
    """Markdown from a plain text whose headings are bare lines; a text with Markdown headings is returned as it is.

    The first line is the title if it is short and has no closing punctuation; any other such line is a section's
    heading if a paragraph follows and no other short line stands before it, as it would in a list.
    """
    text = plain_text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip() or _MARKDOWN_HEADING.search(text):
        return plain_text
    if max(map(len, text.split("\n"))) <= LINE_LETTERS:
        paragraphs = [chunk.strip("\n") for chunk in re.split(r"\n\s*\n", text)]
    else:
        paragraphs = list(_lines_as_paragraphs(text))
    return "\n\n".join(_with_headings([paragraph for paragraph in paragraphs if paragraph.strip()])) + "\n"


def _lines_as_paragraphs(text: str) -> Iterator[str]:
    """Every line is a paragraph, but the lines of a list or table stay together."""
    lines = (line.rstrip() for line in text.split("\n") if line.strip())
    for is_item, run in groupby(lines, key=lambda line: bool(_BULLET.match(line) or _NUMBER.match(line))):
        if is_item:
            yield "\n".join(run)
        else:
            yield from (line.strip() for line in run)


def _with_headings(paragraphs: Sequence[str]) -> Iterator[str]:
    short = [_may_be_heading(paragraph) for paragraph in paragraphs]
    for at, paragraph in enumerate(paragraphs):
        is_last = at + 1 == len(paragraphs)
        if at == 0 and short[0] and not is_last:
            yield f"# {paragraph.strip()}"
        elif short[at] and not is_last and not short[at + 1] and _opens_a_section(paragraphs, short, at):
            yield f"## {paragraph.strip()}"
        else:
            yield paragraph


def _may_be_heading(paragraph: str) -> bool:
    line = paragraph.strip()
    first = next((char for char in line if char.isalpha()), "")
    return (
        bool(first)
        and not first.islower()
        and "\n" not in line
        and len(line) <= HEADING_LETTERS
        and len(line.split()) <= HEADING_WORDS
        and not _BULLET.match(line)
        and not _CLOSED.search(line)
    )


def _opens_a_section(paragraphs: Sequence[str], short: Sequence[bool], at: int) -> bool:
    """No short line stands before it, as in a list; but a date or a subtitle may stand under the title."""
    if at == 0:
        return True
    before = 0 if at == 2 and short[1] else at - 1
    return (before == 0 and short[0]) or not (short[before] or paragraphs[before].rstrip().endswith(":"))
