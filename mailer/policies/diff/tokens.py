"""Wordings in tokens: words, numbers, dates, addresses, URLs and marks, none of which is ever cut."""

import re
from typing import NamedTuple

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "januari|februari|maart|mei|juni|juli|augustus|oktober|januar|februar|märz|mai|dezember"
)
# Vowel signs and joiners that `\\w` leaves out: combining marks, Hebrew, Arabic, the Indic scripts, Thai and Lao.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u200c\u200d"
)
_WORD = rf"[\w{_MARKS}]"
_CJK = r"[\u3040-\u30ff\u3400-\u9fff]"
_TOKEN = re.compile(
    rf"""(?ix)
      \s+
    | ⟨[^⟩]*⟩
    | (?:https?://|www\.)[^\s<>⟨⟩]*[^\s<>⟨⟩.,;:!?()\[\]'"’”]
    | (?<![\w.+%-])[\w.+%-]{{1,64}}@[\w-]+(?:\.[\w-]+)+
    | \d{{1,2}}(?:st|nd|rd|th|\.)?[ ](?:of[ ])?(?:{_MONTHS})\b(?:,?[ ]\d{{4}}\b)?
    | (?:{_MONTHS})[ ]\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?[ ]\d{{4}}\b)?
    | [€$£][ ]?\d+(?:[.,]\d+)*
    | (?>(?:(?<![\w.,)])[-−+])?\d+(?:[.,:/\-]\d+)*)(?![-'’/]?(?!{_CJK}){_WORD})(?:[ ]?%|[ ]?[€$£]|\+(?!\w))?
    | {_CJK}
    | {_WORD}+(?:['’.&/-]{_WORD}+)*
    | .
    """
)


class Token(NamedTuple):
    """A word, mark or run of odd white space, and whether one space stands before it."""

    text: str
    space: bool

    @property
    def is_word(self) -> bool:
        """Something a person counts as a word or number; a mark or a link's target is not."""
        return self.text[0] != "⟨" and (self.text[0].isalnum() or self.text[-1].isalnum())


def tokens(text: str) -> list[Token]:
    """The text in tokens; no word, number, date, address or URL is ever cut."""
    found: list[Token] = []
    space = False
    for match in _TOKEN.finditer(text):
        if match[0] == " ":
            space = True
        else:
            found.append(Token(match[0], space))
            space = False
    return [*found, Token(" ", False)] if space else found


def count_words(text: str) -> int:
    """How many words a person would count."""
    return sum(token.is_word for token in tokens(text))
