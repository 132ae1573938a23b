"""Events out: addressed once, signed, called again until taken, given up in the open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from mailer import doorbell
from mailer.ledger import actions as ledger
from mailer.ledger.models import Event
from mailer.services import actions, calls, queries
from mailer.services.actions import Answer, Keys
from mailer.services.models import EventDelivery, Service
from mailer.services.rules import PAUSES, DeliveryState
from rq_jobs.publish_events import publish_events
from tests.conftest import Configure

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=2)


@dataclass
class Listener:
    """A service's endpoint on loopback; answers with `status` and keeps what it heard."""

    url: str = ""
    status: int = 204
    location: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listener.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(listener.status)
            if listener.location:
                self.send_header("location", listener.location)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


Made = tuple[Service, Keys]


@pytest.fixture
def hearing(session: Session) -> Callable[..., Made]:
    def make(name: str, endpoint: str, *hears: str) -> Made:
        return actions.create(session, name=name, endpoint=endpoint, hears=hears or ("policy.released",), at=AT)

    return make


def deliveries(session: Session) -> list[EventDelivery]:
    session.expire_all()
    return list(session.scalars(select(EventDelivery).order_by(EventDelivery.id)))


def test_an_event_is_addressed_to_those_who_hear_it_and_no_others(
    session: Session, hearing: Callable[..., Made]
) -> None:
    trac, _ = hearing("trac", "http://127.0.0.1:9/")
    hearing("silent", "", "policy.released")
    hearing("deaf", "http://127.0.0.1:9/", "message.bounced")
    gone, _ = hearing("gone", "http://127.0.0.1:9/")
    actions.disable(session, gone, AT)
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.flush()
    assert actions.spread(session, AT) == 1
    assert actions.spread(session, AT) == 0  # twice is once
    assert [row.service_id for row in deliveries(session)] == [trac.id]


def test_a_service_hears_a_signed_call_once(session: Session, hearing: Callable[..., Made], listener: Listener) -> None:
    _, keys = hearing("trac", listener.url)
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.commit()
    assert publish_events() == 1
    assert publish_events() == 0
    [(headers, body)] = listener.heard
    Webhook(keys.secret).verify(body, headers)
    event = session.scalars(select(Event)).one()
    assert headers["webhook-id"] == calls.event_id(event.id)
    assert headers["content-type"] == "application/json"
    assert body == b'{"data":{"version":"ver_1"},"timestamp":"2026-11-02T09:30:00.000000Z","type":"policy.released"}'
    assert deliveries(session)[0].state is DeliveryState.DELIVERED


def test_a_service_that_fails_does_not_hold_up_another(
    session: Session, hearing: Callable[..., Made], listener: Listener
) -> None:
    hearing("trac", listener.url)
    hearing("broken", "http://127.0.0.1:9/")
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.commit()
    assert publish_events() == 1
    by_state = {row.state: row for row in deliveries(session)}
    assert by_state.keys() == {DeliveryState.DELIVERED, DeliveryState.QUEUED}
    assert by_state[DeliveryState.QUEUED].last_error.startswith("ConnectError")


def test_a_service_that_does_not_answer_is_left_alone_with_all_its_events(
    session: Session, hearing: Callable[..., Made]
) -> None:
    silent, _ = hearing("silent", "http://127.0.0.1:9/")
    for number in range(50):
        ledger.tell(session, "policy.released", AT, version=f"ver_{number}")
    session.commit()
    assert publish_events() == 0
    rows = deliveries(session)
    tried = [row for row in rows if row.attempts]
    assert 0 < len(tried) < len(rows), "not every event is tried on a service that is away"
    assert all(row.due_at > datetime.now(UTC) for row in rows)
    assert {row.service_id for row in rows} == {silent.id}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_long_row_of_calls_gives_way_to_a_bell_that_waits(
    session: Session, hearing: Callable[..., Made], listener: Listener, redis_server: Redis
) -> None:
    hearing("trac", listener.url)
    for number in range(25):
        ledger.tell(session, "policy.released", AT, version=f"ver_{number}")
    session.commit()
    doorbell.ring("chores", "rq_jobs.read_mail.read_mail")
    assert publish_events(turn=0) == 20  # one batch, and then the mail is to be read
    assert actions.is_waiting(session, datetime.now(UTC))
    session.commit()
    redis_server.flushall()
    assert publish_events(turn=0) == 5


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 500, 503])
def test_what_is_not_2xx_is_tried_again(
    session: Session, hearing: Callable[..., Made], listener: Listener, status: int
) -> None:
    hearing("trac", listener.url)
    listener.status, listener.location = status, listener.url
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.commit()
    publish_events()
    [waiting] = deliveries(session)
    assert (waiting.state, waiting.attempts, waiting.last_status) == (DeliveryState.QUEUED, 1, status)
    assert len(listener.heard) == 1  # a redirect is not followed
    assert waiting.lease_until is None


def test_after_the_last_try_it_is_a_dead_letter_that_can_be_rung_again(
    session: Session, hearing: Callable[..., Made]
) -> None:
    trac, _ = hearing("trac", "http://127.0.0.1:9/")
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.flush()
    actions.spread(session, AT)
    at = AT
    for _ in range(len(PAUSES) + 1):
        [call] = actions.claim(session, at, LEASE)
        actions.settle(session, call, Answer(500, "the service answered 500"), at)
        at += timedelta(hours=12)
    [dead] = deliveries(session)
    assert (dead.state, dead.attempts) == (DeliveryState.DEAD, 8)
    assert actions.claim(session, at, LEASE) == []
    assert queries.dead_letters(session) == {trac.id: 1}
    actions.call_again(session, dead, at)
    assert [call.attempt for call in actions.claim(session, at, LEASE)] == [1]


def test_a_lease_keeps_others_away_and_ends(session: Session, hearing: Callable[..., Made]) -> None:
    hearing("trac", "http://127.0.0.1:9/")
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.flush()
    actions.spread(session, AT)
    [lost] = actions.claim(session, AT, LEASE)
    assert actions.claim(session, AT + LEASE - timedelta(seconds=1), LEASE) == []
    [taken_over] = actions.claim(session, AT + LEASE, LEASE)
    assert actions.settle(session, lost, Answer(500), AT + LEASE) is None  # fenced: it came back too late
    assert actions.settle(session, taken_over, Answer(204), AT + LEASE) is DeliveryState.DELIVERED


def test_disabling_gives_up_what_is_on_its_way(session: Session, hearing: Callable[..., Made]) -> None:
    trac, _ = hearing("trac", "http://127.0.0.1:9/")
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.flush()
    actions.spread(session, AT)
    [call] = actions.claim(session, AT, LEASE)
    actions.disable(session, trac, AT)
    assert actions.settle(session, call, Answer(204), AT) is None
    assert deliveries(session)[0].state is DeliveryState.DEAD


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_sweep_learns_what_waits(session: Session, hearing: Callable[..., Made]) -> None:
    hearing("trac", "http://127.0.0.1:9/")
    assert not actions.is_waiting(session, AT)
    ledger.tell(session, "policy.released", AT, version="ver_1")
    session.flush()
    assert actions.is_waiting(session, AT)
    actions.spread(session, AT)
    assert actions.is_waiting(session, AT)
    assert not actions.is_waiting(session, AT - timedelta(seconds=1))


def call_to(endpoint: str) -> actions.Call:
    return actions.Call(1, 1, 1, endpoint, "whsec_" + "A" * 44, "policy.released", AT, {})


class TestWhereWeCall:
    """The public network only; on loopback in development."""

    @pytest.mark.parametrize("endpoint", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[fd00::1]/"])
    def test_private_addresses_are_never_called(self, endpoint: str) -> None:
        answer = calls.post(call_to(endpoint))
        assert (answer.status, answer.is_delivered) == (None, False)
        assert "not on the public network" in answer.error

    def test_loopback_is_not_called_in_production(self, configure: Configure, listener: Listener) -> None:
        configure(
            environment="production",
            secret_keys="k" * 40,
            smtp_essential="smtp://mx.example",
            smtp_marketing="smtp://mx.example",
            public_url="https://mailer.example",
        )
        assert calls.post(call_to(listener.url)).status is None
        assert calls.post(call_to(listener.url.replace("127.0.0.1", "localhost"))).status is None
        assert listener.heard == []

    def test_the_host_is_named_though_its_address_is_called(self, listener: Listener) -> None:
        by_name = listener.url.replace("127.0.0.1", "localhost")
        assert calls.post(call_to(by_name)).status == 204
        assert listener.heard[0][0]["host"] == by_name.split("/")[2]

    @pytest.mark.parametrize(
        "endpoint", ["http://no-such-host.invalid/", "http://127.0.0.1:1/", "https://127.0.0.1:1/"]
    )
    def test_what_goes_wrong_is_an_answer(self, endpoint: str) -> None:
        answer = calls.post(call_to(endpoint))
        assert answer.status is None
        assert answer.error
