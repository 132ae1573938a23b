"""The form of a draft: its text in each language, what people are told of it, its class and its day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import DateField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Optional

from mailer.policies.forms import FILE_HINT, take_upload
from mailer.policies.languages import LANGUAGES, is_right_to_left
from mailer.policies.models import Draft
from mailer.policies.ownership import NAMES, OWN, Ownership, field_of
from mailer.policies.rules import QUESTIONS, Announce, ChangeClass
from mailer.policies.wording import TOLD, Translation, Wording, translations_of

PREFIX = "question_"
OWNED = tuple(field_of(name, OWN) for name in NAMES)
YES_OR_NO = [SelectChoice("no", "No"), SelectChoice("yes", "Yes")]
CLASS_WORDS = {
    ChangeClass.MATERIAL: "Material: it affects rights. Everyone concerned is told by e-mail, at least 30 days ahead.",
    ChangeClass.ORDINARY: "Ordinary: it does not affect rights. It is announced, or mailed, at any time.",
    ChangeClass.MINOR: "Minor: nothing changes for anyone, such as a spelling mistake. No mail; page and feed change.",
}
ANNOUNCE_WORDS = {
    Announce.ANNOUNCEMENT: "By service announcement: the banner and the feed",
    Announce.EMAIL: "By e-mail to everyone concerned",
}


class Expected:
    """Marks a field without which there is no review, though a draft may be kept without it."""

    field_flags: ClassVar = {"required": True}

    def __call__(self, form: object, field: object) -> None:
        """Nothing is refused here."""


def _told_fields(of: str = "") -> dict[str, Any]:
    """What people are told of a change, in one language; `of` follows each label."""
    summary = TextAreaField(
        f"What changes, in plain words{of}",
        [Expected()],
        description="The first thing people read in the notice.",
        render_kw={"rows": 3},
    )
    why = TextAreaField(f"Why{of}", [Optional()], render_kw={"rows": 2})
    impact = TextAreaField(f"What it means for people{of}", [Optional()], render_kw={"rows": 2})
    return dict(zip(TOLD, (summary, why, impact), strict=True))


def _ownership_fields(of: str = "") -> dict[str, Any]:
    """What people are told where the company gets a new owner (S7), in one language."""
    labels = ("Who the new owner is", "What the data will be used for", "What people may choose")
    return {
        name: TextAreaField(label + of, [Optional()], render_kw={"rows": 2})
        for name, label in zip(OWNED, labels, strict=True)
    }


def _text_field(language: str = "", of: str = "") -> TextAreaField:
    marks = {"lang": language, "dir": "rtl" if is_right_to_left(language) else "ltr"} if language else {}
    return TextAreaField(
        f"Text{of}",
        [Expected()],
        description="Markdown. Headings begin with #.",
        render_kw={"rows": 24, "class": "code", **marks},
    )


class DraftForm(FlaskForm):  # type: ignore[misc]
    """A new version in the making, in the policy's own language; `draft_form` adds the others.

    `seen` is the fingerprint of what the editor began with, `base` the number of the version that a new draft began
    with, `class_was` the class that was filled in for them.
    """

    translated: ClassVar[Sequence[str]] = ()

    seen = HiddenField()
    base = HiddenField()
    class_was = HiddenField()
    text = _text_field()
    file = FileField("Or a file", description=FILE_HINT)
    summary = _told_fields()["summary"]
    why = _told_fields()["why"]
    impact = _told_fields()["impact"]
    ownership_owner = _ownership_fields()["ownership_owner"]
    ownership_uses = _ownership_fields()["ownership_uses"]
    ownership_choices = _ownership_fields()["ownership_choices"]
    change_class = RadioField(
        "Class of the change",
        [DataRequired("Choose a class.")],
        choices=[SelectChoice(kind.value, words) for kind, words in CLASS_WORDS.items()],
        default=ChangeClass.MATERIAL.value,
        description="A change is material unless shown otherwise: by a no to all seven questions, a reason, "
        "and two colleagues who approve it.",
    )
    announce = RadioField(
        "How an ordinary change is told",
        [Optional()],
        choices=[SelectChoice(way.value, words) for way, words in ANNOUNCE_WORDS.items()],
        default=Announce.ANNOUNCEMENT.value,
    )
    effective_on = DateField("Takes effect on", [Optional()])
    class_reason = TextAreaField("Why it is not material", [Optional()], render_kw={"rows": 2})

    def questions(self) -> list[tuple[str, Any]]:
        """The seven questions with their fields, in their order."""
        return [(key, self[PREFIX + key]) for key in QUESTIONS]

    def fields_of(self, language: str) -> dict[str, Any]:
        """The fields of one translation by their plain names."""
        return {name: self[f"{name}_{language}"] for name in ("title", "text", "file", *TOLD, *OWNED)}

    @property
    def base_number(self) -> int | None:
        """The version that a new draft began with, 0 for none; None if the form does not say."""
        said = self.base.data or ""
        return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None

    @property
    def is_chosen(self) -> bool:
        """Whether a person chose the class, or it is the one that was filled in for them."""
        return bool(self.change_class.data != self.class_was.data)

    def take_uploads(self) -> bool:
        """Put each chosen file into its text's field; False if one cannot be read, and the form says why."""
        pairs = [("file", "text"), *((f"file_{code}", f"text_{code}") for code in self.translated)]
        unread = [file for file, text in pairs if not take_upload(self, file, text)]
        return not unread

    def wording(self) -> Wording:
        """What was filled in; an empty question has no answer."""
        answers = {key: field.data == "yes" for key, field in self.questions() if field.data}
        return Wording(
            text=self.text.data or "",
            change_class=ChangeClass(self.change_class.data),
            announce=Announce(self.announce.data or Announce.ANNOUNCEMENT),
            effective_on=self.effective_on.data,
            class_reason=self.class_reason.data or "",
            answers=answers,
            translations=self.translations(),
            ownership=self.ownership(),
            **{name: self[name].data or "" for name in TOLD},
        )

    def translations(self) -> dict[str, Translation]:
        """What is said in each other language, as it was typed."""
        return {code: self._translation(code) for code in self.translated}

    def ownership(self) -> dict[str, Ownership]:
        """What is said of a new owner in each language, as it was typed; that of the policy itself under `OWN`."""
        return {
            language: Ownership(**{name: self[field_of(name, language)].data or "" for name in NAMES})
            for language in (OWN, *self.translated)
        }

    def fill(self, draft: Draft) -> None:
        """Show what a draft says."""
        for name in ("text", *TOLD, "effective_on", "class_reason"):
            self[name].data = getattr(draft, name)
        self.change_class.data, self.announce.data = draft.change_class.value, draft.announce.value
        for key, is_yes in draft.answers.items():
            self[PREFIX + key].data = "yes" if is_yes else "no"
        for language, said in translations_of(draft).items():
            self.fill_translation(language, said)
        own = draft.policy.language
        for language, words in (draft.ownership or {}).items():
            for name, value in words.items():
                field = field_of(name, "" if language == own else language)
                if field in self:
                    self[field].data = value

    def fill_translation(self, language: str, said: Translation) -> None:
        """Show what is said in another language."""
        for name in ("title", "text", *TOLD):
            self[f"{name}_{language}"].data = getattr(said, name)

    def _translation(self, language: str) -> Translation:
        return Translation(**{name: self[f"{name}_{language}"].data or "" for name in ("title", "text", *TOLD)})


for _key, _question in QUESTIONS.items():
    setattr(DraftForm, PREFIX + _key, RadioField(_question, [Optional()], choices=YES_OR_NO))


class ReturnForm(FlaskForm):  # type: ignore[misc]
    """What a reader asks of the author."""

    note = TextAreaField(
        "What should change", [DataRequired("Say what should change; its author will read it.")], render_kw={"rows": 3}
    )


def draft_form(languages: Iterable[str]) -> DraftForm:
    """The form of a draft with translations into these languages; unknown ones are left out."""
    known = [code for code in dict.fromkeys(languages) if code in LANGUAGES]
    fields = {f"{name}_{code}": field for code in known for name, field in _translation_fields(code).items()}
    made: DraftForm = type("TranslatedDraftForm", (DraftForm,), {"translated": tuple(known), **fields})()
    return made


def _translation_fields(language: str) -> dict[str, Any]:
    of = f" ({LANGUAGES[language]})"
    title = StringField(f"Title{of}", [Expected()], description="What people call this policy in this language.")
    file = FileField(f"Or a file{of}", description=FILE_HINT)
    return {
        "title": title,
        "text": _text_field(language, of),
        "file": file,
        **_told_fields(of),
        **_ownership_fields(of),
    }
