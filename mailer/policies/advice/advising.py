"""From a diff to an advice on the class of the change; people decide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mailer.policies.advice.judge import Finding, judge, titles_of
from mailer.policies.advice.model import Advice, Advised, Cue, Reason
from mailer.policies.advice.places import displaced_blocks
from mailer.policies.advice.sentences import sentences
from mailer.policies.advice.speech import said
from mailer.policies.diff import Diff, DiffBlock
from mailer.policies.diff.blocks import HEADINGS, without_targets
from mailer.policies.diff.groups import changes_of

WORDLESS = frozenset({"renumbered", "duplicate_removed"})
"""Changes in which no sentence changed."""

ORDER = (Advice.MINOR, Advice.UNSURE, Advice.MATERIAL)

_PLACE = partial(Finding, Advice.UNSURE, Cue.PLACE)


def advise(found: Diff) -> Advised:
    """What class a change looks like, with reasons; never *minor* where a cue was touched."""
    noticed = [*_noticed(found)]
    advice = max((finding.advice for _, finding in noticed), key=ORDER.index, default=Advice.MINOR)
    reasons = list(dict.fromkeys(_reason(block, finding) for block, finding in noticed))
    weighty = [reason for reason in reasons if reason.cue is not Cue.NONE]
    return Advised(advice, weighty or [Reason(Cue.NONE, None, "", "", "", "No word changed.")])


def _noticed(found: Diff) -> Iterator[tuple[DiffBlock, Finding]]:
    headings = [block for block in found.blocks if block.block in HEADINGS]
    titles = titles_of([without_targets(text) for block in headings for text in (block.old, block.new)])
    yield from ((block, _PLACE(new=without_targets(block.new))) for block in displaced_blocks(found))
    for parts in changes_of(found.blocks):
        first = parts[0]
        if first.kind == "duplicate_removed" and not _stands_beside(first, found):
            yield first, _PLACE(old=without_targets(first.old))
        if first.kind not in WORDLESS:
            for sentence in sentences(parts, _title(first)):
                yield from ((first, finding) for finding in judge(sentence, titles))


def _stands_beside(block: DiffBlock, found: Diff) -> bool:
    """Whether the words of a removed repetition still stand in the same section."""
    return any(other.new == block.old and other.path == block.path for other in found.blocks)


def _title(block: DiffBlock) -> str:
    return block.path[-1] if block.path else ""


def _reason(block: DiffBlock, finding: Finding) -> Reason:
    return Reason(
        cue=finding.cue,
        question=finding.question,
        words=finding.new or finding.old,
        title=_title(block) or without_targets(block.new or block.old)[:80],
        anchor=block.anchor,
        text=said(finding),
    )
