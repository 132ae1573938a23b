"""Routes: read from a file with each mistake named in a sentence; chosen by order, health and weight."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailer.consent.rules import Channel
from mailer.delivery import dkim, dkim_keys, routes
from mailer.delivery.routes import BadRoute, Route, Tls
from mailer.settings import BadSettings, Settings
from tests.conftest import Configure
from tests.house.source import ROOT

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
PLAIN = """
[[route]]
name = "main"
channel = "essential"
host = "smtp.example"

[[route]]
name = "news"
channel = "marketing"
host = "news.example"
"""
FULL = """
[[route]]
name = "second"
channel = "marketing"
host = "192.0.2.7"
tls = "none"
order = 2

[[route]]
name = "first"
channel = "marketing"
host = "smtp.example"
port = 2525
tls = "implicit"
user = "mailer"
password = "hush hush"
from = "Example News <news@News.Example.com>"
envelope_domain = "Bounce.news.example.com"
dkim = true
weight = 3
connections = 16
rate = 12.5
warm_up_from = 2026-12-01
[route.domains."gmail.com"]
rate = 5
[route.domains."Outlook.com"]
rate = 0.5

[[route]]
name = "essential"
channel = "essential"
host = "2001:db8::1"
"""
Write = Callable[..., Settings]


@pytest.fixture
def write(configure: Configure, tmp_path: Path) -> Write:
    """`write(text)`: settings with this text as the file of routes."""

    def write(text: str, **values: object) -> Settings:
        path = tmp_path / "routes.toml"
        path.write_text(text, "utf-8")
        return configure(routes=path, **values)

    return write


def only(**said: str) -> str:
    """A file of one good route in which some fields say something else."""
    fields = {"name": '"main"', "channel": '"essential"', "host": '"smtp.example"'} | said
    return "[[route]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items() if value)


def test_everything_a_file_may_say_is_read(write: Write) -> None:
    config = write(FULL)
    first, second = routes.routes_for(Channel.MARKETING, config)
    assert first == Route(
        name="first",
        host="smtp.example",
        port=2525,
        tls=Tls.IMPLICIT,
        user="mailer",
        password="hush hush",
        channel=Channel.MARKETING,
        sent_from="Example News <news@News.Example.com>",
        envelope_domain="bounce.news.example.com",
        dkim=True,
        weight=3,
        order=1,
        connections=16,
        rate=12.5,
        warm_up_from=date(2026, 12, 1),
        domains=(("gmail.com", 5.0), ("outlook.com", 0.5)),
    )
    assert (first.rate_to("GMAIL.com"), first.rate_to("yahoo.com")) == (5.0, None)
    assert routes.signing_domain(first, config) == "news.example.com"
    assert (second.name, second.port, second.weight, second.connections, second.rate) == ("second", 25, 1, 4, None)
    assert routes.routes_for(Channel.ESSENTIAL, config) == (
        Route("essential", "2001:db8::1", 587, Tls.STARTTLS, channel=Channel.ESSENTIAL),
    )
    assert "hush" not in repr(first)


def test_the_file_in_the_documentation_can_be_used(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIN_PASSWORD", "hush hush")
    page = (ROOT / "docs" / "routes.md").read_text("utf-8")
    config = write(page.partition("```toml\n")[2].partition("```")[0])
    assert [route.name for route in routes.routes_for(Channel.ESSENTIAL, config)] == ["main", "spare"]
    assert [route.name for route in routes.routes_for(Channel.MARKETING, config)] == ["news-a", "news-b"]


def test_routes_come_by_order_and_then_by_name(write: Write) -> None:
    entries = [("c", 2), ("b", 1), ("d", 1), ("a", 3)]
    text = "".join(only(name=f'"{name}"', order=str(order)) for name, order in entries)
    config = write(text, smtp_marketing="smtp://127.0.0.1")
    assert [route.name for route in routes.routes_for(Channel.ESSENTIAL, config)] == ["b", "d", "c", "a"]
    assert routes.routes_for(Channel.ESSENTIAL, config)[0].name == "b"
    assert routes.find("c", config) == routes.routes_for(Channel.ESSENTIAL, config)[2]
    assert routes.find("marketing", config) is not None
    assert routes.find("nobody", config) is None


def test_without_a_file_each_channel_has_the_route_of_its_setting(configure: Configure) -> None:
    config = configure(smtp_essential="smtps://me:x@mx.example")
    assert routes.routes_for(Channel.ESSENTIAL, config) == (
        Route("essential", "mx.example", 465, Tls.IMPLICIT, "me", "x", Channel.ESSENTIAL),
    )
    (caught,) = routes.routes_for(Channel.MARKETING, config)
    assert (caught.name, caught.host, caught.port) == ("post-office", "127.0.0.1", config.post_office_port)
    assert caught.channel is Channel.MARKETING


def test_a_file_takes_the_post_office_out_and_serves_production(write: Write) -> None:
    assert not write(PLAIN).catches_mail
    config = write(PLAIN, environment="production", secret_keys="k" * 40, public_url="https://mail.example")
    assert [routes.routes_for(channel, config)[0].name for channel in Channel] == ["main", "news"]


def test_a_file_that_is_not_there_is_a_bad_setting(configure: Configure) -> None:
    with pytest.raises(BadSettings, match=r"^MAILER_ROUTES: there is no file /nowhere/routes\.toml; "):
        configure(routes="/nowhere/routes.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[route]]\nname = \n", "it is no TOML (Invalid value (at line 2, column 8))"),
        ("", "no [[route]] stands in it"),
        ("[route]\nname = 'x'\n", "write [[route]] with two brackets"),
        ("route = ['x']\n", "write [[route]] with two brackets"),
        ("[[routes]]\n", "“routes” is not known; the file holds [[route]] and nothing else"),
        (only(name=""), "route 1, name: it is missing"),
        (only(name='"Main"'), "route “Main”, name: write up to 40 small letters"),
        (only(name='""'), "route 1, name: write up to 40"),
        (only(name="7"), "route 1, name: it should be a valid string"),
        (only(name='"marketing"'), "route “marketing”, name: it is taken"),
        (only(name='"post-office"'), "route “post-office”, name: it is taken"),
        (only() + only(), "route “main”, name: another route has it as well"),
        (only(channel=""), "route “main”, channel: it is missing"),
        (only(channel='"both"'), "route “main”, channel: it should be 'essential' or 'marketing'"),
        (only(channel='["essential", "marketing"]'), "route “main”, channel: it should be"),
        (only(host='"smtp.example:25"'), "route “main”, host: write a host name or an IP address, without a port"),
        (only(host='""'), "route “main”, host: write a host name"),
        (only(host='"-v"'), "route “main”, host: write a host name"),
        (only(port="70000"), "route “main”, port: it should be less than or equal to 65535"),
        (only(port="true"), "route “main”, port: it should be a valid integer"),
        (only(tls='"ssl"'), "route “main”, tls: it should be 'none', 'starttls' or 'implicit'"),
        (only(verify="false"), "route “main”, verify: it is not known; a route has name, channel, host, port, tls"),
        (only(user='"me"'), "route “main”, user: user and password must both be there, or neither"),
        (only(password='"secret"'), "route “main”, user: user and password must both be there, or neither"),
        (only(user='"me"', password='"secret"', tls='"none"'), "route “main”, tls: a password needs starttls"),
        (only(user='"me"', password='"sécret"'), "route “main”, password: it is empty, or has other than plain ASCII"),
        (only(user='"mé"', password='"secret"'), "route “main”, user: it is empty, or has other than plain ASCII"),
        (only(user='"me"', password='""'), "route “main”, password: it is empty"),
        (only(user='"me"', password="1234"), "route “main”, password: it should be a valid string"),
        (only(user='"me"', password='"secret"', password_env='"HOME"'), "password_env: password stands there as well"),
        (only(user='"me"', password_env='"NOT_SET_ANYWHERE"'), "password_env: NOT_SET_ANYWHERE is not set"),
        (only(user='"me"', password_file='"none"'), "none cannot be read (No such file or directory)"),
        (only(**{"from": '"Example"'}), "route “main”, from: it holds no mail address"),
        (only(**{"from": '"a@example"'}), "route “main”, from: it holds no mail address"),
        (only(**{"from": '"a@bücher.example"'}), "route “main”, from: it holds no mail address"),
        (only(**{"from": '"A\\nB <a@b.example>"'}), "route “main”, from: "),
        (only(**{"from": f'"{"x" * 200} <a@b.example>"'}), "route “main”, from: write it in one line of at most 200"),
        (only(envelope_domain='"reply"'), "route “main”, envelope_domain: write a domain like"),
        (only(dkim='"yes"'), "route “main”, dkim: it should be a valid boolean"),
        (only(weight="0"), "route “main”, weight: it should be greater than or equal to 1"),
        (only(order="0"), "route “main”, order: it should be greater than or equal to 1"),
        (only(connections="0"), "route “main”, connections: it should be greater than or equal to 1"),
        (only(rate="0"), "route “main”, rate: it should be greater than 0"),
        (only(rate="inf"), "route “main”, rate: it should be"),
        (only(rate="nan"), "route “main”, rate: it should be"),
        (only(warm_up_from='"soon"'), "route “main”, warm_up_from: it should be a valid date"),
        (only(domains="5"), "route “main”, domains: it should be a valid dictionary"),
        (only(domains='{"gmail.com" = 5}'), "route “main”, domains.gmail.com: it should be"),
        (only(domains='{"gmail.com" = {}}'), "route “main”, domains.gmail.com.rate: it is missing"),
        (only(domains='{"gmail.com" = {rate = -1}}'), "route “main”, domains.gmail.com.rate: it should be greater"),
        (only(domains='{"gmail" = {rate = 1}}'), "route “main”, domains.gmail: write a domain like"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_file_route_and_field(write: Write, text: str, words: str) -> None:
    config = write(text, smtp_marketing="smtp://127.0.0.1")
    with pytest.raises(BadRoute) as refused:
        routes.routes_for(Channel.ESSENTIAL, config)
    said = str(refused.value)
    assert words in said
    assert said.startswith(f"{config.routes}: ")
    assert "\n" not in said
    assert "secret" not in said
    assert "1234" not in said


def test_a_file_that_is_no_text_is_said(write: Write) -> None:
    config = write(PLAIN)
    Path(config.routes).write_bytes(b"\xff\xfe")
    with pytest.raises(BadRoute, match="it is no TOML"):
        routes.routes_for(Channel.ESSENTIAL, config)


def test_a_channel_without_a_route_is_said(write: Write) -> None:
    config = write(only())
    with pytest.raises(BadRoute, match="no route takes marketing mail; add one, or set MAILER_SMTP_MARKETING"):
        routes.routes_for(Channel.MARKETING, config)
    assert routes.routes_for(Channel.ESSENTIAL, config)


def test_a_channel_that_is_configured_twice_is_said_and_the_other_goes_on(write: Write) -> None:
    config = write(PLAIN, smtp_marketing="smtp://127.0.0.1")
    with pytest.raises(BadRoute, match=r"^MAILER_SMTP_MARKETING: .* has routes for marketing mail as well"):
        routes.routes_for(Channel.MARKETING, config)
    assert routes.routes_for(Channel.ESSENTIAL, config)


def test_a_password_comes_from_the_environment_or_from_a_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIN_PASSWORD", "from outside")
    text = only(user='"me"', password_env='"MAIN_PASSWORD"') + only(
        name='"other"', user='"me"', password_file='"kept/other"'
    )
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "other").write_text("from a file\n")
    config = write(text, smtp_marketing="smtp://127.0.0.1")
    found = routes.routes_for(Channel.ESSENTIAL, config)
    assert [route.password for route in found] == ["from outside", "from a file"]


def test_a_password_may_stand_in_dotenv(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").write_text("MAIN_PASSWORD='from dotenv'\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / "env"))
    config = write(only(user='"me"', password_env='"MAIN_PASSWORD"'), smtp_marketing="smtp://127.0.0.1")
    assert routes.routes_for(Channel.ESSENTIAL, config)[0].password == "from dotenv"


def test_a_changed_file_is_read_anew(write: Write) -> None:
    config = write(PLAIN)
    assert routes.routes_for(Channel.ESSENTIAL, config)[0].host == "smtp.example"
    Path(config.routes).write_text(PLAIN.replace("smtp.example", "other.example"))
    assert routes.routes_for(Channel.ESSENTIAL, config)[0].host == "other.example"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://mx.example:70000", "the host or the port cannot be read"),
        ("smtp://mx.example:secret", "the host or the port cannot be read"),
        ("smtps://[::1", "the host or the port cannot be read"),
        ("smtps://me@mx.example", "user and password must both be there"),
        ("smtps://me:s%C3%A9cret@mx.example", "in plain ASCII characters"),
    ],
)
def test_a_setting_that_cannot_work_is_said_without_its_password(url: str, words: str) -> None:
    with pytest.raises(BadRoute, match=words) as refused:
        routes.parse(url, "essential")
    assert "cret" not in str(refused.value)


def test_a_route_that_signs_needs_a_key(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim, "FRESH_SECONDS", 0.0)
    text = only(dkim="true") + only(name='"news"', channel='"marketing"', dkim="true", **{"from": '"n@news.example"'})
    config = write(text, from_essential="Service <service@Example.com>")
    with pytest.raises(BadRoute, match=r"route “main”, dkim: no key signs for example\.com: `mailer dkim new example"):
        routes.check(config)
    for domain in ("example.com", "news.example"):
        with pytest.raises(BadRoute, match=f"dkim: no key signs for {re.escape(domain)}"):
            routes.check(config)
        dkim_keys.make(config.dkim_folder, domain, "one", AT)
        dkim_keys.use(config.dkim_folder, domain, "one", AT)
    routes.check(config)


def test_a_route_that_does_not_sign_needs_none(write: Write) -> None:
    routes.check(write(PLAIN))


def made(name: str, order: int = 1, weight: int = 1) -> Route:
    return Route(name, "mx.example", 25, Tls.NONE, order=order, weight=weight)


@pytest.mark.parametrize(
    ("open_breakers", "chance", "name"),
    [
        ((), 0.0, "a"),
        ((), 0.249, "a"),
        ((), 0.25, "b"),
        ((), 0.999, "b"),
        (("a",), 0.0, "b"),
        (("b",), 0.999, "a"),
        (("a", "b"), 0.0, "c"),
        (("a", "b"), 0.999, "c"),
        (("c",), 0.5, "b"),
        (("a", "b", "c"), 0.5, None),
        (("somebody else's",), 0.1, "a"),
    ],
)
def test_the_lowest_order_that_is_well_takes_the_mail_by_weight(
    open_breakers: tuple[str, ...], chance: float, name: str | None
) -> None:
    found = routes.choose((made("a"), made("b", weight=3), made("c", order=2)), open_breakers, chance)
    assert (found.name if found else None) == name


def test_of_no_routes_none_is_chosen() -> None:
    assert routes.choose((), (), 0.5) is None


def test_shares_are_as_the_weights_say() -> None:
    several = (made("a", weight=1), made("b", weight=2), made("c", weight=5))
    chosen = [routes.choose(several, (), number / 800) for number in range(800)]
    counted = {name: sum(route.name == name for route in chosen if route) for name in "abc"}
    assert counted == {"a": 100, "b": 200, "c": 500}
