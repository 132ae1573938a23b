"""Cue words made to stand out in the text of a change; said in words, too, for those who do not see it."""

from __future__ import annotations

from markupsafe import Markup, escape

from mailer.policies.advice.cues import spans

_CUE = Markup('<mark class="cue" title="{0}">{1}<span class="visually-hidden"> (cue: {0})</span></mark>')


def with_cues(text: str) -> Markup:
    """The text, escaped, each of its cue words in a `mark` that names the cue."""
    parts, at = [], 0
    for start, end, cue in spans(text):
        parts += [escape(text[at:start]), _CUE.format(cue.value, text[start:end])]
        at = end
    return Markup("").join([*parts, escape(text[at:])])
