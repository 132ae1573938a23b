"""`mailer dkim …` and `mailer routes …`, and what `mailer doctor` says of routes and keys."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailer import settings
from mailer.cli import main
from mailer.delivery import dkim
from tests.conftest import Configure
from tests.delivery import sink

DOMAIN = "news.leadmark.example"


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(*words: str) -> str:
    """What a command that works writes on stdout."""
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*words: str) -> str:
    """The one sentence of a command that does not."""
    result = run(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


@pytest.fixture
def listed(configure: Configure, tmp_path: Path) -> Path:
    """A file of routes in the settings in force; nothing listens at them."""
    path = tmp_path / "routes.toml"
    path.write_text(
        f'[[route]]\nname = "main"\nchannel = "essential"\nhost = "127.0.0.1"\nport = {closed_port()}\ntls = "none"\n'
        '[[route]]\nname = "news"\nchannel = "marketing"\nhost = "127.0.0.1"\nport = 1\n'
        'user = "mailer"\npassword = "hush-hush"\ndkim = true\nrate = 20\n[route.domains."gmail.com"]\nrate = 2.5\n'
    )
    configure(routes=path)
    return path


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def test_a_key_is_made_used_replaced_and_retired() -> None:
    made = run("dkim", "new", DOMAIN.upper(), "--selector", "one")
    assert re.fullmatch(
        rf'one\._domainkey\.{re.escape(DOMAIN)}\. IN TXT \( "v=DKIM1; k=rsa; p=[^"]{{237}}" "[^"]+" \)\n', made.stdout
    )
    assert f"mailer dkim use {DOMAIN} one" in made.stderr
    assert "PRIVATE" not in made.output
    assert said("dkim", "show", DOMAIN, "one") == made.stdout
    assert said("dkim", "list") == f"{DOMAIN:<30} {'one':<20} waits\n"
    assert said("dkim", "use", DOMAIN, "one") == f"Mail from {DOMAIN} is signed with one from now on.\n"

    said("dkim", "new", DOMAIN, "--selector", "two")
    assert "Leave the record of one as it is until 20" in said("dkim", "use", DOMAIN, "two")
    one, two = said("dkim", "list").splitlines()
    assert "one                  replaced on 20" in one
    assert two.endswith(" signs")
    assert "retire it then, or now with --early" in refused("dkim", "retire", DOMAIN, "one")
    gone = said("dkim", "retire", DOMAIN, "one", "--early")
    assert gone == f'one._domainkey.{DOMAIN}. IN TXT ( "v=DKIM1; k=rsa; p=" )\n'
    assert said("dkim", "show", DOMAIN, "one") == gone
    assert "one                  retired on 20" in said("dkim", "list")
    assert "let another do so first" in refused("dkim", "retire", DOMAIN, "two")


def test_a_key_is_not_written_over() -> None:
    said("dkim", "new", DOMAIN, "--selector", "one")
    assert "is not written over" in refused("dkim", "new", DOMAIN, "--selector", "one")


def test_what_is_no_domain_or_no_key_is_said() -> None:
    assert "is no domain" in refused("dkim", "new", "../../etc")
    assert "is no selector" in refused("dkim", "new", DOMAIN, "--selector", "a/b")
    assert "has no key none" in refused("dkim", "show", DOMAIN, "none")
    assert "has no key none" in refused("dkim", "use", DOMAIN, "none")


def test_where_no_keys_lie_the_list_says_how_to_make_one() -> None:
    result = run("dkim", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "mailer dkim new DOMAIN" in result.stderr


def test_routes_are_listed_without_their_passwords(listed: Path) -> None:
    shown = said("routes", "list")
    main_line, news_line = shown.splitlines()
    assert main_line.startswith("essential  main ")
    assert "not signed in" in main_line
    assert "DKIM by the relay" in main_line
    for words in ("127.0.0.1:1", "tls starttls", "as mailer", "20/s", "2.5/s to gmail.com", f"DKIM for {DOMAIN}"):
        assert words in news_line
    assert "hush" not in shown


def test_without_a_file_the_post_office_is_listed() -> None:
    assert said("routes", "list").count("post-office") == 2


def test_a_mistake_in_the_file_is_one_sentence(listed: Path) -> None:
    listed.write_text(listed.read_text().replace("rate = 20", "rate = 0"))
    assert refused("routes", "list") == f"{listed}: route “news”, rate: it should be greater than 0.\n"


def test_a_route_is_tried_out_and_no_mail_is_sent(configure: Configure) -> None:
    with sink.running() as server:
        configure(smtp_essential=server.url)
        shown = said("routes", "test", "essential", "--to", "anna@people.example")
        assert server.mails == []
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["ok", name] for name in ("address", "connect", "EHLO", "MAIL", "RCPT", "RSET", "QUIT")
    ]


def test_a_route_that_takes_nothing_is_exit_1(configure: Configure) -> None:
    with sink.running(RCPT="550 5.7.1 relaying denied") as server:
        configure(smtp_essential=server.url)
        result = run("routes", "test", "essential", "--to", "anna@people.example")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "FAILED  RCPT      the server said 550 5.7.1 relaying denied"


def test_a_route_that_does_not_exist_is_said(listed: Path) -> None:
    assert refused("routes", "test", "nobody").startswith("There is no route “nobody”; `mailer routes list`")


def test_doctor_knows_every_route_and_its_key(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim, "FRESH_SECONDS", 0.0)
    shown = run("doctor").stdout
    assert re.search(
        r"BAD +smtp main +127\.0\.0\.1:\d+ does not answer as it must \(connect: Connection refused\)", shown
    )
    assert re.search(r"BAD +smtp news +127\.0\.0\.1:1 does not answer", shown)
    assert re.search(rf"BAD +dkim news +no key signs for {DOMAIN}: `mailer dkim new {DOMAIN}`", shown)
    assert "post office" not in shown
    assert "hush" not in shown

    said("dkim", "new", DOMAIN, "--selector", "one")
    said("dkim", "use", DOMAIN, "one")
    assert re.search(rf"ok +dkim news +signs for {DOMAIN} with one", run("doctor").stdout)


def test_doctor_says_that_a_key_cannot_be_read(listed: Path) -> None:
    folder = settings.current().dkim_folder / DOMAIN
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("what")
    assert re.search(r"BAD +dkim news +.*state\.json is broken: delete it", run("doctor").stdout)


def test_doctor_finds_a_route_well(configure: Configure) -> None:
    with sink.running() as server:
        configure(smtp_essential=server.url)
        assert re.search(rf"ok +smtp essential +127\.0\.0\.1:{server.port}, none\n", run("doctor").stdout)


def test_doctor_says_what_is_wrong_with_the_file(listed: Path) -> None:
    listed.write_text("[[route]]\n")
    assert f"{listed}: route 1, name: it is missing." in run("doctor").stdout
