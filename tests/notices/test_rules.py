"""Who was told, from when it binds them, who is deemed to agree: tables of cases (S4, S5; invariant 7)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mailer.notices import rules
from mailer.notices.rules import NotAgreed, NoticeFacts, NoticeState
from mailer.policies.rules import holidays_of

RESPOND_BY, BINDING = date(2026, 12, 24), date(2027, 1, 8)


def facts(state: NoticeState = NoticeState.ACCEPTED, **known: object) -> NoticeFacts:
    usual = {"respond_by_on": RESPOND_BY, "binding_on": BINDING, "used_on": date(2027, 1, 8)}
    return NoticeFacts(state, **(usual | known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "today", "answer"),
    [
        (facts(), date(2027, 1, 8), None),
        (facts(), date(2027, 3, 1), None),
        (facts(version_withdrawn=True), date(2027, 3, 1), NotAgreed.WITHDRAWN),
        (facts(NoticeState.PLANNED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(NoticeState.UNREACHED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(NoticeState.ENDED), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(respond_by_on=None), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(binding_on=None), date(2027, 3, 1), NotAgreed.NOT_REACHED),
        (facts(terminated=True), date(2027, 3, 1), NotAgreed.TERMINATED),
        (facts(undecided=True), date(2027, 3, 1), NotAgreed.UNDECIDED),
        (facts(), date(2026, 12, 24), NotAgreed.WINDOW_OPEN),
        (facts(), date(2027, 1, 7), NotAgreed.WINDOW_OPEN),
        (facts(used_on=None), date(2027, 3, 1), NotAgreed.NOT_USED),
        (facts(used_on=date(2027, 1, 7)), date(2027, 3, 1), NotAgreed.NOT_USED),
    ],
)
def test_agreement_is_derived_from_facts(known: NoticeFacts, today: date, answer: NotAgreed | None) -> None:
    assert rules.why_not_agreed(known, today) is answer


@pytest.mark.parametrize(
    ("effective_on", "last_day"),
    [
        (date(2027, 1, 8), date(2026, 12, 8)),  # the thirtieth day is Thursday the 7th
        (date(2027, 1, 11), date(2026, 12, 9)),  # windows that would end on the weekend end on that Monday: too late
        (date(2026, 12, 28), date(2026, 11, 24)),  # nor may they end at Christmas
    ],
)
def test_the_last_day_to_tell_is_the_last_that_keeps_the_promised_day(effective_on: date, last_day: date) -> None:
    holidays = holidays_of("NL")
    assert rules.last_day_to_tell(effective_on, holidays) == last_day
    assert rules.clock_of(last_day, effective_on, holidays).binding_on == effective_on
    later = (rules.clock_of(last_day + timedelta(days=n), effective_on, holidays).binding_on for n in range(1, 8))
    assert all(binding_on > effective_on for binding_on in later)


@pytest.mark.parametrize(
    ("notified_on", "effective_on", "plain_end_on", "respond_by_on", "binding_on"),
    [
        (date(2026, 11, 24), date(2027, 1, 8), date(2026, 12, 24), date(2026, 12, 24), date(2027, 1, 8)),
        (date(2026, 11, 25), date(2027, 1, 8), date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 8)),
        (date(2026, 12, 20), date(2027, 1, 8), date(2027, 1, 19), date(2027, 1, 19), date(2027, 1, 20)),
    ],
)
def test_each_person_has_dates_of_their_own(
    notified_on: date, effective_on: date, plain_end_on: date, respond_by_on: date, binding_on: date
) -> None:
    clock = rules.clock_of(notified_on, effective_on, holidays_of("NL"))
    assert clock == rules.Clock(notified_on, plain_end_on, respond_by_on, binding_on, effective_on)


def test_a_servers_words_are_kept_without_addresses() -> None:
    said = "550 5.1.1 <anna@people.example>: user anna@people.example unknown"
    assert rules.without_addresses(said) == "550 5.1.1 (address): user (address) unknown"
    assert len(rules.without_addresses("x " * 1000)) == rules.WHY_LIMIT


def test_the_key_of_a_notice_begins_as_those_of_its_version_and_no_other() -> None:
    key = rules.key_of("ver_1", "adr_2")
    assert key.startswith(rules.key_of("ver_1"))
    assert not rules.key_of("ver_12", "adr_2").startswith(rules.key_of("ver_1"))
