"""HTML to the text a person sees, with quoted blocks marked by `> ` so that quotation can be told from answer."""

import re
from html import unescape

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree, html

_LARGEST = 1_000_000
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(style|script|title)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BLANKS = re.compile(r"\n[ \t\xa0]*(?:\n[ \t\xa0]*)+")


def to_text(source: str) -> str:
    """The readable text of an HTML body; what the parser cannot take is read by dropping the tags."""
    source = source.strip().replace("\0", "")
    if not source:
        return ""
    if len(source) > _LARGEST:
        return _without_tags(source[:_LARGEST])
    try:
        # Bytes, because lxml refuses text that declares an encoding.
        root = html.document_fromstring(source.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
        _mark_quotes(root)
        return _render(root)
    except (etree.LxmlError, ValueError, RecursionError, AttributeError, IndexError, KeyError, TypeError):
        return _without_tags(source)


def _mark_quotes(root: html.HtmlElement) -> None:
    for quote in [found for found in root.iter("blockquote") if next(found.iterancestors("blockquote"), None) is None]:
        tail, quote.tail = quote.tail, None
        lines = _render(quote).splitlines()
        attributes = dict(quote.attrib)
        quote.clear()
        # A pre keeps the lines as they are; a hidden quotation stays hidden.
        quote.tag, quote.text, quote.tail = "pre", "\n".join(f"> {line}".rstrip() for line in lines), tail
        if "display" in attributes.get("style", ""):
            quote.set("style", attributes["style"])


def _render(element: html.HtmlElement) -> str:
    config = ParserConfig(css=CSS_PROFILES["strict"].copy(), display_links=False, display_images=False)
    text: str = Inscriptis(element, config).get_text()
    return _BLANKS.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip("\n")


def _without_tags(source: str) -> str:
    text = unescape(_TAG.sub(" ", _UNSEEN.sub(" ", source)))
    return _BLANKS.sub("\n\n", "\n".join(" ".join(line.split()) for line in text.splitlines())).strip()
