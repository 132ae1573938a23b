"""The world around the service, as the demo plays it: its processes, a mail server's view, another service.

Everything goes through the real doors: the command line, HTTP, SMTP.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from standardwebhooks import Webhook

from mailer import ids
from mailer.errors import MailerError

COMMAND = (sys.executable, "-m", "mailer.cli")
START_SECONDS = 60.0
T = TypeVar("T")


class NotAsSaid(MailerError):
    """A step of the story did not go as it was told."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


def eventually(look: Callable[[], T | None], what: str, seconds: float = 60.0) -> T:
    """What `look` finds, as soon as it finds something; NotAsSaid if it never does."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise NotAsSaid(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.1)


@dataclass
class World:
    """A running service on a data folder of its own, and the ways to reach it."""

    data_dir: Path
    environment: dict[str, str]
    base: str
    inbound_port: int
    up: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, data_dir: Path) -> World:
        """A fresh world: ports of its own, a database and mail routes as the environment says or else our own."""
        web, inbound, office = free_ports(3)
        environment = os.environ | {
            "MAILER_DATA_DIR": str(data_dir),
            "MAILER_DEMO": "true",
            "MAILER_WEB_PORT": str(web),
            "MAILER_INBOUND_PORT": str(inbound),
            "MAILER_POST_OFFICE_PORT": str(office),
            "MAILER_PUBLIC_URL": f"http://127.0.0.1:{web}",
            "MAILER_SWEEP_SECONDS": "2",
            "MAILER_LEASE_SECONDS": "5",
            "MAILER_SMTP_TIMEOUT_SECONDS": "5",
        }
        return cls(data_dir, environment, f"http://127.0.0.1:{web}", inbound)

    def prepare(self) -> None:
        """Migrate the database; NotAsSaid if the folder or the database holds anything yet."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if any(self.data_dir.iterdir()):
            raise NotAsSaid(f"{self.data_dir} is not empty; the story needs a fresh folder.")
        self.run("migrate")

    def wait(self) -> None:
        """Wait until the service is asked to end."""
        with suppress(KeyboardInterrupt):
            if self.up:
                self.up.wait()

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run a `mailer` command to its end; what it printed. NotAsSaid unless it ends as it should."""
        done = subprocess.run((*COMMAND, *arguments), env=self.environment, capture_output=True, text=True, timeout=120)
        if (done.returncode != 0) != fails:
            raise NotAsSaid(f"mailer {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout + done.stderr

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have `mailer up` run while the block does."""
        with (self.data_dir / "up.log").open("wb") as log:
            self.up = subprocess.Popen((*COMMAND, "up", "--demo"), env=self.environment, stdout=log, stderr=log)
            try:
                eventually(self._is_ready, f"mailer up did not come up; see {self.data_dir / 'up.log'}", START_SECONDS)
                yield
            finally:
                self.up.send_signal(signal.SIGINT)
                try:
                    self.up.wait(20)
                except subprocess.TimeoutExpired:
                    self.up.kill()

    def children(self) -> list[psutil.Process]:
        """The processes that `mailer up` keeps running now."""
        return psutil.Process(self.up.pid).children() if self.up else []

    def send(self, sender: str, recipient: str, data: bytes) -> None:
        """Hand a mail to the inbound door as a mail server would."""
        with smtplib.SMTP("127.0.0.1", self.inbound_port, timeout=20) as smtp:
            smtp.sendmail(sender, [recipient], data)

    def answers(self) -> bool:
        """Whether the pages are there and say that they are ready."""
        try:
            return httpx.get(f"{self.base}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def _is_ready(self) -> bool:
        if self.up and self.up.poll() is not None:
            raise NotAsSaid(f"mailer up ended by itself: {(self.data_dir / 'up.log').read_text()[-2000:]}")
        return self.answers()


@dataclass
class OtherService:
    """Another service: signs its calls, and hears signed events on an address of its own."""

    world: World
    name: str
    secret: str = ""
    token: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def listen(self) -> str:
        """Start to listen; the address to give to the mailer."""
        service = self

        class Ear(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                Webhook(service.secret).verify(body, dict(self.headers))  # raises on a wrong signature: no 204 then
                service.heard.append(json.loads(body) | {"id": self.headers["webhook-id"]})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the story's own lines readable."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/events"

    def close(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def call(self, kind: str, data: dict[str, Any], *, call_id: str | None = None, secret: str = "") -> httpx.Response:
        """One signed webhook call (Standard Webhooks)."""
        at = datetime.now(UTC)
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})
        call_id = call_id or ids.new("evt")
        headers = {
            "webhook-id": call_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(call_id, at, body),
            "content-type": "application/json",
        }
        return httpx.post(f"{self.world.base}/webhooks/{self.name}", content=body, headers=headers, timeout=20)

    def ask(self, path: str) -> dict[str, Any]:
        """Read from the API with the service's token."""
        response = httpx.get(f"{self.world.base}{path}", headers={"authorization": f"Bearer {self.token}"}, timeout=20)
        if response.status_code != 200:
            raise NotAsSaid(f"GET {path} answered {response.status_code}: {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer

    def heard_of(self, kind: str, **data: object) -> list[dict[str, Any]]:
        """The events of a kind that it heard, with these facts."""
        return [e for e in self.heard if e["type"] == kind and all(e["data"].get(k) == v for k, v in data.items())]
