"""What the sender wrote above, below or between quotations; the rest of the mail is kept elsewhere (TRAPS 19)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailer.inbound import quotation
from mailer.inbound.htmltext import to_text
from mailer.inbound.signature import trimmed, without_signature

_BLANKS = re.compile(r"[\u00a0\u2007\u202f]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")


class Shape(StrEnum):
    """Where the sender's words stand; only above or below one quotation can they be told apart with certainty."""

    ALONE = "alone"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"
    UNCLEAR = "unclear"
    NOTHING = "nothing"


CERTAIN = frozenset({Shape.ALONE, Shape.ABOVE, Shape.BELOW})


@dataclass(frozen=True, slots=True)
class Visible:
    """The sender's own words and how they lie in the mail."""

    text: str
    shape: Shape
    forwarded: bool


def visible_text(text: str, html: str | None = None) -> str:
    """The part of a mail that its sender wrote, without quotation and signature; empty only if nothing was written."""
    return separate(text, html).text


def separate(text: str, html: str | None = None) -> Visible:
    """The sender's own words; HTML is read only where there is no text."""
    if not text.strip() and html:
        text = to_text(html)
    lines = _INVISIBLE.sub("", _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))).split("\n")
    quoted, cut = _mark(lines)
    forwarded = any(quotation.is_forward(line) for line in lines)
    runs = _runs(lines, quoted, cut)
    pieces: list[tuple[int, list[str]]] = []
    for start, end in runs:
        if piece := without_signature(lines[start:end], written=bool(pieces)):
            pieces.append((start, piece))
    if not pieces:
        return _unclear(lines, quoted, forwarded)
    own = "\n\n".join("\n".join(line.rstrip() for line in piece).strip("\n") for _, piece in pieces)
    return Visible(own.strip(), _shape(lines, quoted, cut, [start for start, _ in pieces]), forwarded)


def _mark(lines: Sequence[str]) -> tuple[list[bool], int]:
    """Which lines are marked as another's, and the line from which all that follows is."""
    quoted = [quotation.is_quote(line) for line in lines]
    at = 0
    while at < len(lines):
        if quoted[at]:
            at += 1
            continue
        count = quotation.attribution(lines, at) or int(quotation.divider(lines[at]))
        block = quotation.header_block(lines, at)
        if block or (count and not _prefixed(lines, at + count)):
            return quoted, at
        for line in range(at, at + count):
            quoted[line] = True
        at += max(count, 1)
    return quoted, len(lines)


def _prefixed(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at:] if line.strip()), None)
    return following is not None and quotation.is_quote(following)


def _runs(lines: Sequence[str], quoted: Sequence[bool], cut: int) -> list[tuple[int, int]]:
    """Stretches of unquoted lines above the cut."""
    runs: list[tuple[int, int]] = []
    start = 0
    for at in range(cut + 1):
        if at == cut or quoted[at]:
            if any(line.strip() for line in lines[start:at]):
                runs.append((start, at))
            start = at + 1
    return runs


def _shape(lines: Sequence[str], quoted: Sequence[bool], cut: int, starts: Sequence[int]) -> Shape:
    marked = [at for at in range(cut) if quoted[at]]
    if not marked:
        return Shape.ALONE if cut == len(lines) else Shape.ABOVE
    if len(starts) == 1 and starts[0] < marked[0]:
        return Shape.ABOVE
    # Words that touch the last quoted line may be that line's own end, wrapped by a client.
    if len(starts) == 1 and starts[0] > marked[-1] and cut == len(lines) and not lines[marked[-1] + 1].strip():
        return Shape.BELOW
    return Shape.BETWEEN


def _unclear(lines: Sequence[str], quoted: Sequence[bool], forwarded: bool) -> Visible:
    """All that is not marked as another's: below an unmarked quotation nobody can say whose words they are."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        skip = quotation.attribution(lines, at) or quotation.header_block(lines, at) or int(quoted[at])
        skip = skip or int(quotation.divider(lines[at]))
        if not skip:
            kept.append(lines[at])
        at += max(skip, 1)
    own = "\n".join(without_signature(kept) or trimmed(kept)).strip()
    return Visible(own, Shape.UNCLEAR if own else Shape.NOTHING, forwarded)
