"""A diff as HTML: the marked text of the diff page. Words for screen readers stand beside every mark."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

from mailer.policies.diff.blocks import CELLS, HEADINGS
from mailer.policies.diff.groups import changed_rows, changes_of, first_of, kind_of
from mailer.policies.diff.model import Diff, DiffBlock, Kind, Op, recover
from mailer.policies.diff.speech import excerpt
from mailer.policies.diff.tongues import ENGLISH, Tongue, counted

WITH_WORDING = frozenset({"changed", "split", "merged", "moved"})

# in bdi, so that our words do not decide which way the text runs
_MARK = Markup(
    '<{0}><bdi class="visually-hidden opens"{4}>{1}</bdi>{2}<bdi class="visually-hidden closes"{4}>{3}</bdi></{0}>'
)
_NOTHING = Markup("")


def to_html(
    diff: Diff,
    tongue: Tongue = ENGLISH,
    *,
    is_folded: bool = True,
    language: str = "",
    highlight: Callable[[str], Markup] = escape,
) -> Markup:
    """The marked text, escaped throughout; each change has its id, leads to its neighbours, moves link both ways.

    `is_folded` hides runs of unchanged paragraphs behind a line that counts them. `language` is the text's own, if
    that is not the tongue's. `highlight` makes safe HTML of removed and added words.
    """
    page = _Page(diff, tongue, language or tongue.code, highlight)
    parts: list[Markup] = []
    for is_quiet, run in groupby(_with_departures(diff.blocks), key=page.is_quiet):
        items = list(run)
        if not is_quiet:
            parts += [
                page.departure(item.block) if isinstance(item, _Departure) else page.change(item)
                for item in _grouped(items)
            ]
        elif is_folded:
            parts.append(page.folded([item for item in items if isinstance(item, DiffBlock)]))
        else:
            parts.append(page.flow([item for item in items if isinstance(item, DiffBlock)]))
    return _lines(parts)


@dataclass(frozen=True, slots=True)
class _Departure:
    """The place that a moved block has left."""

    block: DiffBlock


class _Page:
    """Renders the blocks of one diff in one language."""

    def __init__(self, diff: Diff, tongue: Tongue, language: str, highlight: Callable[[str], Markup]) -> None:
        self._tongue = tongue
        self._highlight = highlight
        self._rows = changed_rows(diff.blocks)
        is_foreign = language != tongue.code
        self._of_text = Markup(' lang="{}"').format(language) if is_foreign else _NOTHING
        self._of_marks = Markup(' lang="{}"').format(tongue.code) if is_foreign else _NOTHING
        self._renumbered = [block for block in diff.blocks if block.kind == "renumbered"]
        self._anchors = [change.anchor for change in diff.changes]
        self._places = {anchor: place for place, anchor in enumerate(self._anchors)}

    def is_quiet(self, item: DiffBlock | _Departure) -> bool:
        """Whether nothing is told of it here: it did not change, or the first of all renumbered places tells of it."""
        if isinstance(item, _Departure):
            return False
        if item.kind == "same":
            return item.row not in self._rows
        return item.kind == "renumbered" and item is not self._renumbered[0]

    def folded(self, blocks: Sequence[DiffBlock]) -> Markup:
        summary = counted(self._tongue.unchanged, len(blocks))
        return Markup('<details class="unchanged"><summary>{}</summary>\n{}\n</details>').format(
            summary, self.flow(blocks)
        )

    def flow(self, blocks: Sequence[DiffBlock]) -> Markup:
        """Blocks one after the other, list items in a list, cells in the rows of a table."""
        parts: list[Markup] = []
        for group, run in groupby(blocks, key=lambda block: "cells" if block.block in CELLS else block.block):
            items = list(run)
            if group == "cells":
                parts.append(self._table(items))
            elif group == "li":
                parts.append(
                    Markup('<ul dir="auto">\n{}\n</ul>').format(_lines(self._element(block, "li") for block in items))
                )
            else:
                parts += [self._element(block) for block in items]
        return _lines(parts)

    def change(self, blocks: Sequence[DiffBlock]) -> Markup:
        """One change: where it stands, what happened to it, its marked words, its neighbours."""
        first, kind = first_of(blocks), kind_of(blocks)
        place = Markup(" › ").join(Markup("<bdi{}>{}</bdi>").format(self._of_text, title) for title in first.path)
        path = Markup('<p class="path">{}</p>\n').format(place) if first.path else _NOTHING
        return Markup('<div class="change {}" id="{}" tabindex="-1"{}>\n{}{}{}{}{}\n</div>').format(
            kind.replace("_", "-"),
            first.anchor,
            self._label(first),
            path,
            self._remark(first, kind),
            self._body(blocks),
            self._wording(blocks),
            self._neighbours(first),
        )

    def departure(self, block: DiffBlock) -> Markup:
        return Markup(
            '<div class="moved moved-away" id="{0}-from">\n'
            '<p class="remark"><a href="#{0}">{1}</a>: <span dir="auto"{3}>{2}</span></p>\n</div>'
        ).format(block.anchor, self._tongue.moved_away, excerpt(block.old), self._of_text)

    def _table(self, cells: Sequence[DiffBlock], known_by: str = "") -> Markup:
        """Cells in their rows, under the titles of their columns where their head is not among them.

        `known_by` is the anchor that stands elsewhere; every other changed cell has its own.
        """
        found = []
        titles = [cell.column for cell in cells if cell.row == cells[0].row and cell.kind != "removed"]
        if any(titles) and cells[0].block == "td":
            head = _lines(Markup('<th scope="col" dir="auto">{}</th>').format(title) for title in titles)
            found.append(Markup("<tr>{}</tr>").format(head))
        for _, run in groupby(cells, key=lambda cell: cell.row):
            row = [self._element(cell, cell.block, cell.anchor if cell.anchor != known_by else "") for cell in run]
            found.append(Markup("<tr>{}</tr>").format(_lines(row)))
        return Markup('<div class="table-scroll"><table{}>\n{}\n</table></div>').format(self._of_text, _lines(found))

    def _label(self, block: DiffBlock) -> Markup:
        if block.anchor not in self._places:
            return _NOTHING
        label = self._tongue.change_of.format(n=self._places[block.anchor] + 1, total=len(self._anchors))
        return Markup(' role="group" aria-label="{}"').format(label)

    def _remark(self, block: DiffBlock, kind: Kind) -> Markup:
        if kind == "moved":
            return Markup('<p class="remark"><a href="#{}-from">{}</a></p>\n').format(
                block.anchor, self._tongue.moved_here
            )
        remark = self._tongue.remarks[kind]
        if block.ordinals and kind != "renumbered":  # the list of renumbered places says it
            old, new = block.ordinals
            remark = f"{remark}: {self._tongue.ordinal.format(old=old, new=new)}"
        if block.levels and kind == "changed":
            remark = f"{remark}. {self._tongue.level_change(block.levels)}"
        return Markup('<p class="remark">{}</p>\n').format(remark)

    def _body(self, blocks: Sequence[DiffBlock]) -> Markup:
        """The parts of a split or merge that follow the first keep the ids that links name."""
        if blocks[0].kind == "renumbered":
            places = [Markup("<li>{}</li>").format(self._new_number(block)) for block in self._renumbered]
            return Markup('<ul class="renumbered"{}>\n{}\n</ul>').format(self._of_text, _lines(places))
        if blocks[0].row is not None:
            return self._table(blocks, first_of(blocks).anchor)
        if len(blocks) == 1:
            return self.flow(blocks)
        rest = [Markup('<div id="{}">{}</div>').format(block.anchor, self.flow([block])) for block in blocks[1:]]
        return _lines([self.flow(blocks[:1]), *rest])

    def _new_number(self, block: DiffBlock) -> Markup:
        """A renumbered place: its old and its new number, and the words that stand."""
        if block.ordinals is None:
            return Markup("").join(self._run(op, text) for op, text in block.ops)
        was, is_now = (f"{number}." for number in block.ordinals)
        return (
            self._run("-", was)
            + self._run("+", is_now)
            + Markup(" <span dir='auto'>{}</span>").format(excerpt(block.new))
        )

    def _wording(self, blocks: Sequence[DiffBlock]) -> Markup:
        """The old and the new wording in full, folded, where both are there and differ."""
        kind = kind_of(blocks)
        if blocks[0].row is not None:
            return _NOTHING  # the marked row is short enough to be read as both
        old = recover((block.from_index, self._side(block, "-")) for block in blocks)
        new = recover((block.to_index, self._side(block, "+")) for block in blocks)
        if kind not in WITH_WORDING or not old.strip() or not new.strip() or old == new:
            return _NOTHING
        tongue = self._tongue
        return Markup(
            '\n<details class="wording"><summary>{0}</summary>\n'
            '<dl class="facts"><dt>{1}</dt><dd dir="auto"{5}>{2}</dd><dt>{3}</dt><dd dir="auto"{5}>{4}</dd></dl>\n'
            "</details>"
        ).format(tongue.wording, tongue.until_now, old, tongue.from_now_on, new, self._of_text)

    def _side(self, block: DiffBlock, side: Op) -> str:
        return "".join(self._tongue.speak(op, text) for op, text in block.ops if op in ("=", side))

    def _neighbours(self, block: DiffBlock) -> Markup:
        """Links to the change before and the one after, which work without script."""
        place = self._places.get(block.anchor)
        if place is None or len(self._anchors) < 2:
            return _NOTHING
        tongue = self._tongue
        links = []
        if place:
            links.append(_link("prev", self._anchors[place - 1], tongue.previous))
        if place + 1 < len(self._anchors):
            links.append(_link("next", self._anchors[place + 1], tongue.following))
        return Markup('\n<p class="neighbours">{}</p>').format(Markup(" ").join(links))

    def _element(self, block: DiffBlock, inner: str = "", anchor: str = "") -> Markup:
        """The block's words with their marks, in an element that fits anywhere in a page."""
        marked = Markup("").join(self._run(op, text) for op, text in block.ops)
        tag = inner or "p"
        if block.block in HEADINGS:
            tag = f"h{min(int(block.block[1]) + 2, 6)}"  # below the page's own headings
        elif block.block == "code":
            tag = "pre"
        way = _NOTHING if tag == "li" else Markup(' dir="auto"')  # its list says it, for the marker too
        way += Markup(' id="{}"').format(anchor) if anchor else _NOTHING
        element = Markup('<{0}{1} class="block {2}"{3}>{4}</{0}>').format(tag, way, block.block, self._of_text, marked)
        return Markup("<blockquote>{}</blockquote>").format(element) if block.block == "blockquote" else element

    def _run(self, op: Op, text: str) -> Markup:
        """One operation: what screen readers hear as words is in visually hidden spans."""
        tongue = self._tongue
        if op == "=":
            return escape(tongue.speak(op, text))
        if not text.strip():  # a space between two sentences that are two paragraphs now
            return escape(text if op == "+" else "")
        words = self._highlight(tongue.speak(op, text))
        if op == "-":
            return _MARK.format("del", tongue.removed, words, tongue.end_of_removal, self._of_marks)
        return _MARK.format("ins", tongue.inserted, words, tongue.end_of_insertion, self._of_marks)


def _with_departures(blocks: Sequence[DiffBlock]) -> Iterator[DiffBlock | _Departure]:
    """The blocks, with a mark where each moved one stood: after the unmoved block that preceded it in the old text."""
    staying = sorted({_old_place(block) for block in blocks if _stays(block)})
    left: dict[int, list[_Departure]] = defaultdict(list)
    for block in sorted((group[0] for group in changes_of(blocks) if kind_of(group) == "moved"), key=_old_place):
        before = bisect_left(staying, _old_place(block))
        left[staying[before - 1] if before else -1].append(_Departure(block))
    yield from left.pop(-1, [])
    for block in blocks:
        yield block
        if _stays(block):
            yield from left.pop(_old_place(block), [])


def _grouped(items: Sequence[DiffBlock | _Departure]) -> Iterator[list[DiffBlock] | _Departure]:
    """The parts of one split or merge together, every other block by itself."""
    group: list[DiffBlock] = []
    for item in items:
        if group and isinstance(item, DiffBlock) and _are_parts_of_one(group[-1], item):
            group.append(item)
            continue
        if group:
            yield group
        group = [item] if isinstance(item, DiffBlock) else []
        if isinstance(item, _Departure):
            yield item
    if group:
        yield group


def _are_parts_of_one(one: DiffBlock, other: DiffBlock) -> bool:
    if one.row is not None or other.row is not None:
        return one.row == other.row
    if one.kind != other.kind:
        return False
    return (one.kind == "split" and one.from_index == other.from_index) or (
        one.kind == "merged" and one.to_index == other.to_index
    )


def _stays(block: DiffBlock) -> bool:
    return block.kind != "moved" and block.from_index is not None


def _old_place(block: DiffBlock) -> int:
    return -1 if block.from_index is None else block.from_index


def _lines(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _link(rel: str, anchor: str, words: str) -> Markup:
    return Markup('<a rel="{}" href="#{}">{}</a>').format(rel, anchor, words)
