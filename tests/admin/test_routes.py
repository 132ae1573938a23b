"""Routes: what takes our mail, how it does, and a test that says what the server answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from redis import Redis

from mailer import clock, settings
from mailer.delivery import dkim, dkim_keys
from mailer.delivery.pacing.breaker import Breakers
from mailer.staff.rules import Role
from tests.conftest import Configure
from tests.delivery import sink

SignIn = Callable[..., FlaskClient]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = "/admin/settings/routes/"
ROUTES = """
[[route]]
name = "relay"
channel = "essential"
host = "relay.example"
user = "mailer"
password = "hush-hush"
weight = 2
connections = 1

[[route]]
name = "beside"
channel = "essential"
host = "beside.example"
tls = "implicit"

[[route]]
name = "spare"
channel = "essential"
host = "127.0.0.1"
tls = "none"
order = 2

[[route]]
name = "bulk"
channel = "marketing"
host = "bulk.example"
from = "News <news@new.example>"
envelope_domain = "bounces.new.example"
dkim = true
rate = 2500
warm_up_from = 2026-01-01

[route.domains."slow.example"]
rate = 0.5
"""


@pytest.fixture
def operator(redis_server: Redis, signed_in: SignIn) -> FlaskClient:
    return signed_in(Role.OPERATOR)


@pytest.fixture
def listed(configure: Configure, tmp_path: Path) -> Path:
    """A file of four routes; nothing signs for the last one's domain."""
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES)
    configure(routes=path, reply_domain="reply.company.example")
    return path


def card(page: str, name: str, channel: str = "essential") -> str:
    """What the page says of one route, without its tags' attributes."""
    return page.split(f'<section class="card brakes" aria-labelledby="route-{channel}-{name}">')[1].split("</section>")[
        0
    ]


def test_each_route_says_where_it_is_and_what_it_takes_and_never_its_password(
    operator: FlaskClient, listed: Path
) -> None:
    page = operator.get(PAGE).text
    assert "hush-hush" not in page
    order = [page.index(f">{name} <") for name in ("beside", "relay", "spare", "bulk")]
    assert order == sorted(order)
    relay, spare, bulk = card(page, "relay"), card(page, "spare"), card(page, "bulk", "marketing")
    for words in (
        "relay.example:587",
        "STARTTLS",
        "<dd>mailer</dd>",
        "takes 2 in 3",
        "1 connection a worker",
        "no limit",
    ):
        assert words in relay
    assert "reply.company.example" in relay
    assert "by the relay" in relay
    assert "TLS from the first byte" in card(page, "beside")
    for words in ("everything goes in the clear", "not signed in", "takes all, once no route before it can be reached"):
        assert words in spare
    for words in (
        "News &lt;news@new.example&gt;",
        "bounces.new.example",
        "2,500 a second",
        "0.5 a second to slow.example",
    ):
        assert words in bulk
    assert "Warm since" in bulk
    assert "In use." in bulk


def test_whether_a_key_signs_is_said(operator: FlaskClient, listed: Path) -> None:
    folder = settings.current().dkim_folder
    selector = dkim_keys.make(folder, "new.example", "s1", clock.now()).name.partition(".")[0]
    assert "no key signs for new.example" in card(operator.get(PAGE).text, "bulk", "marketing")
    dkim_keys.use(folder, "new.example", selector, clock.now())
    time.sleep(dkim.FRESH_SECONDS)  # what was read is believed for so long
    assert "here, for new.example, with the key s1" in card(operator.get(PAGE).text, "bulk", "marketing")


def test_a_route_that_is_away_says_so_with_the_servers_words(operator: FlaskClient, listed: Path) -> None:
    Breakers(["relay"]).failed("relay", "554 5.7.1 we do not take you", clock.now(), refuses_us=True)
    relay = card(operator.get(PAGE).text, "relay")
    assert "Not used now" in relay
    assert "It said: 554 5.7.1 we do not take you" in relay


def test_a_file_that_cannot_be_read_is_named_with_what_to_do(operator: FlaskClient, listed: Path) -> None:
    listed.write_text('[[route]]\nname = "relay"\nchannel = "essential"\n')
    page = operator.get(PAGE).text
    assert "no essential mail goes out" in page
    assert "host: it is missing" in page
    assert operator.post(f"{PAGE}essential/relay/test").status_code == 422


def test_without_a_file_the_settings_count(operator: FlaskClient) -> None:
    page = operator.get(PAGE).text
    assert card(page, "post-office") != card(page, "post-office", "marketing")
    assert len(re.findall(r' id="([^"]+)"', page)) == len(set(re.findall(r' id="([^"]+)"', page)))
    assert "They come from the settings" in page


def test_a_test_shows_every_answer_and_sends_nothing(operator: FlaskClient, configure: Configure) -> None:
    with sink.running(RCPT="550 5.1.1 no such user") as server:
        configure(smtp_essential=server.url)
        whole = operator.post(f"{PAGE}essential/essential/test", data={"to": "nobody@people.example"})
        assert server.mails == []
        assert server.recipients == ["nobody@people.example"]
        part = operator.post(f"{PAGE}essential/essential/test", headers={"HX-Request": "true"})
        assert server.recipients == ["nobody@people.example"], "nobody is named unless asked"
    assert whole.status_code == 200
    trial = card(whole.text, "essential")
    assert "would not take mail to this address" in trial
    for words in ("220 sink.example ready", "250 ok", "550 5.1.1 no such user"):
        assert words in trial
    assert 'value="nobody@people.example"' in trial
    assert "It works: mail could go out." in part.text
    assert "<html" not in part.text
    assert 'id="trial-essential-essential"' in part.text


def test_a_server_that_is_away_is_told_as_such(operator: FlaskClient, configure: Configure) -> None:
    with sink.running() as server:
        away = server.url
    configure(smtp_essential=away)
    told = operator.post(f"{PAGE}essential/essential/test").text
    assert "It does not work: mail could not go out." in told
    assert "refused" in told


def test_only_operators_come_in_and_only_a_press_tests(signed_in: SignIn, operator: FlaskClient) -> None:
    for role in (Role.MARKETING, Role.POLICY, Role.AUDITOR):
        other = signed_in(role)
        assert other.get(PAGE).status_code == 403
        assert other.post(f"{PAGE}essential/essential/test").status_code == 403
        assert PAGE not in other.get("/admin/settings/").text
    assert PAGE in operator.get("/admin/settings/").text
    assert operator.get(f"{PAGE}marketing/post-office/test").status_code == 405
    for unknown in ("essential/nowhere", "other/post-office"):
        assert operator.post(f"{PAGE}{unknown}/test").status_code == 404
