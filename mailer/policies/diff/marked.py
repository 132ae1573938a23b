"""A diff as HTML: the marked text of the diff page."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

from mailer.policies.diff.blocks import HEADINGS, TARGET
from mailer.policies.diff.model import Diff, DiffBlock, Op
from mailer.policies.diff.speech import REMARKS, counted, spoken

EXCERPT_WORDS = 10

_REMOVED = Markup(
    '<del><span class="visually-hidden">removed: </span>{}<span class="visually-hidden"> end of removal</span></del>'
)
_INSERTED = Markup(
    '<ins><span class="visually-hidden">inserted: </span>{}<span class="visually-hidden"> end of insertion</span></ins>'
)


def to_html(diff: Diff) -> Markup:
    """The marked text, escaped throughout; unchanged runs are folded, each change has its id, moves link both ways."""
    parts: list[Markup] = []
    for is_same, run in groupby(_with_departures(diff.blocks), key=lambda item: _is_same(item)):
        items = list(run)
        if is_same:
            parts.append(_folded([item for item in items if isinstance(item, DiffBlock)]))
        else:
            parts += [_departure(item.block) if isinstance(item, _Departure) else _changed(item) for item in items]
    return Markup("\n").join(parts)


@dataclass(frozen=True, slots=True)
class _Departure:
    """The place that a moved block has left."""

    block: DiffBlock


def _with_departures(blocks: Sequence[DiffBlock]) -> Iterator[DiffBlock | _Departure]:
    """The blocks, with a mark where each moved one stood: after the unmoved block that preceded it in the old text."""
    staying = sorted({_old_place(block) for block in blocks if _stays(block)})
    left: dict[int, list[_Departure]] = defaultdict(list)
    for block in sorted((block for block in blocks if block.kind == "moved"), key=_old_place):
        before = bisect_left(staying, _old_place(block))
        left[staying[before - 1] if before else -1].append(_Departure(block))
    yield from left.pop(-1, [])
    for block in blocks:
        yield block
        if _stays(block):
            yield from left.pop(_old_place(block), [])


def _stays(block: DiffBlock) -> bool:
    return block.kind != "moved" and block.from_index is not None


def _old_place(block: DiffBlock) -> int:
    return -1 if block.from_index is None else block.from_index


def _is_same(item: DiffBlock | _Departure) -> bool:
    return isinstance(item, DiffBlock) and item.kind == "same"


def _folded(blocks: Sequence[DiffBlock]) -> Markup:
    summary = f"{counted(len(blocks), 'paragraph')} unchanged"
    body = Markup("\n").join(_element(block) for block in blocks)
    return Markup('<details class="unchanged"><summary>{}</summary>\n{}\n</details>').format(summary, body)


def _changed(block: DiffBlock) -> Markup:
    place = Markup('<p class="path">{}</p>\n').format(" › ".join(block.path)) if block.path else Markup("")
    if block.kind == "moved":
        remark = Markup('<p class="remark"><a href="#{}-from">Moved from its old place</a></p>\n').format(block.anchor)
    else:
        remark = Markup('<p class="remark">{}</p>\n').format(REMARKS[block.kind])
    classes = f"change {block.kind.replace('_', '-')}"
    return Markup('<div class="{}" id="{}">\n{}{}{}\n</div>').format(
        classes, block.anchor, place, remark, _element(block)
    )


def _departure(block: DiffBlock) -> Markup:
    return Markup(
        '<div class="moved moved-away" id="{0}-from">\n'
        '<p class="remark"><a href="#{0}">Moved to its new place</a>: <span dir="auto">{1}</span></p>\n</div>'
    ).format(block.anchor, _excerpt(block.old))


def _element(block: DiffBlock) -> Markup:
    """The block's words with their marks, in an element that fits anywhere in a page."""
    marked = Markup("").join(_run(op, text) for op, text in block.ops)
    if block.block in HEADINGS:
        return Markup('<p dir="auto" class="block {}"><strong>{}</strong></p>').format(block.block, marked)
    if block.block == "code":
        return Markup('<pre dir="auto" class="block code">{}</pre>').format(marked)
    return Markup('<p dir="auto" class="block {}">{}</p>').format(block.block, marked)


def _run(op: Op, text: str) -> Markup:
    """One operation: what screen readers hear as words is in visually hidden spans."""
    words = escape(spoken(op, text))
    if op == "=":
        return words
    return (_REMOVED if op == "-" else _INSERTED).format(words)


def _excerpt(text: str) -> str:
    words = TARGET.sub("", text).split()
    return " ".join(words[:EXCERPT_WORDS]) + (" …" if len(words) > EXCERPT_WORDS else "")
