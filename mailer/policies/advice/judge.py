"""What one touched sentence asks of the officer; unsure where its words alone cannot tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mailer.policies.advice import lexicon, measures, words
from mailer.policies.advice.links import ChangedLink, changed_links
from mailer.policies.advice.model import THEMES, Advice, Cue
from mailer.policies.advice.sentences import Sentence, is_address, lone_words
from mailer.policies.advice.words import Side
from mailer.policies.advice.writing import normal_words
from mailer.policies.diff.blocks import HEADINGS
from mailer.policies.diff.tokens import tokens

CELLS = frozenset({"li", "td", "th"})
LISTED = (Cue.RETENTION, Cue.TRANSFERS, Cue.RECIPIENTS, Cue.PURPOSES)
"""Questions that a list answers by its items alone, under a heading that asks them."""
MEASURES = (measures.PERIOD, measures.AMOUNT)

_AND_OR = lexicon.word_set("and or en of und oder sowie")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed in a sentence: how much it weighs, and its wording before and after."""

    advice: Advice
    cue: Cue
    old: str = ""
    new: str = ""
    question: str | None = None


@dataclass(frozen=True)
class Case:
    """A touched sentence with both its sides, and the titles of sections in either text."""

    sentence: Sentence
    before: Side
    after: Side
    titles: Collection[str]

    @cached_property
    def whole(self) -> str:
        """All its words, of both sides."""
        return f"{self.before.text} | {self.after.text}"

    @cached_property
    def content(self) -> int:
        """How many words of meaning came or went."""
        return len(self.before.content) + len(self.after.content)

    @cached_property
    def theme(self) -> Cue | None:
        """What the words that changed are about; else the sentence, where it agrees with its section; else either."""
        lone = _about(f"{' '.join(self.before.lone)} | {' '.join(self.after.lone)}")
        whole, section = _about(self.whole), _about(self.sentence.title)
        return next(iter([*lone, *(cue for cue in whole if cue in section), *whole, *section]), None)

    @property
    def is_about_data(self) -> bool:
        return lexicon.DATA_WORDS.search(self.whole) is not None or any(_says(cue, self.whole) for cue in THEMES)


def judge(sentence: Sentence, titles: Collection[str]) -> list[Finding]:
    """What is noticed in a touched sentence; at least one thing."""
    before, after = words.sides(sentence.old, sentence.new)
    case = Case(sentence, before, after, titles)
    return [*map(_link, changed_links(sentence)), *_words(case)] or [Finding(Advice.MINOR, Cue.NONE)]


def _link(link: ChangedLink) -> Finding:
    question = link.question
    harmless = question is None and link.is_harmless
    return Finding(
        Advice.MINOR if harmless else Advice.UNSURE, Cue.NONE if harmless else Cue.LINK, link.old, link.new, question
    )


def _words(case: Case) -> list[Finding]:
    if not case.before.changed and not case.after.changed:
        return _only_written_otherwise(case)
    if _is_date_line(case):
        return [_finding(case, Advice.MINOR, Cue.DATE)]
    if _is_entry_of_contents(case):
        return [_finding(case, Advice.MINOR, Cue.NONE)]
    if _weighs_nothing(case):
        return [_finding(case, Advice.MINOR, Cue.SPELLING)]
    if case.sentence.block in HEADINGS:
        return [_finding(case, Advice.UNSURE, Cue.WORDING)]
    found = list(_whole_sentence(case) if case.sentence.is_added or case.sentence.is_removed else _inside(case))
    return found or [_finding(case, Advice.UNSURE, Cue.WORDING)]


def _only_written_otherwise(case: Case) -> list[Finding]:
    if list(case.before.words) == list(case.after.words):
        return []
    return [_finding(case, Advice.MINOR, Cue.SPELLING)]


def _is_date_line(case: Case) -> bool:
    """A line that only says when the text was last changed, and of which only the date changed."""
    text = case.after.text or case.before.text
    lead = lexicon.DATE_LINE.match(text)
    if lead is None:
        return False
    if case.sentence.is_added or case.sentence.is_removed:
        return measures.is_date(text[lead.end() :])
    return case.before.text.startswith(lead[0]) and all(
        measures.is_date(" ".join(side.lone)) and measures.names_day(side.text) for side in (case.before, case.after)
    )


def _is_entry_of_contents(case: Case) -> bool:
    """A link to a section of the same page, by the section's own name."""
    targets = [token.text for _, token in case.sentence.runs if is_address(token)]
    if not targets or not all(target.startswith("⟨#") for target in targets):
        return False
    return (case.after.text or case.before.text) in case.titles


def _weighs_nothing(case: Case) -> bool:
    if all(word in lexicon.WEIGHTLESS for side in (case.before, case.after) for word in side.lone):
        return True
    return not case.after.changed and words.is_repeated(case.before)


def _whole_sentence(case: Case) -> Iterator[Finding]:
    """A sentence that came or went: what it speaks of decides."""
    side = case.after if case.sentence.is_added else case.before
    advice = Advice.MATERIAL if len(side.content) >= 2 else Advice.UNSURE
    themes = [cue for cue in THEMES if _says(cue, side.text) and not _is_bare_use(cue, case)]
    for cue in themes:
        yield _found(case, advice, cue, "", _first(cue, side), cue.value)
    if not themes and case.sentence.is_whole and case.sentence.block in CELLS:
        listed = next((cue for cue in LISTED if _says(cue, case.sentence.title)), None)
        if listed is not None:
            yield _finding(case, Advice.MATERIAL, listed, listed.value)


def _inside(case: Case) -> Iterator[Finding]:
    """A sentence that stays: what came into it and what left it decides."""
    yield from _negation(case)
    yield from _modals(case)
    if _is_name_or_address(case):
        yield _renamed(case)
        return
    yield from _measures(case)
    yield from _themes(case)
    yield from _widened(case)


def _negation(case: Case) -> Iterator[Finding]:
    if words.negations(case.before.words) != words.negations(case.after.words):
        theme = case.theme
        advice = Advice.MATERIAL if case.is_about_data else Advice.UNSURE
        yield _finding(case, advice, Cue.NEGATION, theme.value if theme else None)


def _modals(case: Case) -> Iterator[Finding]:
    before, after = words.forces(case.before.words), words.forces(case.after.words)
    lost, won = before - after, after - before
    if not lost and not won:
        return
    theme = case.theme
    is_flip = bool(lost and won) or (case.content <= 2 and case.is_about_data)
    yield _finding(
        case, Advice.MATERIAL if is_flip else Advice.UNSURE, Cue.MODAL, theme.value if theme else Cue.DUTIES.value
    )


def _is_name_or_address(case: Case) -> bool:
    """Only names, or the parts of an address, took the place of others."""
    sides = [
        [t.text for op, t in case.sentence.runs if op == side and t.is_word and not is_address(t)] for side in "-+"
    ]
    if not all(sides) or not all(word[0].isupper() or word[0].isdigit() for side in sides for word in side):
        return False
    measured = [words.measured(side, which) for side in (case.before, case.after) for which in MEASURES]
    return not any(measured) or all(
        any(word[0].isupper() for word in side) and any(word[0].isdigit() for word in side) for side in sides
    )


def _renamed(case: Case) -> Finding:
    numbers = all(any(char.isdigit() for word in side.lone for char in word) for side in (case.before, case.after))
    kept = " ".join(word for at, word in enumerate(case.after.words) if at not in case.after.changed)
    for cue in (Cue.CONTROLLER, Cue.RECIPIENTS, Cue.TRANSFERS):
        text = f"{kept} | {case.sentence.title}"
        if not numbers and _says(cue, text):
            return _finding(case, Advice.MATERIAL, cue, cue.value)
    is_company = lexicon.LEGAL_FORM.search(kept) is not None and not numbers
    question = Cue.CONTROLLER if is_company else Cue.EXERCISE if _says(Cue.EXERCISE, case.whole) else None
    return _finding(case, Advice.UNSURE, Cue.CONTACT, question.value if question else None)


def _measures(case: Case) -> Iterator[Finding]:
    theme = case.theme
    question = theme.value if theme else None
    for cue, pattern in zip((Cue.PERIOD, Cue.NUMBER), MEASURES, strict=True):
        old, new = words.measured(case.before, pattern), words.measured(case.after, pattern)
        if old != new:
            yield _found(case, Advice.MATERIAL, cue, ", ".join(old), ", ".join(new), question)
            return
    if words.moves_limit(case.before) or words.moves_limit(case.after):
        yield _finding(case, Advice.MATERIAL, Cue.PERIOD, question)
    elif words.measured(case.before, measures.NUMBER) != words.measured(case.after, measures.NUMBER):
        yield _finding(case, Advice.UNSURE, Cue.NUMBER, question)


def _themes(case: Case) -> Iterator[Finding]:
    """A cue word that came or went weighs; one that took the place of its like is left to people."""
    if _is_reference(case):
        return
    for cue in THEMES:
        old, new = case.before.touched(lexicon.THEME_WORDS[cue]), case.after.touched(lexicon.THEME_WORDS[cue])
        if sorted(old) == sorted(new):
            continue
        weighs = case.content >= 4 or (bool(old) != bool(new) and not _is_bare_use(cue, case, [*old, *new]))
        yield _found(case, Advice.MATERIAL if weighs else Advice.UNSURE, cue, ", ".join(old), ", ".join(new), cue.value)


def _widened(case: Case) -> Iterator[Finding]:
    """An “and …” or “or …” more in a sentence about one of the questions: its scope is another."""
    theme = case.theme
    if theme is None or _is_reference(case):
        return
    runs = [run for side in (case.before, case.after) for run in side.runs if len(words.content(run)) >= 2]
    if any(run[0] in _AND_OR or run[-1] in _AND_OR for run in runs):
        yield _finding(case, Advice.MATERIAL, theme, theme.value)


def _is_reference(case: Case) -> bool:
    """The words only say where else to look."""
    if not any(word in lexicon.REFERENCES for side in (case.before, case.after) for word in side.lone):
        return False
    named = {word for title in case.titles for word in title.split()}
    content = [*case.before.content, *case.after.content]
    return all(word in named or word in lexicon.REFERENCES or word[0].isdigit() for word in content)


def _is_bare_use(cue: Cue, case: Case, found: Sequence[str] = ()) -> bool:
    """Nothing but “use” speaks of a purpose: of two words, or without a word of data, it is no purpose of ours."""
    if cue is not Cue.PURPOSES:
        return False
    found = found or [match[0] for match in lexicon.THEME_WORDS[cue].finditer(case.whole)]
    is_bare = all(lexicon.BARE_USE.fullmatch(word) for word in found)
    return is_bare and (case.content < 3 or not lexicon.DATA_WORDS.search(case.whole))


def _about(text: str) -> list[Cue]:
    """What a text is about, the more telling first."""
    return [cue for cue in THEMES if _says(cue, text)]


def _says(cue: Cue, text: str) -> bool:
    return lexicon.THEME_WORDS[cue].search(text) is not None


def _first(cue: Cue, side: Side) -> str:
    match = lexicon.THEME_WORDS[cue].search(side.text)
    return match[0] if match else ""


def _finding(case: Case, advice: Advice, cue: Cue, question: str | None = None) -> Finding:
    """A finding in the very words that came and went."""
    return Finding(advice, cue, lone_words(case.sentence, "-"), lone_words(case.sentence, "+"), question)


def _found(case: Case, advice: Advice, cue: Cue, old: str, new: str, question: str | None) -> Finding:
    if case.sentence.is_removed:
        old, new = old or new, ""
    return Finding(advice, cue, old, new, question)


def titles_of(found: Collection[str]) -> frozenset[str]:
    """Titles as sentences name them."""
    return frozenset(" ".join(normal_words(tokens(title))) for title in found)
