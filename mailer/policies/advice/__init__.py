"""Advice on the class of a change, from its diff: pure functions, no I/O. People decide.

*Minor* is advised only where nothing of weight changed: marks, case, spelling, the date of the text, the order of
whole sections, a link that leads to the same page. *Material* where a cue of the seven questions came, went or
changed its measure. All else is *unsure*.
"""

from mailer.policies.advice.advising import advise
from mailer.policies.advice.model import ADVICE_WORDS, Advice, Advised, Cue, Reason

__all__ = ["ADVICE_WORDS", "Advice", "Advised", "Cue", "Reason", "advise"]
