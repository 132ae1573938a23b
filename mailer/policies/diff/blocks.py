"""A policy text as blocks in canonical form (stated in `mailer.policies.diff`), and the anchors of its sections."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LINK_SCHEMES = frozenset({"", "http", "https", "mailto"})
TARGET = re.compile(r" ?⟨([^⟩]*)⟩")
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n[\w.-]+:.*\n(?>(?:[\w.-]+:.*|[ \t].*|- .*|#.*|)\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)"
)
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_LITERAL_BRACKETS = str.maketrans("⟨⟩", "〈〉")
_CONTAINERS = {"list_item": "li", "blockquote": "blockquote", "td": "td", "th": "th"}


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, list item, cell or code block: `text` is canonical, `path` the headings above it."""

    kind: str
    text: str
    path: tuple[str, ...]
    section: str
    """The anchor of the section it stands in; a heading's own."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the text, for contents lists and links."""

    level: int
    title: str
    anchor: str


def parse(markdown: str) -> list[Token]:
    """The tokens that page and diff both read: CommonMark and tables, HTML as literal text, safe links only."""
    return parser().parse(source(markdown))


def parser() -> MarkdownIt:
    """The one reading of Markdown that page, contents and diff share."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable("table")
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    return parser


def source(markdown: str) -> str:
    """The Markdown without byte order mark, carriage returns, front matter and comments, which are no policy text."""
    text = markdown.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _without_comments(_FRONT_MATTER.sub("", text, count=1))


def blocks(markdown: str) -> list[Block]:
    """The blocks that hold text, in reading order."""
    tokens = parse(markdown)
    headings = iter(sections(tokens))
    containers: list[str] = []
    above: list[Section] = []
    found: list[Block] = []
    for position, token in enumerate(tokens):
        name, _, edge = token.type.rpartition("_")
        if edge == "open" and name in _CONTAINERS:
            containers.append(_CONTAINERS[name])
        elif edge == "close" and name in _CONTAINERS:
            containers.pop()
        elif token.type in ("fence", "code_block"):
            found.append(_block("code", _code(token.content), above))
        elif token.type == "inline":
            opener = tokens[position - 1]
            if opener.type == "heading_open":
                heading = next(headings)
                above = [section for section in above if section.level < heading.level]
                found.append(_block(opener.tag, inline_text(token), above, heading.anchor))
                above.append(heading)
            else:
                found.append(_block(containers[-1] if containers else "p", inline_text(token), above))
    return [block for block in found if block.text]


def sections(tokens: Sequence[Token]) -> list[Section]:
    """Every heading in order, each with an anchor of its own."""
    taken: dict[str, int] = {}
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
            case "text" | "code_inline":
                parts.append(_literal(child.content))
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "image":
                parts.append(_literal(_words_of(child)) + _target(str(child.attrs.get("src", ""))))
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


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url.strip()).scheme.lower() in LINK_SCHEMES
    except ValueError:
        return False


def _block(kind: str, text: str, above: Sequence[Section], anchor: str = "") -> Block:
    section = anchor or (above[-1].anchor if above else "")
    return Block(kind, text, tuple(heading.title for heading in above), section)


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
