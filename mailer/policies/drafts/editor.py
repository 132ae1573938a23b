"""What the editor shows beside a text that is being written: how it will read, what changes, what that looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from mailer.errors import MailerError
from mailer.policies import documents
from mailer.policies import text as texts
from mailer.policies.advice import ADVICE_WORDS, Advice, Advised, advise
from mailer.policies.diff import Diff
from mailer.policies.diff.marked import to_html
from mailer.policies.diff.tongues import ENGLISH
from mailer.policies.drafts.highlight import with_cues
from mailer.policies.languages import LANGUAGES, is_right_to_left
from mailer.policies.models import Draft, Version
from mailer.policies.public.comparison import compare
from mailer.policies.rules import ChangeClass
from mailer.policies.wording import Translation

NOTHING = Advised(Advice.MINOR, ())


@dataclass(frozen=True)
class Look:
    """One text of a draft as it stands in its field: rendered, and compared with the version it builds on."""

    language: str
    text: str = ""
    fault: str = ""
    found: Diff | None = None
    advised: Advised = NOTHING

    @cached_property
    def rendered(self) -> Markup:
        """The text as readers will see it."""
        return texts.to_html(self.text) if self.text else Markup()

    @property
    def direction(self) -> str:
        """Which way the text runs, for `dir`."""
        return "rtl" if is_right_to_left(self.language) else "ltr"

    @property
    def sentence(self) -> str:
        """The change in a sentence; empty if there is nothing to compare with."""
        return ENGLISH.sentence(self.found) if self.found else ""

    @property
    def marked(self) -> Markup:
        """The change with its cue words highlighted."""
        return marked(self.found, self.language) if self.found else Markup()

    @property
    def keeps_its_words(self) -> bool:
        """No word changed, and nothing that weighs; perhaps nothing at all."""
        return (
            self.found is not None
            and not (self.found.words.removed or self.found.words.added)
            and self.advised.advice is Advice.MINOR
        )

    @property
    def is_wordless(self) -> bool:
        """Something changed, no word of it, and nothing that weighs."""
        return self.keeps_its_words and self.found is not None and not self.found.is_empty

    @property
    def advice(self) -> str:
        """What the change looks like, in a sentence or two."""
        if self.fault or self.found is None:
            return ""
        if self.found.is_empty:
            return "No change that a reader would see yet."
        if self.is_wordless:
            return "No word changed. You decide."
        return f"This change looks {ADVICE_WORDS[self.advised.advice]}. You decide."


@dataclass(frozen=True)
class Whole:
    """A change in all its languages: `own` is the text that counts, `touched` the others of which words changed."""

    own: Look
    others: Sequence[Look]
    touched: Sequence[str]

    def of(self, language: str) -> Look:
        """The text in one language, in its own if there is none in that."""
        return next((each for each in self.others if each.language == language), self.own)

    @property
    def is_wordless(self) -> bool:
        """Something changed in some language, no word of it in any."""
        looks = (self.own, *self.others)
        return not self.touched and self.own.keeps_its_words and any(each.is_wordless for each in looks)

    @property
    def filled_in(self) -> ChangeClass:
        """The class that the form begins with; people decide."""
        return ChangeClass.MINOR if self.is_wordless else ChangeClass.MATERIAL

    @property
    def advice(self) -> str:
        """What the change looks like in all its languages, in a sentence or two."""
        if self.is_wordless:
            return "No word changed, so “Minor” is filled in. You decide."
        if self.touched and self.own.keeps_its_words:
            names = ", ".join(LANGUAGES[code] for code in self.touched)
            return f"No word changed in {LANGUAGES[self.own.language]}, but words did in: {names}. You decide."
        return self.own.advice


def whole(own: Look, translations: Mapping[str, Translation], base: Version | None) -> Whole:
    """The change of all languages together; a translation that is new, gone or called otherwise is touched."""
    others = [look(said.text, language, base) for language, said in translations.items()]
    before = {row.language: row for row in base.translations} if base else {}
    touched = [
        each.language
        for each in others
        if not each.keeps_its_words or translations[each.language].title.strip() != before[each.language].title
    ]
    gone = [language for language in before if language not in translations]
    return Whole(own, others, [*touched, *gone])


def look(text: str, language: str, base: Version | None) -> Look:
    """A text as its writer should see it; a fault in it is part of what they see."""
    try:
        read = documents.read_document(text)
    except MailerError as fault:
        words = str(fault).removeprefix("text: ")
        return Look(language, fault=words[:1].upper() + words[1:])
    before = base.in_language(language) if base else None
    if before is None:
        return Look(language, read)
    found = compare(before.text, read)
    return Look(language, read, found=found, advised=advise(found))


def marked(found: Diff, language: str) -> Markup:
    """The marked text for staff: cue words stand out in what came and went."""
    return to_html(found, language=language, highlight=with_cues)


def text_of(draft: Draft, language: str) -> str:
    """What a draft says in a language; empty if nothing."""
    if language == draft.policy.language:
        return draft.text
    return next((row.text for row in draft.translations if row.language == language), "")
