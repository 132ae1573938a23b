"""What the editor shows beside a text that is being written: how it will read, what changes, what that looks like."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from mailer.errors import MailerError
from mailer.policies import documents
from mailer.policies import text as texts
from mailer.policies.advice import ADVICE_WORDS, Advice, Advised, advise
from mailer.policies.diff import Diff
from mailer.policies.diff.marked import to_html
from mailer.policies.diff.tongues import ENGLISH
from mailer.policies.drafts.highlight import with_cues
from mailer.policies.languages import is_right_to_left
from mailer.policies.models import Draft, Version
from mailer.policies.public.comparison import compare
from mailer.policies.rules import ChangeClass

NOTHING = Advised(Advice.MINOR, ())


@dataclass(frozen=True)
class Look:
    """One text of a draft as it stands in its field: rendered, and compared with the version it builds on."""

    language: str
    rendered: Markup = field(default_factory=Markup)
    fault: str = ""
    found: Diff | None = None
    advised: Advised = NOTHING

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
    def is_wordless(self) -> bool:
        """Something changed, no word of it, and nothing that weighs."""
        return (
            self.found is not None
            and not self.found.is_empty
            and not (self.found.words.removed or self.found.words.added)
            and self.advised.advice is Advice.MINOR
        )

    @property
    def filled_in(self) -> ChangeClass:
        """The class that the form begins with; people decide."""
        return ChangeClass.MINOR if self.is_wordless else ChangeClass.MATERIAL

    @property
    def advice(self) -> str:
        """What the change looks like, in a sentence or two."""
        if self.fault or self.found is None:
            return ""
        if self.found.is_empty:
            return "No change that a reader would see yet."
        if self.is_wordless:
            return "No word changed, so “Minor” is filled in. You decide."
        return f"This change looks {ADVICE_WORDS[self.advised.advice]}. You decide."


def look(text: str, language: str, base: Version | None) -> Look:
    """A text as its writer should see it; a fault in it is part of what they see."""
    try:
        read = documents.read_document(text)
    except MailerError as fault:
        words = str(fault).removeprefix("text: ")
        return Look(language, fault=words[:1].upper() + words[1:])
    before = base.in_language(language) if base else None
    if before is None:
        return Look(language, texts.to_html(read))
    found = compare(before.text, read)
    return Look(language, texts.to_html(read), found=found, advised=advise(found))


def marked(found: Diff, language: str) -> Markup:
    """The marked text for staff: cue words stand out in what came and went."""
    return to_html(found, language=language, highlight=with_cues)


def text_of(draft: Draft, language: str) -> str:
    """What a draft says in a language; empty if nothing."""
    if language == draft.policy.language:
        return draft.text
    return next((row.text for row in draft.translations if row.language == language), "")
