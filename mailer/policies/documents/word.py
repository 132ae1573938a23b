"""A Word document (.docx) as Markdown: its accepted text, with the numbers that Word prints before paragraphs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import html

from mailer.policies import written
from mailer.policies.documents import numbering, page, styles
from mailer.policies.documents.numbering import Label, Numbering
from mailer.policies.documents.styles import Look, Styles
from mailer.policies.documents.xml import child, children, local, number_of, open_package, read_part, value_of

_MAIN = "word/document.xml"
_GONE = frozenset({"del", "moveFrom", "drawing", "pict", "object", "commentReference", "Fallback"})
_HYPERLINK = re.compile(r"\s*HYPERLINK\s+\"([^\"]+)\"")


def to_markdown(data: bytes) -> str:
    """The text of a document: deletions, comments and hidden words are gone; notes stand at the end."""
    with open_package(data) as package:
        root = read_part(package, _MAIN)
        if root is None:
            raise written.BadText("text: this is no Word document (.docx); save it as one and try again.")
        reader = _Reader(
            styles.read(read_part(package, "word/styles.xml")),
            numbering.read(read_part(package, "word/numbering.xml")),
            _links(package),
        )
        body = reader.read(child(root, "body"), read_part(package, "word/footnotes.xml"))
    return page.from_html(html.tostring(body, encoding="unicode"))


def _links(package: zipfile.ZipFile) -> dict[str, str]:
    root = read_part(package, "word/_rels/document.xml.rels")
    return {
        value_of(each, "Id"): value_of(each, "Target")
        for each in children(root, "Relationship")
        if value_of(each, "TargetMode") == "External"
    }


@dataclass
class _Lists:
    """The lists that are open at the end of what was read so far, the outermost first."""

    into: Any
    open: list[tuple[int, Any]] = field(default_factory=list)

    def close(self) -> None:
        self.open.clear()

    def add(self, label: Label, item: Any) -> None:
        """Put an item where its label belongs; a list that does not go on begins anew with its number."""
        name = "ul" if label.is_bullet else "ol"
        while self.open and self.open[-1][0] > label.level:
            self.open.pop()
        if self.open and self.open[-1][0] == label.level and not self._goes_on(self.open[-1][1], name, label):
            self.open.pop()
        if not self.open or self.open[-1][0] < label.level:
            self.open.append((label.level, self._begin(name, label)))
        item.tag = "li"
        self.open[-1][1].append(item)

    def _goes_on(self, found: Any, name: str, label: Label) -> bool:
        return bool(found.tag == name) and (
            label.is_bullet or int(found.get("start", "1")) + len(found) == label.number
        )

    def _begin(self, name: str, label: Label) -> Any:
        made = html.Element(name)
        if name == "ol" and label.number != 1:
            made.set("start", str(label.number))
        (self.open[-1][1][-1] if self.open else self.into).append(made)
        return made


@dataclass
class _Reader:
    """Reads paragraphs and tables into HTML; `notes` are the ids of the footnotes met, in order."""

    styles: Styles
    numbers: Numbering
    links: dict[str, str]
    notes: list[str] = field(default_factory=list)
    has_title: bool = False

    def read(self, body: Any | None, footnotes: Any | None) -> Any:
        into = html.Element("body")
        blocks = list(_blocks(body))
        self.has_title = any(self._look(block).heading == styles.TITLE for block in blocks if local(block) == "p")
        self._read_blocks(blocks, into)
        by_id = {value_of(note, "id"): note for note in children(footnotes, "footnote")}
        for number, note_id in enumerate(self.notes, 1):
            made = html.Element("p")
            made.text = f"[{number}] "
            for paragraph in children(by_id.get(note_id), "p"):
                self._read_runs(paragraph, self._look(paragraph), made)
            into.append(made)
        return into

    def _read_blocks(self, blocks: list[Any], into: Any) -> None:
        lists = _Lists(into)
        for block in blocks:
            if local(block) == "tbl":
                lists.close()
                into.append(self._table(block))
            else:
                self._paragraph(block, into, lists)

    def _look(self, paragraph: Any) -> Look:
        own = child(paragraph, "pPr")
        return self.styles.look(value_of(child(own, "pStyle"), "val")).with_properties(own, None)

    def _paragraph(self, paragraph: Any, into: Any, lists: _Lists) -> None:
        look = self._look(paragraph)
        label = self.numbers.next(look.list_id, look.list_level) if look.list_id not in ("", "0") else None
        if look.is_contents:
            return
        made = html.Element("p")
        self._read_runs(paragraph, look, made)
        if not made.text_content().strip():
            return
        if look.heading is not None:
            made.tag = f"h{min(6, max(1, look.heading + self.has_title))}"
        if label is not None and (look.heading is not None or not label.is_plain):
            made.text = f"{label.printed} {made.text or ''}".lstrip()
        if label is None or look.heading is not None or not label.is_plain:
            lists.close()
            into.append(made)
            return
        lists.add(label, made)

    def _table(self, table: Any) -> Any:
        made = html.Element("table")
        for row in _rows(table):
            line = html.Element("tr")
            for cell in children(row, "tc"):
                column = html.Element("td")
                span = number_of(child(child(cell, "tcPr"), "gridSpan"), "val")
                if 1 < span < 100:
                    column.set("colspan", str(span))
                self._read_blocks(list(_blocks(cell)), column)
                line.append(column)
            made.append(line)
        return made

    def _read_runs(self, parent: Any, look: Look, into: Any) -> None:
        """The runs of a paragraph; what stands between the marks of a link's field goes into the link."""
        target, instruction = into, None
        for run in _runs(parent):
            if local(run) == "hyperlink":
                link = self._link(self.links.get(value_of(run, "id"), ""), into)
                self._read_runs(run, look, link)
                continue
            mark = value_of(child(run, "fldChar"), "fldCharType")
            if mark == "begin":
                instruction = ""
            elif mark == "separate" and instruction is not None:
                found = _HYPERLINK.match(instruction)
                target, instruction = self._link(found[1] if found else "", into), None
            elif mark == "end":
                target, instruction = into, None
            elif instruction is not None:
                instruction += "".join(each.text or "" for each in children(run, "instrText"))
            else:
                self._run(run, look, target)

    def _link(self, target: str, into: Any) -> Any:
        made = html.Element("a" if target else "span")
        if target:
            made.set("href", target)
        into.append(made)
        return made

    def _run(self, run: Any, paragraph: Look, into: Any) -> None:
        own = child(run, "rPr")
        style = self.styles.look(value_of(child(own, "rStyle"), "val"))
        look = style.with_properties(None, own)
        if look.is_hidden or (paragraph.is_hidden and child(own, "vanish") is None):
            return
        for name, is_so in (("strong", look.is_bold), ("em", look.is_italic)):
            if is_so and paragraph.heading is None:
                inner = html.Element(name)
                into.append(inner)
                into = inner
        for part in run:
            self._part(part, into)

    def _part(self, part: Any, into: Any) -> None:
        match local(part):
            case "t":
                _add(into, part.text or "")
            case "tab" | "ptab":
                _add(into, " ")
            case "noBreakHyphen":
                _add(into, "\u2011")
            case "br" | "cr" if value_of(part, "type") not in ("page", "column"):
                into.append(html.Element("br"))
            case "footnoteReference":
                self.notes.append(value_of(part, "id"))
                _add(into, f"[{len(self.notes)}]")


def _add(into: Any, text: str) -> None:
    """Text after all that is in an element."""
    if len(into):
        into[-1].tail = (into[-1].tail or "") + text
    else:
        into.text = (into.text or "") + text


def _inside(element: Any | None, wanted: frozenset[str]) -> Iterator[Any]:
    """What is wanted of an element's content, through insertions, content controls and other wrappers."""
    for each in element if element is not None else ():
        name = local(each)
        if name in wanted:
            yield each
        elif name and name not in _GONE and not name.endswith("Pr"):
            yield from _inside(each, wanted)


def _blocks(element: Any | None) -> Iterator[Any]:
    return _inside(element, frozenset({"p", "tbl"}))


def _rows(table: Any) -> Iterator[Any]:
    return _inside(table, frozenset({"tr"}))


def _runs(paragraph: Any) -> Iterator[Any]:
    return _inside(paragraph, frozenset({"r", "hyperlink"}))
