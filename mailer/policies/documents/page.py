"""A web page as Markdown: what people see of it, and nothing that runs, hides or decorates."""

from __future__ import annotations

import re
from typing import Any

from mailer.policies import written
from mailer.policies.diff import html
from mailer.policies.diff.blocks import LINK_SCHEMES

_HTML = re.compile(
    rb"\s*(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html|head|body|h[1-6]|p|div|article|main)[\s>]", re.I | re.S
)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.I)
_XML_HEAD = re.compile(r"\A\s*<\?xml[^>]*\?>")


def looks_like_html(data: bytes) -> bool:
    """Whether a file begins as a web page does."""
    return _HTML.match(data.removeprefix(b"\xef\xbb\xbf")) is not None


def to_markdown(data: bytes) -> str:
    """The text of a page; BadText if it is nested beyond reason or not in the encoding it claims."""
    return from_html(_decoded(data))


def from_html(source: str) -> str:
    """The same from text: headings, paragraphs, lists, tables, links, code and quotations stay."""
    source = _XML_HEAD.sub("", source)
    if not source.strip():
        raise written.EmptyText("text: the page has no words; choose the text that people will live under.")
    try:
        tree = html.tree_of(source)
    except html.TooMuch as fault:
        raise written.TextTooLarge(f"text: the page {fault}; bring in its text alone.") from None
    if tree is None:
        raise written.BadText("text: the page cannot be read as HTML; save it anew and try again.")
    body = _main_part(tree)
    for picture in list(body.iter("img")):  # its words stay; whoever brings the page in reads it again
        picture.tail = f"{picture.get('alt', '')}{picture.tail or ''}"
        picture.drop_tree()
    for link in [found for found in body.iter("a") if not _is_followed(found.get("href", ""))]:
        link.drop_tag()
    return html.markdown_of(body)


def decode_marked(data: bytes) -> bytes | str:
    """Text that a byte order mark says is UTF-16, decoded; all else as it is."""
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return data
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError:
        raise written.BadText("text: it is neither UTF-16 nor UTF-8; save it as UTF-8 and try again.") from None


def _decoded(data: bytes) -> str:
    marked = decode_marked(data)
    if isinstance(marked, str):
        return marked
    try:
        return marked.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        named = _CHARSET.search(marked[:4096])
        try:
            return marked.decode(named[1].decode("ascii")) if named else _refuse(fault)
        except (LookupError, UnicodeDecodeError):
            return _refuse(fault)


def _refuse(fault: UnicodeDecodeError) -> str:
    raise written.BadText(
        f"text: it is not in the encoding it claims (byte {fault.start + 1} is no letter); save it as UTF-8."
    ) from None


def _main_part(tree: Any) -> Any:
    """The part that holds the text, where the page says which that is; else all of it."""
    for name in ("main", "article"):
        found = list(tree.iter(name))
        if len(found) == 1:
            return found[0]
    return tree.find("body") if tree.find("body") is not None else tree


def _is_followed(target: str) -> bool:
    """Whether a link leads somewhere for a reader of another place: not within the page, not into a script."""
    scheme = _SCHEME.match(target)
    is_known = scheme is None or scheme[1].lower() in LINK_SCHEMES
    return bool(target.strip()) and is_known and not target.startswith("#")
