"""A notice says all that the law wants, in both parts, and nothing else (S2, S7, S10)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from mailer.delivery import compose
from mailer.delivery.compose import Rendered
from mailer.notices import actions as notices
from mailer.notices import lint, queries
from mailer.notices.lint import NotDevoted
from mailer.notices.rules import NoticeKind
from mailer.outbox.models import Content, Mailing
from mailer.outbox.rules import MailKind
from mailer.policies import actions as policies
from mailer.policies import queries as policy_queries
from mailer.policies.actions import Translation
from mailer.policies.models import Version
from mailer.policies.ownership import Ownership
from mailer.policies.public import data
from mailer.policies.rules import QUESTIONS, ChangeClass, StillMaterial
from mailer.policies.written import BadText
from tests import factories
from tests.notices.conftest import AT, EFFECTIVE_ON, TODAY, WORDING, Release, fan_out, message_of

OWNER = Ownership(
    "Acme B.V., Utrecht.", "For what they are used for now, and nothing else.", "You may leave, or object."
)
SALE = replace(WORDING, text=factories.POLICY_TEXT, ownership={"": OWNER})


def frozen(session: Session, mailing: Mailing | None, locale: str) -> Content:
    assert mailing is not None
    return session.get_one(Content, mailing.contents[locale])


def seen(session: Session, mailing: Mailing | None, locale: str) -> Rendered:
    return compose.preview(frozen(session, mailing, locale))


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "en",
            (
                "We keep your data for seven years.",
                "Old wording",
                "two years",
                "seven years",
                "The tax office asks for it.",
                "You will notice nothing.",
                "8 January 2027",
                "[respond by on], 24:00 (Amsterdam time)",
                "privacy@leadmark.example",
                "[going on]",
                "Questions",
                "/diff/1..2",
                "/agreements/",
            ),
        ),
        (
            "nl",
            (
                "Oude tekst",
                "8 januari 2027",
                "[respond by on], 24.00 uur (Amsterdam)",
                "Als u het er niet mee eens bent",
                "[going on]",
                "Vragen",
            ),
        ),
    ],
)
def test_both_parts_say_all_of_it(session: Session, release: Release, locale: str, words: tuple[str, ...]) -> None:
    version, mailing = release()
    mail = seen(session, mailing, locale)
    for part in (" ".join(mail.text.split()), " ".join(re.sub(r"<[^>]+>", " ", mail.html).split())):
        for said in words:
            if said.startswith("/") and "<" not in part and "http" not in part:
                continue  # the HTML part has its addresses behind words
            assert said.casefold() in part.casefold() or said == "/agreements/", said
        assert version.sha256 in part.replace(" ", "")
    assert "[agree url]" in mail.text
    assert lint.faults(frozen(session, mailing, locale)) == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "on or before\n\n  [respond by on], 24:00 (Amsterdam time).\n\nWe confirm it by mail.\n"),
        ("nl", "op of voor\n\n  [respond by on], 24.00 uur (Amsterdam).\n\nWij bevestigen het per mail.\n"),
    ],
)
def test_the_last_day_stands_on_a_line_of_its_own(session: Session, release: Release, locale: str, words: str) -> None:
    _, mailing = release()
    assert words in seen(session, mailing, locale).text.replace("bereikt op\nof", "bereikt op of")


def test_going_on_is_agreement_for_most_and_never_for_a_consumer(session: Session, release: Release) -> None:
    anna, bas = factories.contact(session), factories.contact(session)
    bas.is_consumer = True
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    rows = [message_of(session, version, person).row for person in (anna, bas)]
    mails = {mail.row: mail for mail in factories.in_hand(session, rows, AT)}
    notices.fill_in(session, list(mails.values()))
    usual, consumer = (mails[row].facts or {} for row in rows)
    assert "counts as your agreement" in " ".join(usual["going_on"].split())
    assert "does not count as your agreement" in " ".join(consumer["going_on"].split())
    assert consumer["binding_on"] == "once you agree, and not before Friday 8 January 2027"
    assert "only once you agree" in " ".join(consumer["computation"].split())
    assert usual["binding_on"] == "Friday 8 January 2027"
    assert usual["agree_url"] != consumer["agree_url"]


def test_who_is_told_of_two_changes_at_once_reads_so_in_the_second_mail(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    first, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    assert "Another notice" not in seen(session, mailing, "en").text.capitalize()
    author, other = factories.staff(session).id, factories.staff(session).id
    wording = replace(WORDING, text=f"{WORDING.text}\nWe moved.\n", effective_on=EFFECTIVE_ON.replace(month=2))
    draft = policies.draft(session, first.policy, wording.text, author, AT, wording)
    policies.submit(session, draft, author, AT)
    policies.approve(session, draft, other, AT)
    second = policies.release(session, draft, author, AT)
    again = notices.plan(session, second, AT)
    assert again is not None
    text = " ".join(seen(session, again, "en").text.split())
    assert "notice of “Privacy statement”, version 2, which applies from 8 January 2027" in text
    assert "with a last day of its own" in text
    fan_out(session, again)
    assert message_of(session, first, anna).row != message_of(session, second, anna).row


def released_with(session: Session, release: Release, **changes: object) -> tuple[Version, Mailing | None]:
    return release(replace(SALE, **changes))


def test_a_new_owner_is_always_mailed_and_always_on_the_banner(session: Session, release: Release) -> None:
    anna = factories.contact(session)
    version, mailing = release(SALE)
    assert mailing is not None
    assert mailing.kind is MailKind.NOTICE
    mail = seen(session, mailing, "en")
    assert mail.subject == "Leadmark: change of ownership from 8 January 2027"
    assert seen(session, mailing, "nl").subject == "Leadmark: nieuwe eigenaar per 8 januari 2027"
    for said in (OWNER.owner, OWNER.uses, OWNER.choices):
        assert said in " ".join(mail.text.split())
        assert said in mail.html
    fan_out(session, mailing)
    notice = queries.find(session, version.id, anna.id)
    assert notice is not None
    assert notice.kind is NoticeKind.OWNERSHIP
    shelf = policy_queries.shelf(session, version.policy)
    [shown] = data.banner(shelf, TODAY, "http://x", "en")["notices"]
    assert shown["announced"]
    assert "new owner: Acme B.V., Utrecht." in shown["text"]
    assert shown["ownership"] == {"owner": OWNER.owner, "uses": OWNER.uses, "choices": OWNER.choices}


@pytest.mark.parametrize(
    ("changes", "fault", "field"),
    [
        ({"ownership": {"": Ownership("Acme", "", "Leave.")}}, BadText, "ownership_uses"),
        (
            {"translations": {"nl": Translation("Privacyverklaring", "# Tekst\n", "Anders.")}},
            BadText,
            "ownership_owner_nl",
        ),
    ],
)
def test_a_notice_of_a_new_owner_is_whole_in_every_language(
    session: Session, release: Release, changes: dict[str, object], fault: type[BadText], field: str
) -> None:
    with pytest.raises(fault) as found:
        released_with(session, release, **changes)
    assert found.value.field == field


def test_a_new_owner_is_never_less_than_material(session: Session, release: Release) -> None:
    no = dict.fromkeys(QUESTIONS, False)
    with pytest.raises(StillMaterial, match="change of ownership"):
        released_with(session, release, change_class=ChangeClass.ORDINARY, class_reason="x", answers=no)


def test_what_is_said_of_an_owner_is_approved_with_the_text(session: Session) -> None:
    author, other = factories.staff(session).id, factories.staff(session).id
    policy = factories.policy(session, at=AT)
    draft = policies.draft(session, policy, SALE.text, author, AT, SALE)
    before = policies.fingerprint(draft, None)
    policies.submit(session, draft, author, AT)
    policies.edit(session, draft, replace(SALE, ownership={"": replace(OWNER, owner="Other B.V.")}), other, AT)
    assert policies.fingerprint(draft, None) != before
    assert draft.ownership == {"en": {"owner": "Other B.V.", "uses": OWNER.uses, "choices": OWNER.choices}}


@pytest.mark.parametrize(
    ("text", "html", "fault"),
    [
        ("", '<img src="https://t.example/p.gif">', "an image"),
        ("", '<a href="https://shop.example/sale">x</a>', "https://shop.example/sale"),
        ("Unsubscribe here", "", "unsubscribe"),
        ("Now 20% off", "", "20% off"),
        ("Use this voucher", "", "voucher"),
        ("", "<form></form>", "a form"),
        ("", "<p>Nu met korting</p>", "korting"),
        ("", '<p style="background:url(https://t.example/x)">', "background"),
    ],
)
def test_the_lint_sees_what_does_not_belong(text: str, html: str, fault: str) -> None:
    content = Content(text=text, html=html, subject="", url="http://127.0.0.1:8025", locale="en")
    assert any(fault.casefold() in found.casefold() for found in lint.faults(content, quoted=""))
    with pytest.raises(NotDevoted):
        lint.check(content, quoted="")


def test_an_offer_among_the_words_of_a_release_stops_it(session: Session, release: Release) -> None:
    factories.contact(session)
    with pytest.raises(NotDevoted, match="discount"):
        release(replace(WORDING, why="The tax office asks for it. Renew now and get a discount!"))


def test_a_policy_that_speaks_of_discounts_itself_is_quoted(session: Session, release: Release) -> None:
    factories.contact(session)
    text = f"{WORDING.text}\n\nA discount ends with the contract.\n"
    _, mailing = release(replace(WORDING, text=text))
    assert "A discount ends" in seen(session, mailing, "en").text
