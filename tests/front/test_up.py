"""`mailer up`: one tree of real processes, from an empty folder to a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from mailer import settings, up
from mailer.consent.rules import Channel
from mailer.delivery.routes import BadRoute
from tests.conftest import Configure
from tests.front.processes import alive, environment_pids, family, find, free_port, started, wait_for

BANNER = "Ctrl-C ends all of it."
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


@pytest.fixture
def ports(configure: Configure) -> settings.Settings:
    return configure(web_port=free_port(), inbound_port=free_port(), post_office_port=free_port(), sweep_seconds=1)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def mailer(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mailer.cli", *words], capture_output=True, text=True, check=False)


def test_up_starts_all_minds_its_children_and_ends_cleanly(ports: settings.Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started("up", log=log) as process:
        wait_for(lambda: BANNER in log.read_text() or process.poll() is not None, "it did not come up")
        text = log.read_text()
        assert f"{ports.url}/admin/" in text
        assert "admin@leadmark.example" in text
        assert answers(ports.url)

        second = mailer("up")
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith("Another `mailer up` works on ")
        assert len(second.stderr.splitlines()) == 1

        for name, words in {
            "redis": (),
            "post-office": ("post-office",),
            "worker chores": ("--lane", "chores"),
            "scheduler": ("scheduler",),
            "inbound": ("inbound",),
            "web": ("web",),
        }.items():
            children = psutil.Process(process.pid).children()
            child = find(children, *words) if words else next(c for c in children if "redis" in c.name())
            grandchildren = child.children(recursive=True)
            child.kill()
            said = f"mailer up: {name} ended (SIGKILL); starting it again"
            wait_for(lambda said=said: said in log.read_text(), f"{name}: nobody said so")
            wait_for(lambda kin=grandchildren: not alive(kin), f"{name}: its own children were left behind")
        wait_for(lambda: mailer("doctor").returncode == 0, "not everything came back")
        wait_for(lambda: answers(ports.url), "the pages did not come back")

        everybody = family(process.pid)
        assert len(everybody) >= 9
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert alive(everybody) == []
    assert "Traceback" not in log.read_text()


@LINUX
def test_children_end_when_up_itself_is_killed(ports: settings.Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started("up", log=log) as process:
        wait_for(lambda: BANNER in log.read_text() or process.poll() is not None, "it did not come up")
        assert len(environment_pids(ports.data_dir)) >= 9
        process.kill()
        process.wait()
        wait_for(lambda: environment_pids(ports.data_dir) == [], "children were left behind", 15)


@pytest.mark.parametrize("name", ["web", "inbound", "post_office"])
def test_a_taken_port_is_said_with_the_setting_to_change(ports: settings.Settings, name: str) -> None:
    sentence = f"set MAILER_{name.upper()}_PORT to a free one"
    with (
        socket.create_server(("127.0.0.1", getattr(ports, f"{name}_port"))),
        pytest.raises(up.PortTaken, match=sentence),
    ):
        up.check(settings.current())


def test_a_route_that_cannot_be_read_is_said_before_anything_starts(configure: Configure) -> None:
    with pytest.raises(BadRoute, match="MAILER_SMTP_MARKETING"):
        up.check(configure(smtp_marketing="http://mail.example"))


def test_what_is_configured_elsewhere_is_not_started(configure: Configure) -> None:
    lanes = [f"worker {lane}" for lane in ("essential", "marketing", "marketing 2", "chores")]
    assert [part.name for part in up.parts(settings.current())] == [
        "redis", "post-office", *lanes, "scheduler", "inbound", "web",
    ]  # fmt: skip
    routes = {f"smtp_{channel}": "smtp://127.0.0.1:2525" for channel in Channel}
    config = configure(redis_url="redis://127.0.0.1:6379", **routes)
    assert [part.name for part in up.parts(config)] == [*lanes, "scheduler", "inbound", "web"]


def test_marketing_gives_way_on_the_processor_and_nothing_else_does(configure: Configure) -> None:
    yielding = [part.name for part in up.parts(settings.current()) if part.gives_way]
    assert yielding == ["worker marketing", "worker marketing 2"]
    tree = up.Tree([up.Part("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"), gives_way=7)])
    before = set(psutil.Process().children())
    own = psutil.Process().nice()
    tree.start()
    (child,) = set(psutil.Process().children()) - before
    assert child.nice() == own + 7
    tree.stop()


def test_a_part_that_does_not_start_is_named_and_nothing_is_left(configure: Configure) -> None:
    sleeper = up.Part("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"), is_leaned_on=True)
    broken = up.Part("broken", (sys.executable, "-c", "raise SystemExit(3)"), is_ready=lambda: False)
    tree = up.Tree([sleeper, broken])
    children = psutil.Process(os.getpid()).children
    before = set(children())
    with pytest.raises(up.NotReady, match="broken did not start"):
        tree.start()
    tree.stop()
    assert set(children()) - before == set()


def test_a_child_that_will_not_end_is_killed(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "STOP_SECONDS", 0.5)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    tree = up.Tree([up.Part("stubborn", (sys.executable, "-c", stubborn))])
    before = set(psutil.Process().children())
    tree.start()
    (child,) = set(psutil.Process().children()) - before
    wait_for(lambda: child.status() == psutil.STATUS_SLEEPING, "it did not settle")
    tree.stop()
    assert alive([child]) == []
