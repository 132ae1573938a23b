"""The pages of a draft: its editor, the conflict of two editors, and its review."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from flask import render_template
from sqlalchemy.orm import Session

from mailer import settings
from mailer.policies import actions, queries, review, rules
from mailer.policies.drafts.clash import Clash, clash
from mailer.policies.drafts.closed import closed
from mailer.policies.drafts.editor import Whole, look, text_of, whole
from mailer.policies.drafts.form import DraftForm, ReturnForm
from mailer.policies.languages import LANGUAGES
from mailer.policies.models import Draft, Policy, Version
from mailer.policies.public.answers import today
from mailer.policies.queries import Shelf
from mailer.policies.rules import DraftState
from mailer.policies.wording import number_of
from mailer.staff import queries as staff
from mailer.staff.access import current_staff
from mailer.staff.rules import May


def editor(
    session: Session,
    form: DraftForm,
    found: Policy,
    draft: Draft | None,
    language: str = "",
    conflict: Clash | None = None,
) -> str:
    """The page on which a draft is written; `language` has the text seen beside, `conflict` what others did."""
    shelf = queries.shelf(session, found)
    seen = seen_whole(form, found, shelf.latest())
    fill_in_class(form, seen)
    return render_template(
        "admin/policies/draft.html",
        form=form,
        shelf=shelf,
        draft=draft,
        base=shelf.latest(),
        hint=_date_hint(shelf),
        ends_approval=draft is not None and draft.state is not DraftState.DRAFT,
        look=seen.of(language),
        whole=seen,
        languages=LANGUAGES,
        own_language=found.language,
        clash=conflict,
    )


def begun_anew(session: Session, form: DraftForm, found: Policy) -> str:
    """The editor of a new draft once more after a release: what was typed, compared with the version that is new."""
    base = queries.shelf(session, found).latest()
    form.base.data = str(number_of(base))
    return editor(session, form, found, None)


def conflict_page(session: Session, form: DraftForm, draft: Draft) -> str:
    """The editor once more after somebody else changed the draft: what was typed, and how theirs differs."""
    author = staff.names(session).get(draft.author_id, draft.author_id)
    form.seen.data = seen_now(session, draft)
    form.form_errors.append("Somebody else changed this draft since you opened it. Nothing of yours is kept yet.")
    return editor(session, form, draft.policy, draft, conflict=clash(form, draft, author))


def review_page(session: Session, draft: Draft, day: date, form: ReturnForm, language: str = "") -> str:
    """The page on which a draft is read and approved, its text in one language; of a closed one, what became of it."""
    if draft.state not in rules.OPEN:
        return _closed_page(session, draft, language)
    me = current_staff()
    seen = review.review(session, draft, day)
    language = language if language in seen.languages else draft.policy.language
    return render_template(
        "admin/policies/review.html",
        review=seen,
        form=form,
        told=review.told_in(draft, language),
        language=language,
        languages=LANGUAGES,
        look=look(text_of(draft, language), language, seen.base),
        questions=rules.QUESTIONS,
        is_author=me.id in draft.written_by,
        has_approved=me.id in {approval.staff_id for approval in seen.approvals},
        may_write=me.may(May.POLICY),
        may_see_people=me.may(May.SEE_PEOPLE),
        seen=seen_now(session, draft),
    )


def _closed_page(session: Session, draft: Draft, language: str) -> str:
    spoken = review.languages_of(draft)
    language = language if language in spoken else draft.policy.language
    seen = closed(draft, queries.shelf(session, draft.policy), staff.names(session))
    return render_template(
        "admin/policies/closed.html",
        closed=seen,
        spoken=spoken,
        told=review.told_in(draft, language),
        language=language,
        languages=LANGUAGES,
        look=look(text_of(draft, language), language, seen.base),
    )


def seen_whole(form: DraftForm, found: Policy, base: Version | None) -> Whole:
    """What the form says in all its languages, compared with the version it builds on."""
    own = look(form.text.data or "", found.language, base)
    translations = {code: said for code, said in form.translations().items() if code != found.language}
    return whole(own, translations, base)


def fill_in_class(form: DraftForm, seen: Whole) -> None:
    """Fill in the class that a wordless change begins with, never over a choice that somebody made."""
    if form.is_chosen or not form.class_was.data:
        return
    form.change_class.data = form.class_was.data = seen.filled_in.value


def seen_now(session: Session, draft: Draft) -> str:
    """The fingerprint of a draft as it stands."""
    return actions.fingerprint(draft, queries.shelf(session, draft.policy).latest())


def proposed_day(shelf: Shelf) -> date:
    """The effective date that a new draft begins with: lawful, with room for mail that is tried again."""
    return max(rules.proposed_effective(today(), _holidays()), _earliest_day(shelf))


def _earliest_day(shelf: Shelf) -> date:
    base = shelf.latest()
    law = shelf.released[base.number] if base else None
    return rules.earliest_release(rules.ChangeClass.MATERIAL, today(), law, _holidays())


def _date_hint(shelf: Shelf) -> str:
    return (
        f"A material change released today may take effect from {rules.say(_earliest_day(shelf))}; "
        f"{rules.say(proposed_day(shelf))} leaves room for mail that is tried again for five days. "
        f"Leave it empty for a minor or ordinary change to apply at once, or together with the pending version."
    )


def _holidays() -> Container[date]:
    return rules.holidays_of(settings.current().country)
