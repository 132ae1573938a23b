"""Two people edited one draft: what is kept now, where it differs from what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailer.policies import rules
from mailer.policies.diff.render import Wording, wordings
from mailer.policies.drafts.editor import text_of
from mailer.policies.drafts.form import CLASS_WORDS, DraftForm
from mailer.policies.languages import LANGUAGES
from mailer.policies.models import Draft
from mailer.policies.public.comparison import compare
from mailer.policies.wording import TOLD, Translation, translations_of

ANSWERS = {True: "Yes", False: "No", None: "no answer"}


@dataclass(frozen=True)
class Clash:
    """What another editor kept meanwhile: changed passages by language, and all else by its label."""

    author: str
    texts: Sequence[tuple[str, Sequence[Wording]]]
    words: Sequence[tuple[str, str]]


def clash(form: DraftForm, draft: Draft, author: str) -> Clash:
    """The draft as kept now against the form as it was filled in; an old wording is what was typed."""
    own = draft.policy.language
    kept = translations_of(draft)
    texts = []
    for language in dict.fromkeys([own, *kept, *form.translated]):
        passages = wordings(compare(_typed(form, language, own), text_of(draft, language)))
        if passages:
            texts.append((LANGUAGES[language], passages))
    words = [*_told(form, draft), *_of_class(form, draft)]
    for language, said in kept.items():
        words += _of_translation(form, language, said)
    return Clash(author, texts, words)


def _typed(form: DraftForm, language: str, own: str) -> str:
    if language == own:
        return form.text.data or ""
    return form[f"text_{language}"].data or "" if language in form.translated else ""


def _told(form: DraftForm, draft: Draft) -> list[tuple[str, str]]:
    names = (*TOLD, "class_reason")
    return [
        (form[name].label.text, getattr(draft, name))
        for name in names
        if (form[name].data or "").strip() != getattr(draft, name)
    ]


def _of_class(form: DraftForm, draft: Draft) -> list[tuple[str, str]]:
    found = []
    if form.change_class.data != draft.change_class.value:
        found.append((form.change_class.label.text, CLASS_WORDS[draft.change_class]))
    if form.effective_on.data != draft.effective_on:
        day = rules.say(draft.effective_on) if draft.effective_on else "at release"
        found.append((form.effective_on.label.text, day))
    answers = form.wording().answers
    found += [
        (question, ANSWERS[draft.answers.get(key)])
        for key, question in rules.QUESTIONS.items()
        if answers.get(key) != draft.answers.get(key)
    ]
    return found


def _of_translation(form: DraftForm, language: str, said: Translation) -> list[tuple[str, str]]:
    if language not in form.translated:
        return [(f"A translation into {LANGUAGES[language]}", said.title)]
    fields = form.fields_of(language)
    return [
        (fields[name].label.text, getattr(said, name))
        for name in ("title", *TOLD)
        if (fields[name].data or "").strip() != getattr(said, name)
    ]
