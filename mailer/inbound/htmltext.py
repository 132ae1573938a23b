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


# What mail programs write around what is not the sender's own; any language, for the names are the programs'.
_ATTRIBUTION_CLASSES = frozenset({"gmail_attr", "moz-cite-prefix"})
_OLDER_IDS = frozenset({"divrplyfwdmsg", "appendonsend", "zwchr", "replysplit"})
_OLDER_CLASSES = frozenset({"yahoo_quoted", "outlookmessageheader"})
_OLDER_STYLE = re.compile(r"border-top:\s*solid\s+#(?:E1E1E1|B5C4DF)", re.IGNORECASE)
_SIGNATURE_IDS = frozenset({"signature", "ms-outlook-mobile-signature", "composer_signature"})
_SIGNATURE_CLASSES = frozenset({"gmail_signature", "moz-signature", "protonmail_signature_block"})
_OLDER_LINE, _SIGNATURE_LINE = "-----Original Message-----", "-- "


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
        _mark_structure(root)
        _mark_quotes(root)
        return _render(root)
    except (etree.LxmlError, ValueError, RecursionError, AttributeError, IndexError, KeyError, TypeError):
        return _without_tags(source)


def _mark_structure(root: html.HtmlElement) -> None:
    """Say in lines of text what the mail program said by the name of an element."""
    for element in list(root.iter(etree.Element)):
        name, classes = (element.get("id") or "").lower(), (element.get("class") or "").lower().split()
        if _ATTRIBUTION_CLASSES.intersection(classes):
            element.tag = "blockquote"
        elif (
            name in _OLDER_IDS
            or _OLDER_CLASSES.intersection(classes)
            or _OLDER_STYLE.search(element.get("style") or "")
        ):
            _line_before(element, _OLDER_LINE)
        elif _is_signature(name, classes) and element.text_content().strip():
            _line_before(element, _SIGNATURE_LINE)


def _is_signature(name: str, classes: list[str]) -> bool:
    return name in _SIGNATURE_IDS or not _SIGNATURE_CLASSES.isdisjoint(classes)


def _line_before(element: html.HtmlElement, line: str) -> None:
    if element.getparent() is None:
        return
    mark = etree.Element("pre")
    mark.text = line
    element.addprevious(mark)


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


def without_unseen(source: str) -> str:
    """The HTML without its styles and scripts."""
    return _UNSEEN.sub(" ", source)


def _without_tags(source: str) -> str:
    text = unescape(_TAG.sub(" ", without_unseen(source)))
    return _BLANKS.sub("\n\n", "\n".join(" ".join(line.split()) for line in text.splitlines())).strip()
