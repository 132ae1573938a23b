"""What somebody wrote, as a letter: Markdown to safe HTML, and a text part for reading from the same Markdown."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from mailer.campaigns import placeholders
from mailer.contacts.rules import read_line
from mailer.delivery import slots
from mailer.errors import Invalid

WIDTH = 72
PREHEADER = 110
SCHEMES = ("https", "http", "mailto")
_BLOCKS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "blockquote", "hr"}
_TAGS = _BLOCKS | {"br", "strong", "em", "code", "a", "img"}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_markdown = MarkdownIt("commonmark", {"html": False})


class BadLetter(Invalid):
    """Markdown that cannot become a mail."""

    field = "body"


@dataclass(frozen=True)
class Letter:
    """A letter ready to be frozen: placeholders stand as slots, in text only."""

    subject: str
    html: str
    text: str
    placeholders: frozenset[str]
    links: tuple[str, ...]
    images: tuple[str, ...]
    images_without_words: int

    @property
    def preheader(self) -> str:
        """The first words of the text, which mail lists show beside the subject."""
        return textwrap.shorten(self.text.replace("\n", " "), PREHEADER, placeholder="…")

    @property
    def greets(self) -> bool:
        """Whether the author greets; then the frame does not."""
        return "greeting" in self.placeholders


EMPTY = Letter("", "", "", frozenset(), (), (), 0)


def facts(letter: Letter) -> dict[str, object]:
    """A letter as the templates of campaigns, announcements and administrative mail want it."""
    return {
        "subject": letter.subject,
        "body_html": Markup(letter.html),  # noqa: S704 - cleaned by nh3
        "body_text": letter.text,
        "preheader": letter.preheader,
        "greets": letter.greets,
    }


def write(subject: str, body: str) -> Letter:
    """The letter that a subject and a Markdown body make; Invalid names the field, the line and the fault."""
    head = placeholders.mark(read_line(subject, "subject"), "subject")
    marked = placeholders.mark(body, "body")
    tokens = _markdown.parse(marked)
    inline = [child for token in tokens for child in token.children or ()]
    for token in inline:
        _check_targets(token)
    _lower_headings(tokens)
    html = nh3.clean(
        _markdown.renderer.render(tokens, _markdown.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    text = "\n\n".join(_blocks(SyntaxTreeNode(tokens), WIDTH))
    _check_none_lost(marked, html, text)
    images = [token for token in inline if token.type == "image"]
    return Letter(
        subject=_with_slots(head),
        html=_with_slots(html.strip()),
        text=_with_slots(text),
        placeholders=placeholders.used(head + marked),
        links=tuple(str(token.attrGet("href")) for token in inline if token.type == "link_open"),
        images=tuple(str(token.attrGet("src")) for token in images),
        images_without_words=sum(1 for token in images if not token.content.strip()),
    )


def _with_slots(marked: str) -> str:
    for mark, name in placeholders.NAMES.items():
        marked = marked.replace(mark, slots.word(name))
    return marked


def _check_targets(token: Token) -> None:
    """A link or picture goes to a full address, the same for everybody: a placeholder in one could lead anywhere."""
    if token.type not in ("link_open", "image"):
        return
    target = unquote(str(token.attrGet("href" if token.type == "link_open" else "src") or ""))
    words = f"{token.attrGet('title') or ''}{token.content if token.type == 'image' else ''}"
    if placeholders.used(target + words):
        raise BadLetter(
            "body: a placeholder cannot stand in a link's address, a title or a picture; put it in the text."
        )
    allowed = SCHEMES if token.type == "link_open" else ("https",)
    if urlsplit(target).scheme not in allowed:
        raise BadLetter(f"body: “{target[:80]}” is not a full address; begin it with {allowed[0]}://.")


def _check_none_lost(marked: str, html: str, text: str) -> None:
    for mark, name in placeholders.NAMES.items():
        if not marked.count(mark) == html.count(mark) == text.count(mark):
            raise BadLetter(f"body: {{{{ {name} }}}} stands where no reader would see it; put it in the running text.")


def _lower_headings(tokens: list[Token]) -> None:
    for token in tokens:
        if token.tag == "h1":  # the subject is the letter's only first heading
            token.tag = "h2"


def _blocks(node: SyntaxTreeNode, width: int) -> list[str]:
    return [text for child in node.children if (text := _block(child, width))]


def _block(node: SyntaxTreeNode, width: int) -> str:
    match node.type:
        case "heading":
            title = _wrap(_words(node), width)
            return f"{title}\n{'-' * min(width, max(map(len, title.splitlines()), default=0))}"
        case "bullet_list" | "ordered_list":
            return _list(node, width)
        case "blockquote":
            return textwrap.indent("\n\n".join(_blocks(node, width - 2)), "> ", lambda _line: True)
        case "code_block" | "fence":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "* * *"
        case _:
            return _wrap(_words(node), width)


def _list(node: SyntaxTreeNode, width: int) -> str:
    first = int(node.attrs.get("start", 1))
    items, is_tight = [], True
    for number, item in enumerate(node.children, first):
        bullet = "- " if node.type == "bullet_list" else f"{number}. "
        blocks = _blocks(item, width - len(bullet))
        is_tight = is_tight and all(child.hidden for child in item.children if child.type == "paragraph")
        body = ("\n" if is_tight else "\n\n").join(blocks)
        items.append(bullet + textwrap.indent(body, " " * len(bullet)).lstrip(" "))
    return ("\n" if is_tight else "\n\n").join(items)


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "image":
            return f"[{node.content}]" if node.content.strip() else ""
        case "link":
            words, target = "".join(map(_words, node.children)), str(node.attrs["href"])
            is_bare = words in (target, unquote(target), target.removeprefix("mailto:"))
            return words if is_bare else f"{words} ({target})"
        case _:
            return "".join(map(_words, node.children))


def _wrap(words: str, width: int) -> str:
    lines = [textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in words.split("\n")]
    return "\n".join(lines)
