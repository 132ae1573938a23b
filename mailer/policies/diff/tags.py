"""HTML tags within a line of Markdown, read as the Markdown that means the same."""

from __future__ import annotations

import re
from html import unescape

from markdown_it.token import Token


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


KNOWN = _names(
    "a abbr acronym address article aside b bdi bdo big blockquote body br canvas center cite code data dd del details"
    " dfn dialog div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i"
    " iframe img input ins kbd label li link main map mark math meta nav noscript object ol p picture pre q s samp"
    " script section select small span strike strong style sub summary sup svg table tbody td template textarea tfoot"
    " th thead time title tr tt u ul var video wbr"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)((?:\"[^\"]*\"|'[^']*'|[^>\"'])*)>")
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_UNSEEN = _names("del s strike script style template noscript title textarea select option svg math object iframe")
_HIDDEN = re.compile(r"(?:^|\s)hidden(?:[\s=/]|$)|display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_RAISED = {"sup": "^", "sub": "_"}
_SAME = {"b": "strong", "strong": "strong", "i": "em", "em": "em"}


def is_known(tag: str) -> bool:
    """Whether `<tag …>` is HTML; anything else in angle brackets, such as a placeholder, is text."""
    found = _TAG.match(tag.lstrip())
    return found is not None and found[2].lower() in KNOWN


def name_of(tag: str) -> str:
    """The name of an opening tag; empty if it is none."""
    found = _TAG.fullmatch(tag)
    return found[2].lower() if found and not found[1] else ""


def is_unseen(tag: str) -> bool:
    """Whether a reader sees nothing, or only struck words, of what stands in such a tag."""
    found = _TAG.fullmatch(tag)
    return found is not None and not found[1] and (found[2].lower() in _UNSEEN or _HIDDEN.search(found[3]) is not None)


def closes(tag: str, name: str) -> bool:
    """Whether the tag ends an element of this name."""
    found = _TAG.fullmatch(tag)
    return found is not None and bool(found[1]) and found[2].lower() == name


def inline_token(tag: str) -> Token | None:
    """What a tag within a line means in Markdown; None if it means nothing. A tag that is no HTML is text."""
    found = _TAG.fullmatch(tag)
    if found is None or found[2].lower() not in KNOWN:
        return Token("text", "", 0, content=tag)
    is_end, name = found[1] == "/", found[2].lower()
    if name == "br":
        return Token("hardbreak", "br", 0)
    if name in _RAISED:  # else 30 with a note 1 would read as 301
        return None if is_end else Token("text", "", 0, content=_RAISED[name])
    if name == "a":
        return Token("link_close", "a", -1) if is_end else _link(found[3])
    if name in _SAME:
        mark = _SAME[name]
        return Token(f"{mark}_{'close' if is_end else 'open'}", mark, -1 if is_end else 1)
    return None


def _link(attributes: str) -> Token | None:
    target = _HREF.search(attributes)
    if target is None:
        return None
    return Token("link_open", "a", 1, attrs={"href": unescape(target[1] or target[2] or target[3] or "")})
