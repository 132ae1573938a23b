from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from mailer.consent.rules import Channel, Standing, SuppressionReason, Withheld, is_agreement, why_withheld
from mailer.contacts.rules import Origin

S = SuppressionReason
READER = Standing(Origin.SUBSCRIBER, subscribed=frozenset({"news"}))


def reader(**facts: Any) -> Standing:
    return Standing(**({"origin": Origin.SUBSCRIBER, "subscribed": frozenset({"news"})} | facts))


def suppressed(*reasons: SuppressionReason) -> Standing:
    return reader(suppressed=frozenset(reasons))


CASES = [
    # who                                                                  essential              marketing on "news"
    (READER, None, None),
    (reader(origin=Origin.ACCOUNT_HOLDER), None, None),
    (reader(erased=True), Withheld.ERASED, Withheld.ERASED),
    (reader(erased=True, has_address=False), Withheld.ERASED, Withheld.ERASED),
    (suppressed(S.ERASED), Withheld.ERASED, Withheld.ERASED),
    (reader(has_address=False), Withheld.NO_ADDRESS, Withheld.NO_ADDRESS),
    (suppressed(S.HARD_BOUNCE), Withheld.DEAD_ADDRESS, Withheld.DEAD_ADDRESS),
    (suppressed(S.UNSUBSCRIBED), None, Withheld.UNSUBSCRIBED),
    (suppressed(S.COMPLAINT), None, Withheld.COMPLAINED),
    (suppressed(S.MANUAL), None, Withheld.SUPPRESSED),
    (suppressed(S.UNSUBSCRIBED, S.COMPLAINT, S.MANUAL), None, Withheld.UNSUBSCRIBED),
    (reader(closed=True), None, Withheld.CLOSED),
    (reader(left=frozenset({"news"}), subscribed=frozenset()), None, Withheld.UNSUBSCRIBED),
    (reader(left=frozenset({"events"})), None, None),
    (reader(subscribed=frozenset()), None, Withheld.NO_CONSENT),
    (reader(subscribed=frozenset({"events"})), None, Withheld.NO_CONSENT),
    (reader(origin=Origin.THIRD_PARTY), None, Withheld.THIRD_PARTY),
    (reader(origin=Origin.THIRD_PARTY, subscribed=frozenset()), None, Withheld.THIRD_PARTY),
    (Standing(Origin.ACCOUNT_HOLDER), None, Withheld.NO_CONSENT),
]


@pytest.mark.parametrize(("standing", "essential", "marketing"), CASES)
def test_who_may_be_written_to(standing: Standing, essential: Withheld | None, marketing: Withheld | None) -> None:
    assert why_withheld(Channel.ESSENTIAL, None, standing) is essential
    assert why_withheld(Channel.MARKETING, "news", standing) is marketing


def test_marketing_without_a_topic_goes_to_nobody() -> None:
    assert why_withheld(Channel.MARKETING, None, READER) is Withheld.NO_CONSENT


def test_no_word_about_marketing_ever_stops_essential_mail() -> None:
    words = (S.UNSUBSCRIBED, S.COMPLAINT, S.MANUAL)
    for origin, closed, *stands in product(Origin, (False, True), *((False, True) for _ in words)):
        reasons = frozenset(reason for reason, stand in zip(words, stands, strict=True) if stand)
        standing = Standing(origin, left=frozenset({"news"}), suppressed=reasons, closed=closed)
        assert why_withheld(Channel.ESSENTIAL, "news", standing) is None


def test_no_third_party_ever_gets_marketing() -> None:
    for closed, subscribed in product((False, True), (frozenset(), frozenset({"news"}))):
        standing = Standing(Origin.THIRD_PARTY, subscribed=subscribed, closed=closed)
        assert why_withheld(Channel.MARKETING, "news", standing) is Withheld.THIRD_PARTY


@pytest.mark.parametrize(
    ("source", "is_one"),
    [("agreement", True), ("Agreement/ver_1", True), ("agreements of 2026", False), ("web form", False), ("", False)],
)
def test_an_agreement_is_no_source_of_consent(source: str, is_one: bool) -> None:
    assert is_agreement(source) is is_one
