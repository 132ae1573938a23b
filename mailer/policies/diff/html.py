"""HTML as Markdown that says the same: what people see of it, and nothing that runs, hides or decorates."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html
from markdownify import MarkdownConverter

DEPTH = 120  # elements within one another; more is no text, and would exhaust the readers behind
ELEMENTS = 50_000  # in all; the longest policy has a tenth, and a minute's work would hang on more
_UNSEEN = frozenset(
    {
        *("head", "script", "style", "template", "noscript", "nav", "dialog", "del", "s", "strike"),
        *("iframe", "object", "embed", "svg", "math", "canvas", "audio", "video", "map"),
        *("button", "input", "select", "textarea", "datalist", "img"),
    }
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_INLINE_MARKS = re.compile(r"[\\`*\[\]]|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|\||#(?=#*\s*$)")
_LINE_MARKS = re.compile(r"^([ \t]*)(?:([#>+=-]|~~~)|(\d{1,9})([.)]))(?=\s|=|-|$)", re.M)


class TooMuch(Exception):
    """Nested or long beyond what is text for people; the words say which."""


def tree_of(source: str) -> Any:
    """The parsed page or fragment; None if nothing is in it. TooMuch if it is beyond `DEPTH` or `ELEMENTS`."""
    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = html.document_fromstring(source, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    depth = count = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > DEPTH:
            raise TooMuch(f"nests more than {DEPTH} elements")
        if count > ELEMENTS:
            raise TooMuch(f"has more than {ELEMENTS:,} elements")
    return tree


def markdown_of(element: Any) -> str:
    """What is in an element, which is changed on the way: headings, paragraphs, lists, tables, links, code, quotes."""
    _clean(element)
    markdown: str = _Converter(heading_style="ATX", bullets="-", table_infer_header=True).convert(
        html.tostring(element, encoding="unicode")
    )
    return markdown.strip("\n") + "\n"


def fragment_as_markdown(source: str) -> str:
    """A piece of HTML in a Markdown text; what is too deep or too long stands as the text that it is."""
    try:
        tree = tree_of(source)
    except TooMuch:
        return re.sub(r"([<&\\`*_\[\]])", r"\\\1", source)
    return "" if tree is None else markdown_of(tree)


class _Converter(MarkdownConverter):
    """Markdown in which every mark of the text itself stands for itself, and no other."""

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """The text with a backslash before what Markdown would read as its own."""
        marked = _INLINE_MARKS.sub(lambda found: "\\" + found[0], text)
        return marked if "_inline" in parent_tags else _LINE_MARKS.sub(_escaped_line, marked)


def _escaped_line(found: re.Match[str]) -> str:
    indent, mark, number, dot = found.groups()
    return f"{indent}\\{mark}" if mark else f"{indent}{number}\\{dot}"


def _clean(body: Any) -> None:
    for element in [found for found in body.iter(etree.Element) if found is not body]:
        if element.getparent() is None:
            continue
        if element.tag in _UNSEEN or _is_hidden(element):
            element.drop_tree()
        elif element.tag == "a" and not element.get("href", "").strip():
            element.drop_tag()
        elif element.tag == "caption":  # before its table, which is no table to the converter with it
            _before(element.getparent(), element)
        elif element.tag in ("dt", "dd", "sub", "sup"):
            _replace(element)


def _before(table: Any, caption: Any) -> None:
    """Put a table's caption before it, as a paragraph."""
    if table is None or table.getparent() is None:
        return
    caption.drop_tree()
    caption.tag, caption.tail = "p", None
    table.addprevious(caption)


def _is_hidden(element: Any) -> bool:
    return "hidden" in element.attrib or _HIDDEN_STYLE.search(element.get("style", "")) is not None


def _replace(element: Any) -> None:
    """What Markdown has no mark for becomes a paragraph of its own, or plain words."""
    if element.tag in ("sub", "sup"):  # else 30 with a note 1 would read as 301
        element.text = f"{'^' if element.tag == 'sup' else '_'}{element.text or ''}"
        element.drop_tag()
        return
    if element.tag == "dt":
        inner = html.Element("strong")
        inner.text, element.text = element.text, None
        for child in list(element):
            inner.append(child)
        element.append(inner)
    element.tag = "p"
