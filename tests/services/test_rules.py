"""What the rules of services decide, case by case."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from mailer.services import rules

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STAMP = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("attempts", "pause"), [(1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18_000), (6, 36_000), (7, 36_000), (8, None)]
)
def test_a_failed_call_is_tried_again_ever_later_and_then_given_up(attempts: int, pause: int | None) -> None:
    expected = None if pause is None else NOW + timedelta(seconds=pause)
    assert rules.next_call_at(attempts, NOW) == expected


@pytest.mark.parametrize(
    ("timestamp", "is_stale"),
    [
        (str(STAMP), False),
        (str(STAMP - 300), False),
        (str(STAMP - 301), True),
        (str(STAMP + 300), False),
        (str(STAMP + 301), True),
        ("0", True),
        ("hello", False),  # no time at all: the signature's business
        ("", False),
        ("9" * 12, True),
        ("9" * 40, False),
        (f"{STAMP - 400}.5", False),
    ],
)
def test_a_call_is_stale_beyond_five_minutes_either_way(timestamp: str, is_stale: bool) -> None:
    assert rules.is_stale(timestamp, NOW) is is_stale


@pytest.mark.parametrize(
    ("text", "is_id"),
    [("evt_1", True), ("a" * 120, True), ("a" * 121, False), ("", False), ("a b", False), ("é", False)],
)
def test_a_webhook_id_is_visible_ascii(text: str, is_id: bool) -> None:
    assert rules.is_webhook_id(text) is is_id


@pytest.mark.parametrize(("ahead", "is_future"), [(-60, False), (0, False), (300, False), (301, True)])
def test_clocks_may_differ_by_five_minutes(ahead: int, is_future: bool) -> None:
    assert rules.is_from_the_future(NOW + timedelta(seconds=ahead), NOW) is is_future


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("trac", True),
        ("trac-billing-2", True),
        ("ab", False),
        ("Trac", False),
        ("2trac", False),
        ("trac-", False),
        ("a/b", False),
    ],
)
def test_a_name_fits_into_an_address(name: str, is_good: bool) -> None:
    assert (rules.why_not_name(name) is None) is is_good


@pytest.mark.parametrize(
    ("url", "in_development", "in_production"),
    [
        ("https://trac.example/events", True, True),
        ("https://trac.example:8443/events?x=1", True, True),
        ("http://127.0.0.1:9000/", True, False),
        ("ftp://trac.example/", False, False),
        ("trac.example/events", False, False),
        ("https:///events", False, False),
        ("https://user:word@trac.example/", False, False),
        ("https://trac.example/#part", False, False),
        ("https://trac.example/a b", False, False),
        ("https://trac.example:99999/", False, False),
        ("https://[::1/", False, False),
        ("https://trac.example/" + "a" * 500, False, False),
    ],
)
def test_an_endpoint_is_a_plain_web_address(url: str, in_development: bool, in_production: bool) -> None:
    assert (rules.why_not_endpoint(url, False) is None) is in_development
    assert (rules.why_not_endpoint(url, True) is None) is in_production


@pytest.mark.parametrize(
    ("address", "in_production", "in_development"),
    [
        ("93.184.215.14", True, True),
        ("2001:4860:4860::8888", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.1.2.3", False, False),
        ("169.254.169.254", False, False),
        ("224.0.0.1", False, False),
        ("fd00::1", False, False),
        ("fec0::1", False, False),
        ("ff0e::1", False, False),
        ("::ffff:10.0.0.1", False, False),
        ("::ffff:8.8.8.8", False, False),
        ("64:ff9b::a00:1", False, False),
        ("2002:a00:1::1", False, False),
        ("0.0.0.0", False, False),
    ],
)
def test_events_go_to_the_public_network_only(address: str, in_production: bool, in_development: bool) -> None:
    assert rules.may_call(ip_address(address), True) is in_production
    assert rules.may_call(ip_address(address), False) is in_development


def test_the_known_ways_round_are_closed(shared: Path) -> None:
    cases = json.loads((shared / "data/vectors/ssrf-addresses.json").read_text())["cases"]
    by_address: dict[str, set[str]] = {}
    for case in cases:
        by_address.setdefault(case["ip"], set()).add(case["class"])
    ours = {
        "ipDenyPrivateRange",
        "ipDenyCGNAT",
        "ipDenyNotGlobalUnicast",
        "ipDenyIPv6Embedding",
        "ipDenySelfConnection",
    }
    for address, classes in by_address.items():
        if classes & ours:
            assert not rules.may_call(ip_address(address), True), address
        elif classes == {"ipAllowDefault"} and not address.startswith(
            "172.16."
        ):  # allowed there by that test's own list
            assert rules.may_call(ip_address(address), True), address
