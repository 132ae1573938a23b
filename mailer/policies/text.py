"""Policy text for people: safe HTML, the list of contents, and headings found in plain text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from mailer.policies.diff.blocks import HEADINGS, LINK_SCHEMES, Section, parse, parser, sections

HEADING_WORDS = 14
HEADING_LETTERS = 120
LINE_LETTERS = 100
"""A text without longer lines is wrapped by hand: there an empty line, not a line's end, closes a paragraph."""

_TAGS = {
    *HEADINGS,
    *("div", "p", "br", "hr", "strong", "em", "a", "code", "pre", "blockquote", "ol", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    **{heading: {"id"} for heading in HEADINGS},
    "a": {"href", "title", "aria-label"},
    "ol": {"start"},
    "p": {"lang", "dir"},
}
_CLASSES = {
    "a": {"anchor"},
    "div": {"headed"},
    **{tag: {"touched"} for tag in (*HEADINGS, "p", "li", "td", "th", "code")},
} | {"p": {"touched", "touched-note"}}
_MARKDOWN_HEADING = re.compile(
    r"^ {0,3}#{1,6}(?:[ \t]|$)|^ {0,3}\S.*\n {0,3}(?:=+|-{2,})[ \t]*$|^ {0,3}(?:```|~~~)", re.M
)
_BULLET = re.compile(r"\s*(?:[-*+•|>]|\(?[a-z]\)\s)")
_NUMBER = re.compile(r"\s*\d{1,3}[.)]\s")
_CLOSED = re.compile(r"[.;:,!…][\"'”’)\]]*$")


def to_html(markdown: str, anchors: Sequence[str] | None = None, *, heading_link: str = "") -> Markup:
    """The text as HTML that no script can run from; headings carry the ids that `contents` names.

    `anchors` are the ids of the headings in order, if they are kept (`Version.anchors`). `heading_link` is what
    screen readers call the link that then stands at each heading below the title.
    """
    tokens = with_ids(parse(markdown), anchors)
    return render(list(_with_links(tokens, heading_link)) if heading_link else tokens)


def contents(markdown: str, anchors: Sequence[str] | None = None) -> list[Section]:
    """The headings in order, for a list of contents."""
    found = sections(parse(markdown))
    ids = _ids(found, anchors)
    return [replace(section, anchor=id_) for section, id_ in zip(found, ids, strict=True) if section.title]


def heading_ids(markdown: str, anchors: Sequence[str] | None = None) -> list[str]:
    """The id of every heading in order, also of one without words."""
    return _ids(sections(parse(markdown)), anchors)


def with_ids(tokens: list[Token], anchors: Sequence[str] | None = None) -> list[Token]:
    """The tokens with an id at each heading; pictures are their words.

    A link within the text that names a heading by its present words leads to the id that the heading has kept.
    """
    found = sections(tokens)
    kept = _ids(found, anchors)
    by_words = {f"#{section.anchor}": f"#{id_}" for section, id_ in zip(found, kept, strict=True)}
    ids = iter(kept)
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", next(ids))
        for child in token.children or []:
            if child.type == "link_open":
                target = str(child.attrs.get("href", ""))
                child.attrSet("href", by_words.get(target, target))
            if child.type == "image":  # a picture fetched from elsewhere would tell who reads; its words stay
                child.type = "text"
    return tokens


def render(tokens: Sequence[Token]) -> Markup:
    """The one way from tokens to a page: rendered, then sanitised."""
    rendered = parser().renderer.render(tokens, parser().options, {})
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=LINK_SCHEMES - {""},
    )
    return Markup(clean)  # noqa: S704 - sanitised in the line above


def html_token(html: Markup) -> Token:
    """A piece of our own between the text's tokens."""
    return Token("html_block", "", 0, content=f"{html}\n")


def _ids(found: Sequence[Section], anchors: Sequence[str] | None) -> list[str]:
    """The kept ids, where there is one for each heading; else those made of the titles."""
    if anchors and len(anchors) == len(found):
        return list(anchors)
    return [section.anchor for section in found]


def _with_links(tokens: Sequence[Token], label: str) -> Iterator[Token]:
    """The tokens with a link to itself beside each heading below the title, outside it, so that its name stays."""
    titles = iter(section.title for section in sections(tokens))
    for at, token in enumerate(tokens):
        is_linked = token.tag in HEADINGS - {"h1"}
        if token.type == "heading_open" and is_linked:
            yield html_token(Markup('<div class="headed">'))
        yield token
        if token.type == "heading_close":
            title = next(titles)
            if is_linked:
                link = Markup('<a class="anchor" href="#{}" aria-label="{}: {}">#</a></div>')
                yield html_token(link.format(tokens[at - 2].attrs["id"], label, title))


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
