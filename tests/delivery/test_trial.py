"""Trying a route out: each step in words, up to the first that fails; no mail is sent and no password is shown."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mailer.delivery import routes, trial
from mailer.delivery.routes import Route, Tls
from mailer.delivery.trial import Trial
from tests.certificates import make_certificate
from tests.conftest import Configure
from tests.delivery import sink

TIMEOUT = 10.0
USER, PASSWORD = "mailer", "hush-hush"


def names(tried: Trial) -> list[str]:
    return [step.name for step in tried.steps]


def try_sink(timeout: float = TIMEOUT, to: str = "", **told: str | Callable[[str], str]) -> Trial:
    with sink.running(**told) as server:
        tried = trial.try_out(routes.parse(server.url, "essential"), timeout, to)
        assert server.mails == []
        assert not [line for line in server.commands if line.startswith("DATA")]
        return tried


def test_a_server_that_answers_is_shown_step_by_step(configure: Configure) -> None:
    configure(from_essential="Service <service@leadmark.example>")
    with sink.running() as server:
        server.extensions = ("PIPELINING", "SIZE 1000")
        tried = trial.try_out(routes.parse(server.url, "essential"), TIMEOUT, "anna@people.example")
        assert tried.is_good
        assert [(step.name, step.words) for step in tried.steps] == [
            ("address", "127.0.0.1 is at 127.0.0.1"),
            ("connect", "220 sink.example ready"),
            ("EHLO", "offers PIPELINING, SIZE 1000"),
            ("MAIL", "250 ok"),
            ("RCPT", "250 ok"),
            ("RSET", "250 ok"),
            ("QUIT", "221 bye"),
        ]
        assert "MAIL FROM:<service@leadmark.example>" in [line.split(" size")[0] for line in server.commands]
        assert server.recipients == ["anna@people.example"]
        assert server.mails == []


def test_without_a_recipient_nobody_is_named() -> None:
    assert names(try_sink()) == ["address", "connect", "EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("told", "last", "words"),
    [
        ({"connect": "554 5.7.1 go away"}, "connect", "the server said 554 5.7.1 go away"),
        ({"connect": "drop"}, "connect", "the server closed the connection"),
        ({"connect": "nonsense"}, "connect", "the server gave no answer that SMTP knows"),
        ({"MAIL": "550 5.7.1 not from you"}, "MAIL", "the server said 550 5.7.1 not from you"),
        ({"RCPT": "550 5.1.1 no such user"}, "RCPT", "the server said 550 5.1.1 no such user"),
        ({"RCPT": "450 4.2.1 busy\x1b[31m"}, "RCPT", "the server said 450 4.2.1 busy [31m"),
        ({"RCPT": "drop"}, "RCPT", "the server closed the connection"),
    ],
)
def test_the_first_thing_that_fails_is_the_last_that_is_tried(told: dict[str, str], last: str, words: str) -> None:
    tried = try_sink(to="anna@people.example", **told)
    assert not tried.is_good
    assert (tried.steps[-1].name, tried.steps[-1].words) == (last, words)
    assert all(step.is_good for step in tried.steps[:-1])


def test_an_address_that_would_end_the_command_is_not_sent() -> None:
    for to in ("a@b.example>\r\nDATA", "nobody", "a b@c.example", "jös@people.example"):
        tried = try_sink(to=to)
        assert tried.steps[-1].name == "RCPT"
        assert "is no mail address" in tried.steps[-1].words


def test_a_server_that_hangs_up_at_the_end_is_none_the_worse() -> None:
    with sink.running(RSET="drop") as server:
        tried = trial.try_out(routes.parse(server.url, "essential"), TIMEOUT)
    assert tried.is_good


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tried = trial.try_out(Route("main", "127.0.0.1", port, Tls.NONE), TIMEOUT)
    assert (tried.steps[-1].name, tried.steps[-1].words) == ("connect", "Connection refused")


def test_a_name_that_does_not_exist_is_said() -> None:
    tried = trial.try_out(Route("main", "no-such-host.invalid", 25, Tls.NONE), TIMEOUT)
    assert names(tried) == ["address"]
    assert not tried.is_good


def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tried = trial.try_out(Route("main", "127.0.0.1", silent.getsockname()[1], Tls.NONE), 0.3)
    assert (tried.steps[-1].name, tried.steps[-1].words) == ("connect", "the server took too long")


def test_a_server_that_offers_no_starttls_is_said() -> None:
    with sink.running() as server:
        tried = trial.try_out(routes.parse(server.url.replace("smtp:", "smtp+starttls:"), "essential"), TIMEOUT)
    assert tried.steps[-1].name == "STARTTLS"
    assert "STARTTLS extension not supported" in tried.steps[-1].words


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


class _Signed:
    """Takes one user with one password."""

    def __call__(self, server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
        return AuthResult(success=good, handled=good)


@contextmanager
def relay(certificate: tuple[Path, Path], tls: Tls) -> Iterator[Route]:
    """A relay that wants TLS and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    way = {"ssl_context": context} if tls is Tls.IMPLICIT else {"tls_context": context, "require_starttls": True}
    controller = Controller(
        object(), "127.0.0.1", 0, authenticator=_Signed(), auth_require_tls=tls is Tls.STARTTLS, **way
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield Route("main", "127.0.0.1", controller.port, tls, USER, PASSWORD)
    finally:
        controller.stop()


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_secrecy_and_signing_in_are_shown(
    certificate: tuple[Path, Path], tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with relay(certificate, tls) as route:
        tried = trial.try_out(route, TIMEOUT)
    assert tried.is_good, tried.steps
    said = {step.name: step.words for step in tried.steps}
    assert said["TLS"].startswith("TLSv1.3; a good certificate for server.example, 127.0.0.1, until ")
    assert said["AUTH"] == "signed in as mailer"
    middle = ["STARTTLS", "TLS", "EHLO"] if tls is Tls.STARTTLS else []
    first = ["address", "connect", *(["TLS"] if tls is Tls.IMPLICIT else []), "EHLO"]
    assert names(tried) == [*first, *middle, "AUTH", "QUIT"]


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_certificate_that_nobody_vouches_for_ends_the_trial(certificate: tuple[Path, Path], tls: Tls) -> None:
    with relay(certificate, tls) as route:
        tried = trial.try_out(route, TIMEOUT)
    assert tried.steps[-1].name == ("STARTTLS" if tls is Tls.STARTTLS else "connect")
    assert tried.steps[-1].words.startswith("the certificate is not good: self")


def test_a_wrong_password_is_said_and_not_shown(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with relay(certificate, Tls.STARTTLS) as route:
        tried = trial.try_out(replace(route, password="wrong-one"), TIMEOUT)
    assert (tried.steps[-1].name, tried.is_good) == ("AUTH", False)
    assert tried.steps[-1].words.startswith("the server said 535")
    assert "wrong-one" not in repr(tried)


def test_a_server_that_repeats_the_password_is_not_repeated() -> None:
    told = {"connect": "554 I know hush-hush and aHVzaC1odXNo and AG1haWxlcgBodXNoLWh1c2g="}
    with sink.running(**told) as server:
        route = replace(routes.parse(server.url, "essential"), user=USER, password=PASSWORD)
        tried = trial.try_out(route, TIMEOUT)
    assert tried.steps[-1].words == "the server said 554 I know *** and *** and ***"
