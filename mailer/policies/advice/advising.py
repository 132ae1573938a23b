"""From a diff to an advice on the class of the change; people decide."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from mailer.policies.advice.judge import Finding, judge, titles_of
from mailer.policies.advice.model import Advice, Advised, Cue, Reason
from mailer.policies.advice.places import displaced_blocks
from mailer.policies.advice.sentences import sentences
from mailer.policies.advice.speech import said
from mailer.policies.diff import Diff, DiffBlock
from mailer.policies.diff.blocks import HEADINGS, without_targets
from mailer.policies.diff.groups import changes_of, first_of, kind_of

WORDLESS = frozenset({"renumbered", "duplicate_removed"})
"""Changes in which no sentence changed."""

ORDER = (Advice.MINOR, Advice.UNSURE, Advice.MATERIAL)

ENOUGH = 200
"""More reasons than this nobody reads."""

_PLACE = partial(Finding, Advice.UNSURE, Cue.PLACE)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something was noticed: the section's title, or how the passage begins, and the change's anchor."""

    title: str
    anchor: str


@lru_cache(maxsize=64)
def advise(found: Diff) -> Advised:
    """What class a change looks like, with reasons; never *minor* where a cue was touched.

    No more than `ENOUGH` reasons are listed, and the last says so; what is material by then is read no further.
    """
    advice, weighty = Advice.MINOR, dict[Reason, None]()
    left_out: Spot | None = None
    for spot, finding in _noticed(found):
        raised = max(advice, finding.advice, key=ORDER.index)
        if len(weighty) < ENOUGH or raised is not advice:
            if finding.cue is not Cue.NONE:
                weighty[_reason(spot, finding)] = None
        elif finding.cue is not Cue.NONE:
            left_out = left_out or spot
        advice = raised
        if left_out and advice is Advice.MATERIAL:
            break
    rest = [_and_more(left_out)] if left_out else []
    return Advised(advice, [*weighty, *rest] or [_remark("No word changed.")])


def _and_more(first: Spot) -> Reason:
    words = f"No more than {ENOUGH} reasons are listed. Read the changes from here on yourself."
    return replace(_remark(words), title=first.title, anchor=first.anchor)


def _remark(words: str) -> Reason:
    return Reason(Cue.NONE, None, "", "", "", words)


def _noticed(found: Diff) -> Iterator[tuple[Spot, Finding]]:
    headings = [block for block in found.blocks if block.block in HEADINGS]
    titles = titles_of([without_targets(text) for block in headings for text in (block.old, block.new)])
    yield from ((_spot(block), _PLACE(new=without_targets(block.new))) for block in displaced_blocks(found))
    for parts in changes_of(found.blocks):
        first = first_of(parts)
        spot = _spot(first)
        yield from ((spot, finding) for finding in _beside_words(parts))
        if first.kind == "duplicate_removed" and not _stands_beside(first, found):
            yield spot, _PLACE(old=without_targets(first.old))
        if first.kind not in WORDLESS:
            for sentence in sentences(parts, _title(first)):
                yield from ((spot, finding) for finding in judge(sentence, titles))


def _beside_words(parts: Sequence[DiffBlock]) -> Iterator[Finding]:
    """What changed without a word: the place of the same words, and signs that say something."""
    yield from (_PLACE(new=without_targets(block.new)) for block in parts if block.levels)
    if parts[0].row is not None and kind_of(parts) != "moved":
        old, new = [cell.old for cell in parts], [cell.new for cell in parts]
        if sorted(old) == sorted(new):  # the same words in other columns
            yield _PLACE(new=without_targets(" | ".join(new)))
    signs = {side: _signs(text for block in parts for op, text in block.ops if op == side) for side in "-+"}
    if signs["-"] != signs["+"]:
        yield Finding(
            Advice.UNSURE,
            Cue.SIGN,
            *(" ".join((signs[side] - signs[other]).elements()) for side, other in ("-+", "+-")),
        )


def _signs(texts: Iterable[str]) -> Counter[str]:
    """The signs in these texts that may stand for a value: of currency and mathematics, ticks, arrows, per cent."""
    return Counter(sign for text in texts for sign in text if sign == "%" or unicodedata.category(sign)[0] == "S")


def _stands_beside(block: DiffBlock, found: Diff) -> bool:
    """Whether the words of a removed repetition still stand in the same section."""
    return any(other.new == block.old and other.path == block.path for other in found.blocks)


def _title(block: DiffBlock) -> str:
    return block.path[-1] if block.path else ""


def _spot(block: DiffBlock) -> Spot:
    return Spot(_title(block) or without_targets(block.new or block.old)[:80], block.anchor)


def _reason(spot: Spot, finding: Finding) -> Reason:
    return Reason(
        cue=finding.cue,
        question=finding.question,
        words=finding.new or finding.old,
        title=spot.title,
        anchor=spot.anchor,
        text=said(finding),
    )
