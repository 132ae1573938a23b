"""A policy text as blocks in canonical form (stated in `mailer.policies.diff`), and the anchors of its sections."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.policies.diff.html import fragment_as_markdown
from mailer.policies.diff.tags import closes, inline_token, is_known, is_unseen, name_of

LINK_SCHEMES = frozenset({"", "http", "https", "mailto"})
TARGET = re.compile(r" ?⟨([^⟩]*)⟩")
RESERVED = ("main",)
"""Ids that the frame of every page has."""
CELLS = frozenset({"td", "th"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n[\w.-]+:.*\n(?>(?:[\w.-]+:.*|[ \t].*|- .*|#.*|)\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_FRONT_KEY = re.compile(r"^(?:title|layout|date|slug|permalink|redirect_from|versions|lang|description)[ \t]*:", re.M)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_LITERAL_BRACKETS = str.maketrans("⟨⟩", "〈〉")
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛", "'") | dict.fromkeys("“”„‟", '"'))
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_LISTS = frozenset({"ordered_list", "bullet_list"})
_CONTAINERS = {"list_item": "li", "blockquote": "blockquote", "td": "td", "th": "th"}


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, list item, cell or code block: `text` is canonical, `path` the headings above it."""

    kind: str
    text: str
    path: tuple[str, ...]
    section: str
    """The anchor of the section it stands in; a heading's own."""
    heading: int = -1
    """Which of the text's headings it is, counted from 0; -1 if it is none."""
    ordinal: int | None = None
    """The number that a page shows before it, as the item of an ordered list."""
    depth: int = 0
    """In how many lists it stands, one within the other."""
    row: int | None = None
    """For a cell, the row of a table it stands in, counted over the whole text."""
    column: str = ""
    """For a cell, the title of its column."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the text, for contents lists and links."""

    level: int
    title: str
    anchor: str


def parse(markdown: str) -> list[Token]:
    """The tokens that page and diff both read: CommonMark and tables, HTML as what it means, safe links only."""
    tokens: list[Token] = []
    for token in parser().parse(source(markdown)):
        if token.type == "html_block":  # within a list or a quotation
            tokens += parser().parse(_of_html(token.content))
        else:
            tokens.append(token)
    for token in tokens:
        token.children = list(_without_html(token.children)) if token.children else token.children
    return tokens


def parser() -> MarkdownIt:
    """The one reading of Markdown that page, contents and diff share."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable("table")
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    return parser


def source(markdown: str) -> str:
    """The Markdown without byte order mark, carriage returns, front matter and comments, which are no policy text.

    Blocks of HTML are written as the Markdown that says the same.
    """
    text = markdown.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(text)
    if front is not None and _FRONT_KEY.search(front[0]):
        text = text[front.end() :]
    text = _without_comments(text)
    if "<" not in text:
        return text
    lines = text.split("\n")
    for token in reversed(parser().parse(text)):
        if token.type == "html_block" and token.level == 0 and token.map:
            lines[slice(*token.map)] = ["", *_of_html(token.content).split("\n"), ""]
    return "\n".join(lines)


def blocks(markdown: str) -> list[Block]:
    """The blocks that hold text, in reading order."""
    tokens = parse(markdown)
    headings = iter(enumerate(sections(tokens)))
    containers: list[str] = []
    lists: list[int | None] = []  # the number that the next item of each open list has
    ordinal: int | None = None
    above: list[Section] = []
    found: list[Block] = []
    table = _Table()
    for position, token in enumerate(tokens):
        table.enter(token)
        name, _, edge = token.type.rpartition("_")
        if edge == "open" and name in _CONTAINERS:
            containers.append(_CONTAINERS[name])
            if name == "list_item" and (ordinal := lists[-1]) is not None:
                lists[-1] = ordinal + 1
        elif edge == "close" and name in _CONTAINERS:
            containers.pop()
        elif edge == "open" and name in _LISTS:
            lists.append(int(token.attrs.get("start", 1)) if name == "ordered_list" else None)
        elif edge == "close" and name in _LISTS:
            lists.pop()
        elif token.type in ("fence", "code_block"):
            found.append(_block("code", _code(token.content), above))
        elif token.type == "inline":
            opener = tokens[position - 1]
            if opener.type == "heading_open":
                number, heading = next(headings)
                above = [section for section in above if section.level < heading.level]
                found.append(_block(opener.tag, inline_text(token), above, heading.anchor, number))
                above.append(heading)
            else:
                kind, text = containers[-1] if containers else "p", inline_text(token)
                row, column = table.place_of(kind, text)
                found.append(
                    replace(_block(kind, text, above), ordinal=ordinal, depth=len(lists), row=row, column=column)
                )
                ordinal = None
    return [block for block in found if block.text or block.kind in CELLS]


class _Table:
    """Where in a table the reading has come to."""

    def __init__(self) -> None:
        self._row = -1
        self._at = 0
        self._titles: list[str] = []

    def enter(self, token: Token) -> None:
        if token.type == "table_open":
            self._titles = []
        elif token.type == "tr_open":
            self._row, self._at = self._row + 1, 0

    def place_of(self, kind: str, text: str) -> tuple[int | None, str]:
        """The row of the cell that comes next, and the title of its column; None for what is no cell."""
        if kind not in CELLS:
            return None, ""
        if kind == "th":
            self._titles.append(without_targets(text))
        title = self._titles[self._at] if kind == "td" and self._at < len(self._titles) else ""
        self._at += 1
        return self._row, title


def sections(tokens: Sequence[Token]) -> list[Section]:
    """Every heading in order, each with an anchor of its own."""
    taken = dict.fromkeys(RESERVED, 0)
    found = []
    for opener, inline in pairwise(tokens):
        if opener.type == "heading_open":
            title = without_targets(inline_text(inline))
            found.append(Section(int(opener.tag[1]), title, section_anchor(title, taken)))
    return found


def section_anchor(title: str, taken: dict[str, int]) -> str:
    """The id of a section, made of its title as GitHub makes it, so that it lasts over versions and links find it.

    `taken` holds the ids given so far, each with the repeats it has had; this one is added.
    """
    slug = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") or "section"
    anchor = slug
    while anchor in taken:
        taken[slug] += 1
        anchor = f"{slug}-{taken[slug]}"
    taken[anchor] = 0
    return anchor


def canonical(found: Sequence[Block]) -> str:
    """The canonical text of a document: its blocks' texts with an empty line between."""
    return "\n\n".join(block.text for block in found)


def inline_text(token: Token) -> str:
    """The words of an inline token; each link or image target follows its label as ⟨target⟩."""
    parts: list[str] = []
    open_links: list[tuple[int, str]] = []
    for child in token.children or []:
        match child.type:
            case "text":
                parts.append(_plain(child.content))
            case "code_inline":
                parts.append(_literal(child.content))
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "image":
                parts.append(_plain(_words_of(child)) + _target(str(child.attrs.get("src", ""))))
            case "link_open":
                open_links.append((len(parts), str(child.attrs.get("href", ""))))
            case "link_close":
                start, href = open_links.pop()
                if not _says_its_target("".join(parts[start:]), href):
                    parts.append(_target(href))
    return " ".join("".join(parts).split())


def without_targets(text: str) -> str:
    """Canonical text as a reader sees it, without the ⟨targets⟩."""
    return TARGET.sub("", text).strip()


def _without_comments(text: str) -> str:
    """Linear in the text, whatever it holds; a comment that never ends is text."""
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def _of_html(block: str) -> str:
    """A block of HTML as Markdown; one that only looks like HTML is text."""
    return fragment_as_markdown(block) if is_known(block) else block.replace("<", "\\<")


def _without_html(children: Sequence[Token]) -> Iterator[Token]:
    """Inline tokens with each HTML tag as the token that means the same; links open and close in turn."""
    links: list[bool] = []  # whether each open link is shown as one
    for child in _seen(children):
        token = inline_token(child.content) if child.type == "html_inline" else child
        if token is None or (token.type == "link_close" and not links):
            continue
        if token.type == "link_open":
            links.append(_is_safe_link(str(token.attrs.get("href", ""))))
        if token.type == "link_open" and not links[-1]:
            continue
        if token.type != "link_close" or links.pop():
            yield token
    yield from (Token("link_close", "a", -1) for is_shown in links if is_shown)


def _seen(children: Sequence[Token]) -> Iterator[Token]:
    """Inline tokens without what stands in struck, hidden or scripted elements; one that never ends hides nothing."""
    after = 0
    for at, child in enumerate(children):
        if at < after:
            continue
        if child.type == "html_inline" and is_unseen(child.content):
            name = name_of(child.content)
            ends = (to for to in range(at + 1, len(children)) if _ends(children[to], name))
            after = next(ends, at) + 1
        if at >= after:
            yield child


def _ends(token: Token, name: str) -> bool:
    return token.type == "html_inline" and closes(token.content, name)


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def _block(kind: str, text: str, above: Sequence[Section], anchor: str = "", heading: int = -1) -> Block:
    section = anchor or (above[-1].anchor if above else "")
    return Block(kind, text, tuple(above_it.title for above_it in above), section, heading)


def _plain(text: str) -> str:
    """Words as they are compared: every kind of quotation mark is one, every apostrophe within a word another."""
    return _APOSTROPHE.sub("’", _literal(text).translate(_QUOTES))


def _literal(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_INVISIBLE).translate(_LITERAL_BRACKETS))


def _code(text: str) -> str:
    return "\n".join(line.rstrip() for line in _literal(text).split("\n")).strip("\n")


def _words_of(image: Token) -> str:
    return "".join(child.content if child.type != "softbreak" else " " for child in image.children or [])


def _target(url: str) -> str:
    return f" ⟨{_literal(url).replace(' ', '%20')}⟩"


def _says_its_target(label: str, href: str) -> bool:
    return href.removeprefix("mailto:") == label or href in (f"http://{label}", f"https://{label}")
