"""The diffs that are measured side by side: each yields operations over the same two canonical texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

Ops = list[tuple[str, str]]
Engine = Callable[[str, str], Ops]
_PIECE = re.compile(r"\s+|\w+|[^\w\s]")


def flat_difflib(old: str, new: str) -> Ops:
    """Words, marks and blanks of the whole texts through `difflib`, without its guess at junk."""
    mine, theirs = _PIECE.findall(old), _PIECE.findall(new)
    head = sum(1 for _ in takewhile(_is_same, zip(mine, theirs, strict=False)))
    room = min(len(mine), len(theirs)) - head
    tail = sum(1 for _ in takewhile(_is_same, zip(mine[::-1][:room], theirs[::-1][:room], strict=False)))
    middle = mine[head : len(mine) - tail], theirs[head : len(theirs) - tail]
    found: Ops = [("=", "".join(mine[:head]))]
    for verb, a, to_a, b, to_b in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        if verb == "equal":
            found.append(("=", "".join(middle[0][a:to_a])))
        else:
            found += [("-", "".join(middle[0][a:to_a])), ("+", "".join(middle[1][b:to_b]))]
    return joined([*found, ("=", "".join(mine[len(mine) - tail :]))])


def difflib_cost(old: str, new: str) -> int:
    """The comparisons that `flat_difflib` would need at worst, in words squared."""
    mine, theirs = _PIECE.findall(old), _PIECE.findall(new)
    head = sum(1 for _ in takewhile(_is_same, zip(mine, theirs, strict=False)))
    tail = sum(1 for _ in takewhile(_is_same, zip(mine[::-1], theirs[::-1], strict=False)))
    return max(0, len(mine) - head - tail) * max(0, len(theirs) - head - tail)


def redlines(old: str, new: str) -> Ops:
    """The library `redlines` as it comes."""
    from redlines import Redlines

    if not old or not new:  # it takes no empty text
        return joined([("-", old), ("+", new)])
    found: Ops = []
    for change in json.loads(Redlines(old, new).output_json())["changes"]:
        match change["type"]:
            case "replace":
                found += [("-", change["source_text"]), ("+", change["test_text"])]
            case kind:
                found.append(({"equal": "=", "delete": "-", "insert": "+"}[kind], change["text"]))
    return joined(found)


def diff_match_patch(old: str, new: str) -> Ops:
    """Google's `diff-match-patch` with its semantic clean-up, one second at most."""
    from diff_match_patch import diff_match_patch as Matcher

    matcher = Matcher()
    matcher.Diff_Timeout = 1.0
    found = matcher.diff_main(old, new)
    matcher.diff_cleanupSemantic(found)
    return joined([({-1: "-", 0: "=", 1: "+"}[verb], text) for verb, text in found])


def joined(ops: Sequence[tuple[str, str]]) -> Ops:
    """The same operations, neighbours of one kind in one, empty ones left out."""
    found: Ops = []
    for op, text in ops:
        if text and found and found[-1][0] == op:
            found[-1] = (op, found[-1][1] + text)
        elif text:
            found.append((op, text))
    return found


def _is_same(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]
