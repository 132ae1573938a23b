"""How much one client may bring: strangers a little at a time, our own relays whatever they have."""

from __future__ import annotations

import pytest

from mailer.inbound import throttle
from mailer.inbound.throttle import Throttle


@pytest.fixture
def door() -> Throttle:
    """Sixty mails a minute and two connections a client; 192.0.2.25 is our relay."""
    return Throttle(60, 2, ["192.0.2.25/32", "2001:db8:25::/48"])


def test_a_stranger_brings_so_many_mails_and_then_one_a_second(door: Throttle) -> None:
    assert [door.may_mail("198.51.100.1", 0.0) for _ in range(61)] == [True] * 60 + [False]
    assert not door.may_mail("198.51.100.1", 0.5)
    assert door.may_mail("198.51.100.1", 1.1)
    assert door.may_mail("198.51.100.2", 1.1)


def test_our_relay_brings_everybodys_mail(door: Throttle) -> None:
    assert all(door.may_mail(peer, 0.0) for peer in ("192.0.2.25", "::ffff:192.0.2.25", "2001:db8:25::1") * 500)


def test_a_network_of_ipv6_is_one_client(door: Throttle) -> None:
    assert [door.may_mail(f"2001:db8:1:2::{n:x}", 0.0) for n in range(61)].count(True) == 60
    assert door.may_mail("2001:db8:1:3::1", 0.0)


def test_connections_are_counted_until_they_end(door: Throttle) -> None:
    assert [door.enter("198.51.100.1", 0.0) for _ in range(3)] == [True, True, False]
    door.leave("198.51.100.1", 0.0)
    assert door.enter("198.51.100.1", 0.0)
    assert all(door.enter("192.0.2.25", 0.0) for _ in range(50))


def test_there_is_an_end_for_all_together(door: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_CONNECTIONS", 3)
    assert [door.enter("192.0.2.25", 0.0) for _ in range(4)] == [True, True, True, False]


def test_strangers_together_do_not_keep_our_relay_out(door: Throttle) -> None:
    entered = [door.enter(f"198.51.100.{n}", 0.0) for n in range(200)]
    assert entered == [True] * 150 + [False] * 50
    assert all(door.enter("192.0.2.25", 0.0) for _ in range(50))


def test_only_so_many_clients_are_remembered(door: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_CLIENTS", 5)
    for n in range(50):
        door.may_mail(f"198.51.100.{n}", 0.0)
    assert len(door._clients) == 5


def test_one_that_stays_does_not_keep_the_others_remembered(door: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_CLIENTS", 5)
    assert [door.enter("198.51.100.1", 0.0) for _ in range(2)] == [True, True]
    for n in range(2, 50):
        door.may_mail(f"198.51.100.{n}", 0.0)
    assert len(door._clients) == 5
    assert not door.enter("198.51.100.1", 0.0)


def test_what_is_no_address_is_no_relay(door: Throttle) -> None:
    assert not door.is_relay("a name")
    assert door.enter("a name", 0.0)
