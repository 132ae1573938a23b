from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailer.delivery.pump import ROUNDS, SOON, Job, Pump, _Opening
from mailer.delivery.routes import Tls
from mailer.outbox.rules import Outcome
from tests.certificates import make_certificate
from tests.chaos import sink
from tests.chaos.sink import Control, Deed, Moment, Record, Rule
from tests.delivery.pumping import Feeder, drain, feeder, job, route, turn_until

ACCEPTED, DEFERRED, REFUSED, IN_DOUBT = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.IN_DOUBT
BIG = b"Subject: x\r\n\r\n" + b"a line of a mail that no socket takes at once\r\n" * 600_000

Serve = Callable[..., AbstractContextManager[Control]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of a server on 127.0.0.1, its own authority."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("certificate"))
    path = certificate.with_name("both.pem")
    path.write_bytes(certificate.read_bytes() + key.read_bytes())
    return path


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "mails.jsonl"


@dataclass
class Way:
    """How a server is talked to."""

    record: Path
    certificate: Path
    pipelining: bool
    tls: Tls

    def serve(self, *rules: Rule, delay: float = 0.0, seed: int = 0) -> AbstractContextManager[Control]:
        tls = sink.server_tls(self.certificate) if self.tls is not Tls.NONE else None
        return sink.running(
            *rules,
            record=self.record,
            pipelining=self.pipelining,
            tls=tls,
            is_implicit=self.tls is Tls.IMPLICIT,
            delay=delay,
            seed=seed,
        )

    def drain(self, feed: Feeder, server: Control, connections: int = 1, timeout: float = 5.0) -> Feeder:
        return drain(feed, route(server.port, self.tls), connections=connections, timeout=timeout)


@pytest.fixture(params=["pipelined", "step by step", "pipelined over TLS", "step by step over TLS"])
def way(request: pytest.FixtureRequest, record: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Way:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = Tls.STARTTLS if "TLS" in request.param else Tls.NONE
    return Way(record, certificate, "pipelined" in request.param, tls)


@pytest.fixture
def plain(record: Path, certificate: Path) -> Way:
    return Way(record, certificate, pipelining=True, tls=Tls.NONE)


# what a server says or does becomes one outcome


@pytest.mark.parametrize(
    ("rule", "outcome", "code"),
    [
        (Rule(Moment.DOT), ACCEPTED, 250),
        (Rule(Moment.DOT, text="251 2.0.0 kept"), ACCEPTED, 251),
        (Rule(Moment.DOT, text="451 4.3.0 later"), DEFERRED, 451),
        (Rule(Moment.DOT, text="452 4.3.1 no room"), DEFERRED, 452),
        (Rule(Moment.DOT, text="421 4.3.2 closing"), DEFERRED, 421),
        (Rule(Moment.DOT, text="552 5.3.4 too big"), REFUSED, 552),
        (Rule(Moment.DOT, text="554-5.7.1 spam\r\n554 5.7.1 go away"), REFUSED, 554),
        (Rule(Moment.DOT, text="354 what"), IN_DOUBT, 354),
        (Rule(Moment.DOT, text="nonsense"), IN_DOUBT, 0),
        (Rule(Moment.DOT, text="554" + " and on" * 2000), IN_DOUBT, 0),
        (Rule(Moment.DOT, Deed.DROP), IN_DOUBT, 0),
        (Rule(Moment.DOT, Deed.HALF), IN_DOUBT, 0),
        (Rule(Moment.DOT, Deed.DRIP, seconds=0.2), ACCEPTED, 250),
        (Rule(Moment.DOT, Deed.THEN_CLOSE), ACCEPTED, 250),
        (Rule(Moment.DATA, text="451 4.3.0 later"), DEFERRED, 451),
        (Rule(Moment.DATA, text="421 4.3.2 closing"), DEFERRED, 421),
        (Rule(Moment.DATA, text="554 5.6.0 no"), REFUSED, 554),
        (Rule(Moment.DATA, text="250 odd"), DEFERRED, 250),
        (Rule(Moment.DATA, text="nonsense"), DEFERRED, 0),
        (Rule(Moment.DATA, Deed.DROP), DEFERRED, 0),
        (Rule(Moment.DATA, Deed.HALF), DEFERRED, 0),
        (Rule(Moment.RCPT, text="251 will forward"), ACCEPTED, 250),
        (Rule(Moment.RCPT, text="450 4.2.1 mailbox busy"), DEFERRED, 450),
        (Rule(Moment.RCPT, text="421 4.3.2 closing"), DEFERRED, 421),
        (Rule(Moment.RCPT, text="550 5.1.1 no such user"), REFUSED, 550),
        (Rule(Moment.RCPT, text="552 5.2.2 full"), REFUSED, 552),
        (Rule(Moment.RCPT, text="nonsense"), DEFERRED, 0),
        (Rule(Moment.RCPT, Deed.DROP), DEFERRED, 0),
        (Rule(Moment.RCPT, Deed.GREYLIST, text="451 4.7.1 come again"), DEFERRED, 451),
        (Rule(Moment.MAIL, Deed.DRIP, seconds=0.2), ACCEPTED, 250),
        (Rule(Moment.MAIL, text="451 4.3.0 later"), DEFERRED, 451),
        (Rule(Moment.MAIL, text="452 4.3.1 no room"), DEFERRED, 452),
        (Rule(Moment.MAIL, text="421 4.3.2 closing"), DEFERRED, 421),
        (Rule(Moment.MAIL, Deed.DROP), DEFERRED, 0),
    ],
    ids=lambda value: f"{value.at} {value.deed} {value.text[:12]}" if isinstance(value, Rule) else "",
)
def test_what_a_server_says_becomes_one_outcome(way: Way, rule: Rule, outcome: Outcome, code: int) -> None:
    feed = feeder()
    with way.serve(rule) as server:
        way.drain(feed, server)
    (answer,) = feed.answers["one"]
    assert (answer.outcome, answer.code, answer.route) == (outcome, code, "relay")
    assert feed.back == feed.down == []
    assert bool(feed.begun) == (rule.at is Moment.DOT or outcome is ACCEPTED)
    assert len(Record.load(way.record).accepted) == (outcome is ACCEPTED)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(Moment.CONNECT, text="421 4.3.2 too busy"), "could not connect: (421"),
        (Rule(Moment.CONNECT, text="554 5.7.1 go away"), "could not connect: (554"),
        (Rule(Moment.CONNECT, Deed.DROP), "could not connect: "),
        (Rule(Moment.CONNECT, Deed.HALF), "could not connect: "),
        (Rule(Moment.EHLO, Deed.DROP), "could not connect: "),
        (Rule(Moment.EHLO, text="421 4.3.2 closing"), "could not connect: "),
        (Rule(Moment.MAIL, text="550 5.7.1 not from you"), "the server does not take mail from us: 550 5.7.1 not"),
        (Rule(Moment.MAIL, text="530 5.7.0 sign in first"), "the server does not take mail from us: 530"),
    ],
    ids=lambda value: f"{value.at} {value.deed} {value.text[:12]}" if isinstance(value, Rule) else "",
)
def test_what_concerns_us_as_a_sender_takes_the_route_down_and_gives_the_mail_back(
    way: Way, rule: Rule, words: str
) -> None:
    feed = feeder()
    with way.serve(rule) as server:
        way.drain(feed, server)
    assert feed.answers == {}
    assert feed.down[0].startswith(words)
    assert len(feed.jobs) + len(feed.back) == 1


def test_a_server_that_is_not_there_takes_the_route_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    feed = drain(feeder(), route(port))
    assert feed.down[0].startswith("could not connect: ")
    assert (len(feed.jobs), feed.answers) == (1, {})


def test_a_connection_that_is_made_while_its_pump_closes_does_not_stay_open(record: Path) -> None:
    with sink.running(record=record) as server:
        road = SimpleNamespace(route=route(server.port))
        opening = _Opening(road, 5, done=_Opening.give_up)  # type: ignore[arg-type]  # nobody takes it any more
        opening.run()
        assert opening.error == ""
        assert opening.smtp is not None
        assert opening.smtp.sock is None


def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        feed = drain(feeder(), route(silent.getsockname()[1]), timeout=0.3)
    assert feed.down == ["could not connect: the server took too long"] or "timed out" in feed.down[0]


def test_a_greeting_in_drops_does_not_stretch_the_time(plain: Way) -> None:
    at = time.monotonic()
    with plain.serve(Rule(Moment.CONNECT, Deed.DRIP, seconds=20)) as server:  # a byte every 0.7 s
        feed = plain.drain(feeder(), server, timeout=1.5)
        assert feed.down[0].startswith("could not connect: ")
        while [thread for thread in threading.enumerate() if thread.name == "smtp relay"]:
            assert time.monotonic() - at < 15, "it still reads"
            time.sleep(0.02)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_server_whose_certificate_is_not_known_gets_no_mail(record: Path, certificate: Path, tls: Tls) -> None:
    way = Way(record, certificate, pipelining=True, tls=tls)
    feed = feeder()
    with way.serve() as server:
        way.drain(feed, server)
        assert server.counts()["rows"] == 0
    assert "CERTIFICATE_VERIFY_FAILED" in feed.down[0]


def test_a_server_that_offers_no_starttls_gets_no_mail_in_the_clear(plain: Way) -> None:
    feed = feeder()
    with plain.serve() as server:
        drain(feed, route(server.port, Tls.STARTTLS))
    assert "STARTTLS" in feed.down[0]
    assert (len(feed.jobs), Record.load(plain.record).rows) == (1, ())


@pytest.mark.parametrize("rule", [Rule(Moment.STARTTLS, Deed.DROP), Rule(Moment.STARTTLS, text="454 4.7.0 not now")])
def test_starttls_that_is_promised_and_broken_takes_the_route_down(record: Path, certificate: Path, rule: Rule) -> None:
    way = Way(record, certificate, pipelining=True, tls=Tls.STARTTLS)
    feed = feeder()
    with way.serve(rule) as server:
        way.drain(feed, server)
    assert feed.down[0].startswith("could not connect: ")
    assert (len(feed.jobs), feed.begun) == (1, [])


def test_tls_from_the_first_byte(record: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    way = Way(record, certificate, pipelining=True, tls=Tls.IMPLICIT)
    feed = feeder(*[job(number) for number in range(20)])
    with way.serve() as server:
        way.drain(feed, server, connections=2)
    assert feed.outcomes == [ACCEPTED] * 20


# many mails on few connections


def test_a_connection_carries_many_mails_and_goes_on_after_a_refusal(way: Way) -> None:
    people = ["anna@x.example", "bad@x.example", "carl@x.example", "bad@x.example", "bad@x.example", "dora@x.example"]
    feed = feeder(*[job(number, to) for number, to in enumerate(people)])
    with way.serve(Rule(Moment.RCPT, text="550 5.1.1 nobody", to="bad@*")) as server:
        way.drain(feed, server)
        assert server.counts()["connections"] == 1
    assert feed.outcomes == [REFUSED if "bad" in to else ACCEPTED for to in people]
    assert [row.envelope_to for row in Record.load(way.record).accepted] == [to for to in people if "bad" not in to]


@pytest.mark.parametrize("at", [Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT])
def test_after_any_refusal_the_next_mail_goes_as_if_nothing_was(way: Way, at: Moment) -> None:
    feed = feeder(*[job(number) for number in range(6)])
    with way.serve(Rule(at, text="451 4.3.0 not this one", first=3, times=2)) as server:
        way.drain(feed, server)
        assert server.counts()["connections"] == 1
    assert feed.outcomes == [ACCEPTED, ACCEPTED, DEFERRED, DEFERRED, ACCEPTED, ACCEPTED]


def test_the_next_envelope_goes_with_the_body_while_mails_wait() -> None:
    with canned() as server:
        feed = feeder(*[job(number) for number in range(3)])
        drain(feed, route(server.port))
    assert feed.outcomes == [ACCEPTED] * 3
    envelope = b"MAIL FROM:<bounce+x@reply.example>\r\nRCPT TO:<anna@people.example>\r\nDATA\r\n"
    bodies = [f"Message-ID: <{number}@x.example>\r\n\r\nHello {number}\r\n.\r\n".encode() for number in range(3)]
    assert server.pieces == [envelope, bodies[0] + envelope, bodies[1] + envelope, bodies[2], b"QUIT\r\n"]


@pytest.mark.parametrize(
    ("heard", "waits"),
    [
        ([False], [1.0]),
        ([True, True, False], [1.0, SOON, SOON]),
        ([True] * 9, [1.0] + [SOON] * (ROUNDS - 1)),
    ],
)
def test_a_turn_listens_on_while_servers_speak_and_not_for_ever(
    heard: list[bool], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = Pump([], feeder(), 1, 5.0)
    waited: list[float] = []
    said = iter(heard)

    def round_(wait: float) -> bool:
        waited.append(wait)
        return next(said)

    with monkeypatch.context() as changed:
        changed.setattr(pump, "_round", round_)
        pump.turn(1.0, 0)
    pump.close(0)
    assert waited == waits


def test_nothing_is_written_ahead_where_another_connection_would_be_free(plain: Way) -> None:
    feed = feeder(*[job(number) for number in range(3)])
    with plain.serve(Rule(Moment.DOT, Deed.DRIP, seconds=1.0, times=1)) as server:
        pump = Pump([route(server.port)], feed, 4, 5.0)
        turn_until(pump, feed, lambda: len(feed.answers) == 2)
        assert (len(feed.begun), pump.busy) == (3, 1)  # the slow one alone
        pump.close(3)
    assert feed.outcomes == [ACCEPTED] * 3


def test_many_mails_on_many_connections_go_once_each(way: Way) -> None:
    feed = feeder(*[job(number) for number in range(300)])
    with way.serve() as server:
        way.drain(feed, server, connections=4)
        assert server.counts()["connections"] <= 4
    assert feed.outcomes == [ACCEPTED] * 300
    copies = Record.load(way.record).copies()
    assert {name: len(rows) for name, rows in copies.items()} == {f"<{number}@x.example>": 1 for number in range(300)}
    assert sorted(feed.begun, key=int) == list(range(300))  # type: ignore[arg-type]


def test_a_route_has_no_more_connections_than_it_allows(plain: Way) -> None:
    feed = feeder(*[job(number) for number in range(50)])
    with plain.serve(delay=0.01) as server:
        drain(feed, route(server.port, connections=2), connections=8)
        assert server.counts()["connections"] == 2


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Moment.DOT, Deed.THEN_CLOSE),
        Rule(Moment.MAIL, text="421 4.7.0 enough mails", first=2, times=1),
        Rule(Moment.MAIL, Deed.DROP, first=3, times=1),
        Rule(Moment.RCPT, Deed.DROP, first=3, times=1),
    ],
    ids=lambda rule: f"{rule.at} {rule.deed}",
)
def test_a_server_that_takes_few_mails_a_connection_gets_them_all_once(way: Way, rule: Rule) -> None:
    feed = feeder(*[job(number) for number in range(8)])
    with way.serve(rule) as server:
        way.drain(feed, server)
        assert server.counts()["connections"] >= 2
    assert (feed.outcomes, feed.back) == ([ACCEPTED] * 8, [])
    assert Counter(row.message_id for row in Record.load(way.record).accepted).most_common(1)[0][1] == 1


def test_a_server_that_closes_between_mails_is_not_written_ahead_to_again() -> None:
    with canned(mails_a_connection=2) as server:
        feed = feeder(*[job(number) for number in range(6)])
        drain(feed, route(server.port))
    assert feed.outcomes == [ACCEPTED] * 6
    ahead = [piece for piece in server.pieces if piece.startswith(b"Message-ID") and b"\r\nMAIL" in piece]
    assert len(ahead) <= 2  # the first time it closed told


def test_a_kept_connection_that_was_closed_puts_no_mail_in_doubt(way: Way) -> None:
    feed = feeder(job("before"))
    with way.serve() as server:
        pump = Pump([route(server.port, way.tls)], feed, 2, 5.0)
        turn_until(pump, feed, lambda: feed.answers)
        server.drop_all()
        feed.jobs.append(job("after"))  # it may meet the dead connection before the pump knows
        turn_until(pump, feed, lambda: len(feed.answers) == 2)
        pump.close(1)
    assert feed.outcomes == [ACCEPTED, ACCEPTED]


def test_a_mail_under_which_every_connection_breaks_waits_in_the_end(way: Way) -> None:
    feed = feeder(job("bad", "bad@x.example"), job("good"))
    with way.serve(Rule(Moment.RCPT, Deed.DROP, to="bad@*")) as server:
        way.drain(feed, server)
        assert server.counts()["connections"] in (3, 4)
    (answer,) = feed.answers["bad"]
    assert (answer.outcome, answer.code) == (DEFERRED, 0)
    assert answer.reply.startswith("the connection broke: ")
    assert feed.answers["good"][-1].outcome is ACCEPTED


def test_a_route_that_is_down_does_not_hold_the_other_up(plain: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    feed = feeder(*[job(number) for number in range(5)])
    with plain.serve() as server:
        pump = Pump([route(port, name="dead"), route(server.port, name="alive")], feed, 2, 5.0)
        turn_until(pump, feed, lambda: feed.down and len(feed.answers) == 5)
        pump.close(1)
    assert set(feed.up) == {"alive"}
    assert feed.outcomes == [ACCEPTED] * 5


def test_only_a_route_with_mails_waiting_is_connected_to(plain: Way) -> None:
    feed = feeder()
    with plain.serve() as server:
        pump = Pump([route(server.port, name="busy"), route(server.port, name="quiet")], feed, 2, 5.0)
        until = time.monotonic() + 5
        while not feed.answers and time.monotonic() < until:
            pump.turn(0.05, {"busy": len(feed.jobs)})
        pump.close(1)
        assert server.counts()["connections"] == 1
    assert (feed.up, feed.outcomes) == (["busy"], [ACCEPTED])


def test_a_server_that_wants_no_more_connections_keeps_those_it_has(plain: Way) -> None:
    feed = feeder(*[job(number) for number in range(40)])
    with plain.serve(Rule(Moment.CONNECT, text="421 4.7.0 too many", first=2), delay=0.01) as server:
        plain.drain(feed, server, connections=4)
    assert (feed.outcomes, feed.down) == ([ACCEPTED] * 40, [])


# the last look


def test_a_mail_that_may_not_begin_never_reaches_a_server(way: Way) -> None:
    feed = feeder(*[job(number) for number in range(5)])
    feed.may_begin_ = lambda one: one.ticket != 2
    with way.serve() as server:
        way.drain(feed, server)
    assert (feed.back, feed.begun) == ([2], [0, 1, 3, 4])
    assert feed.outcomes == [ACCEPTED] * 4
    assert [row.message_id for row in Record.load(way.record).rows] == [
        f"<{number}@x.example>" for number in (0, 1, 3, 4)
    ]


def test_the_last_look_comes_when_the_server_waits_for_the_body_and_not_before() -> None:
    with canned() as server:
        feed = feeder()
        known: list[list[bytes]] = []

        def look(_job: Job) -> bool:
            known.append(list(server.pieces))
            return True

        feed.may_begin_ = look
        drain(feed, route(server.port))
    (pieces,) = known
    assert pieces[-1].endswith(b"DATA\r\n")


# time


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (Rule(Moment.MAIL, Deed.SILENCE), DEFERRED),
        (Rule(Moment.RCPT, Deed.SILENCE), DEFERRED),
        (Rule(Moment.DATA, Deed.DRIP, seconds=20), DEFERRED),
        (Rule(Moment.DOT, Deed.SILENCE), IN_DOUBT),
        (Rule(Moment.DOT, Deed.DRIP, seconds=20), IN_DOUBT),
    ],
    ids=lambda value: f"{value.at} {value.deed}" if isinstance(value, Rule) else "",
)
def test_a_transaction_ends_in_time(way: Way, rule: Rule, outcome: Outcome) -> None:
    feed = feeder()
    at = time.monotonic()
    with way.serve(rule) as server:
        way.drain(feed, server, timeout=1.0)
        assert time.monotonic() - at < 10
    (answer,) = feed.answers["one"]
    assert (answer.outcome, answer.code) == (outcome, 0)
    assert answer.reply.endswith("the server took too long")


def test_a_connection_without_work_is_closed_politely(way: Way) -> None:
    feed = feeder()
    with way.serve() as server:
        pump = Pump([route(server.port, way.tls)], feed, 2, 5.0, keep=0.2)
        turn_until(pump, feed, lambda: feed.answers)
        turn_until(pump, feed, lambda: server.counts()["open"] == 0)
        feed.jobs.append(job("later"))
        turn_until(pump, feed, lambda: len(feed.answers) == 2)
        pump.close(1)
    assert feed.outcomes == [ACCEPTED, ACCEPTED]


def test_closing_lets_what_is_under_way_come_to_its_end(way: Way) -> None:
    feed = feeder(*[job(number) for number in range(30)])
    with way.serve(Rule(Moment.DOT, Deed.DRIP, seconds=0.3)) as server:
        pump = Pump([route(server.port, way.tls)], feed, 3, 5.0)
        turn_until(pump, feed, lambda: feed.begun)
        pump.close(5)
        assert pump.busy == 0
        assert server.counts()["open"] == 0
    assert feed.outcomes
    assert set(feed.outcomes) == {ACCEPTED}
    assert len(feed.jobs) + len(feed.back) + len(feed.answers) == 30


@pytest.mark.parametrize("at", [Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT])
def test_what_closing_cuts_is_in_doubt_only_if_its_body_is_out(way: Way, at: Moment) -> None:
    feed = feeder()
    with way.serve(Rule(at, Deed.SILENCE)) as server:
        pump = Pump([route(server.port, way.tls)], feed, 1, 30.0)
        greetings = 3 if way.tls is Tls.STARTTLS else 1
        heard = greetings + [Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT].index(at) + 1
        turn_until(pump, feed, lambda: feed.begun if at is Moment.DOT else server.counts()["commands"] >= heard)
        pump.close(0.2)
    assert (feed.outcomes, feed.back) == (([IN_DOUBT], []) if at is Moment.DOT else ([], ["one"]))


def test_closing_while_connecting_waits_for_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        feed = feeder()
        pump = Pump([route(silent.getsockname()[1])], feed, 2, 30.0)
        pump.turn(0.05, 1)
        at = time.monotonic()
        pump.close(5)
        assert time.monotonic() - at < 2
    assert (len(feed.jobs), feed.down) == (1, [])


# odd servers


def test_a_server_that_wants_a_mail_for_nobody_gets_a_lone_dot(plain: Way) -> None:
    feed = feeder(job("nobody", "nobody@x.example"), job("anna"))
    rules = (
        Rule(Moment.RCPT, text="550 5.1.1 nobody", to="nobody@*"),
        Rule(Moment.DATA, text="354 go on all the same", to="", times=1),
    )
    with plain.serve(*rules) as server:
        plain.drain(feed, server)
        assert server.counts()["connections"] == 1
    assert [(answers[0].outcome, answers[0].code) for answers in feed.answers.values()] == [
        (REFUSED, 550),
        (ACCEPTED, 250),
    ]
    assert feed.begun == ["anna"]
    nothing = Record.load(plain.record).rows[0]
    assert (nothing.outcome, nothing.size) == ("refused", 0)


def test_a_server_that_refuses_the_sender_and_still_wants_the_mail_gets_none() -> None:
    with canned(envelope=b"451 4.3.0 later\r\n250 ok\r\n354 go on\r\n") as server:
        feed = feeder()
        drain(feed, route(server.port))
    assert [(answer.outcome, answer.code) for answer in feed.answers["one"]] == [(DEFERRED, 451)]
    assert (feed.begun, len(server.pieces)) == ([], 1)


def test_a_no_in_the_middle_of_the_body_is_an_answer() -> None:
    with canned(during_body=b"552 5.3.4 too big\r\n") as server:
        feed = feeder(job(data=BIG))
        drain(feed, route(server.port))
    assert [(answer.outcome, answer.code) for answer in feed.answers["one"]] == [(REFUSED, 552)]


def test_a_mail_whose_final_dot_was_not_written_is_not_in_doubt() -> None:
    with canned(during_body=b"") as server:
        feed = feeder(job(data=BIG))
        drain(feed, route(server.port))
    (answer,) = feed.answers["one"]
    assert (answer.outcome, answer.code) == (DEFERRED, 0)
    assert feed.begun == ["one"]


def test_a_big_mail_arrives_whole(way: Way) -> None:
    lines = b"".join(b".%d is a line that begins with a dot\r\n" % number for number in range(100_000))
    data = b"Message-ID: <big@x.example>\r\n\r\n" + lines
    feed = feeder(job("big", data=data), job("small"), job("big too", data=data))
    with way.serve() as server:
        way.drain(feed, server)
    assert feed.outcomes == [ACCEPTED] * 3
    first, _, last = Record.load(way.record).accepted
    assert (first.size, first.sha256) == (len(data), last.sha256)


def test_replies_may_come_in_any_pieces_and_many_lines() -> None:
    replies = b"250-2.1.0 well\r\n250-then\r\n250 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"
    with canned(envelope=replies, in_drops=True) as server:
        feed = feeder(job("one"), job("two"))
        drain(feed, route(server.port))
    assert feed.outcomes == [ACCEPTED, ACCEPTED]


# the wire


@pytest.mark.parametrize(
    "data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"\n", b"a\r\n\n.\r\nMAIL FROM:<x@y>\r\n", b"a\0\r\n"]
)
def test_a_mail_with_a_bare_line_end_is_refused_and_the_next_goes_on(way: Way, data: bytes) -> None:
    feed = feeder(job("good"), job("bad", data=data), job("better"))
    with way.serve() as server:
        way.drain(feed, server)
    assert [answers[0].outcome for _, answers in sorted(feed.answers.items(), key=str)] == [REFUSED, ACCEPTED, ACCEPTED]
    assert feed.answers["bad"][0].code == 0
    assert len(Record.load(way.record).rows) == 2


@pytest.mark.parametrize(
    "to",
    [
        "anna@x.example>\r\nRCPT TO:<bert@x.example",
        "anna@x.example> NOTIFY=NEVER",
        "änna@x.example",
        "",
        "a b@x.example",
    ],
)
def test_an_address_that_is_more_than_one_is_refused_and_never_written(to: str) -> None:
    with canned() as server:
        feed = feeder(job("bad", to), job("good"))
        drain(feed, route(server.port))
    assert [answers[0].outcome for answers in feed.answers.values()] == [REFUSED, ACCEPTED]
    assert b"".join(server.pieces).count(b"RCPT") == 1


def test_no_smuggling_vector_puts_a_bare_line_end_on_the_wire(shared: Path) -> None:
    written = json.loads((shared / "data/vectors/smtp-smuggling-eod.json").read_text())["sequences_from_source"]
    vectors = [vector.encode() for vector in written.values()]
    assert len(vectors) >= 10
    smuggled = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nsmuggled\r\n"
    jobs = [
        job((number, place), data=data)
        for number, vector in enumerate(vectors)
        for place, data in enumerate(
            (
                b"Subject: x\r\n\r\nbefore" + vector + smuggled,
                b"Subject: x\r\n\r\n" + vector + smuggled,
                b"Subject: x\r\n\r\nbefore\r\n" + vector + smuggled,
                vector + smuggled,
                b"Subject: x\r\n\r\nbefore\r\n" + vector,
            )
        )
    ]
    clean = b"Subject: x\r\n\r\nbefore\r\n.\r\n" + smuggled + b".\r\n..\r\n."
    with canned() as server:
        feed = feeder(*jobs, job("clean", data=clean))
        drain(feed, route(server.port))
    wire = b"".join(server.pieces)
    assert wire.count(b"\n") == wire.count(b"\r") == wire.count(b"\r\n")
    assert b"\0" not in wire
    assert [ticket for ticket, answers in feed.answers.items() if answers[0].outcome is not REFUSED] == ["clean"]
    assert wire.count(b"\r\n.\r\n") == 1
    assert b"\r\n..\r\n" + smuggled + b"..\r\n...\r\n..\r\n.\r\n" in wire


# all at once


def test_whatever_goes_wrong_an_answer_says_what_the_server_knows(way: Way) -> None:
    rules = [
        *(Rule(moment, Deed.DROP, chance=0.04) for moment in (Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT)),
        *(Rule(moment, Deed.HALF, chance=0.04) for moment in (Moment.MAIL, Moment.DATA, Moment.DOT)),
        *(Rule(moment, text="421 4.3.2 bye", chance=0.04) for moment in (Moment.MAIL, Moment.RCPT, Moment.DOT)),
        *(
            Rule(moment, text="451 later", chance=0.04)
            for moment in (Moment.MAIL, Moment.RCPT, Moment.DATA, Moment.DOT)
        ),
        *(Rule(moment, text="552 no", chance=0.04) for moment in (Moment.RCPT, Moment.DATA, Moment.DOT)),
        Rule(Moment.DOT, Deed.THEN_CLOSE, chance=0.05),
        Rule(Moment.DOT, Deed.DRIP, seconds=0.05, chance=0.05),
    ]
    feed = feeder(*[job(number) for number in range(200)])
    feed.tries_again = True
    with way.serve(*rules, seed=4) as server:
        way.drain(feed, server, connections=4)
    record = Record.load(way.record)
    accepted, lost = (
        {int(row.message_id[1:].partition("@")[0]) for row in rows}
        for rows in (record.accepted, [row for row in record.rows if row.outcome == "lost"])
    )
    said = {ticket: answers[-1].outcome for ticket, answers in feed.answers.items()}
    assert len(said) == 200
    assert set(said.values()) == {ACCEPTED, REFUSED, IN_DOUBT}
    assert {ticket for ticket, outcome in said.items() if outcome is ACCEPTED} == accepted
    assert {ticket for ticket, outcome in said.items() if outcome is IN_DOUBT} == lost
    assert len(record.accepted) == len(accepted)  # nobody got two


@dataclass
class Canned:
    """A server that says what it is told and keeps every piece as it was read, for what happens on the wire itself."""

    port: int = 0
    pieces: list[bytes] = field(default_factory=list)


@contextmanager
def canned(
    envelope: bytes = b"250 ok\r\n250 ok\r\n354 go on\r\n",
    *,
    mails_a_connection: int = 0,
    during_body: bytes | None = None,
    in_drops: bool = False,
) -> Iterator[Canned]:
    """`during_body` is said, if anything, once a body began and before it ended; then the server hangs up."""
    server = Canned()

    def say(link: socket.socket, words: bytes) -> None:
        for piece in [bytes([one]) for one in words] if in_drops else [words]:
            link.sendall(piece)
            if in_drops:
                time.sleep(0.001)

    def talk(link: socket.socket) -> None:
        link.sendall(b"220 canned\r\n")
        link.recv(1000)
        link.sendall(b"250-canned\r\n250 PIPELINING\r\n")
        mails, rest = 0, b""
        while piece := link.recv(1_000_000):
            server.pieces.append(piece)
            rest += piece
            if during_body is not None and not piece.startswith(b"MAIL"):
                link.sendall(during_body)
                if during_body:
                    link.settimeout(5)
                    while link.recv(1_000_000) and not during_body:
                        pass
                return
            found = rest.find(b"\r\n.\r\n")
            if found >= 0:
                rest = rest[found + 5 :]
                say(link, b"250 kept\r\n")
                mails += 1
                if mails == mails_a_connection:
                    return
            if rest.startswith(b"MAIL") and rest.endswith(b"DATA\r\n"):
                rest = b""
                say(link, envelope)
            if rest == b"QUIT\r\n":
                return

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                link, _ = listener.accept()
                with link, suppress(OSError):
                    talk(link)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
