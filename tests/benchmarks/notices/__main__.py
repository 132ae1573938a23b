"""`make bench-notices`: how quick the officer's pages are with a million notices.

Each page is asked of the whole app five times on each database, once it was shown; the median counts, so that a
neighbour on the machine does not. Beside them stand what counting the rows would take, and what the counts cost
whoever writes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text

from mailer import clock, db, settings
from mailer.app import create_app
from mailer.migrations import migrate
from mailer.staff.rules import Role
from tests import factories
from tests.benchmarks.notices import fill
from tests.benchmarks.sending import postgres

LIMIT_MILLISECONDS = 300
ROUNDS = 5
TODAY = fill.AT.replace(month=12, day=20)
BATCH = 500
COUNT = "SELECT state, count(*) FROM notices WHERE version_id = :version GROUP BY state"
SETTLE = (
    "UPDATE notices SET state = 'accepted', notified_on = '2026-11-20', respond_by_on = '2026-12-21', "
    "binding_on = '2026-12-22', updated_at = :at WHERE id IN (SELECT id FROM notices WHERE version_id = :version "
    "AND state = 'planned' LIMIT :batch)"
)
Asked = Callable[[], object]


def pages(client: FlaskClient, version_id: str, people: int) -> dict[str, Asked]:
    """The pages and parts that are measured, by what a person would call them."""
    here, middle = f"/admin/notices/{version_id}", f"con_{people // 2:026d}"

    def get(path: str) -> Asked:
        return lambda: _must_show(client.get(path).status_code)

    def find(words: str, query: str = "") -> Asked:
        return lambda: _must_show(client.post(f"{here}/find{query}", data={"words": words}).status_code)

    filters = ("planned", "accepted", "open", "late", "unreached", "ended", "terminated", "deemed", "agreed")
    return {
        "all versions": get("/admin/notices/"),
        "the version's page": get(here),
        "its part that renews itself": get(f"{here}/progress?stand=sending"),
        "the list from its middle": get(f"{here}?after={middle}"),
        **{f"only {state}": get(f"{here}?state={state}") for state in filters},
        "only deemed, from the middle": get(f"{here}?state=deemed&after={middle}"),
        "only unreached, of one reason": get(f"{here}?state=unreached&reason=bounced"),
        "one person": get(f"{here}/people/con_{people // 2 + 50:026d}"),
        "found by address": find(f"person{people // 3}@d{people // 3 % 5000}.example"),
        "found by id": find(middle),
        "found by a part of many names": find("van"),
        "found by a part of one name": find(f"person {people - 3}"),
        "found by a part of one address": find(f"rson{people - 3}@"),
        "found by a name nobody has": find("zzzz"),
    }


def measure(client: FlaskClient, version_id: str, people: int) -> dict[str, float]:
    """Milliseconds of each page."""
    return {name: _median(asked) for name, asked in _warm(client, version_id, people)}


def _warm(client: FlaskClient, version_id: str, people: int) -> Iterator[tuple[str, Asked]]:
    for name, asked in pages(client, version_id, people).items():
        asked()
        yield name, asked


def counting(version_id: str) -> float:
    """Milliseconds that counting the rows by their state takes, were it done."""
    with db.reading() as session:
        return _median(lambda: session.execute(text(COUNT), {"version": version_id}).all())


def settling(version_id: str) -> float:
    """Milliseconds of an UPDATE of a batch of notices, the keeping of the counts included."""
    given = {"version": version_id, "batch": BATCH, "at": "2026-11-20 10:00:00.000000"}

    def settle() -> None:
        with db.transaction() as session:
            session.execute(text(SETTLE), given)

    return _median(settle)


def _median(asked: Asked) -> float:
    return statistics.median(_timed(asked) for _ in range(ROUNDS))


def _timed(asked: Asked) -> float:
    begin = time.perf_counter()
    asked()
    return (time.perf_counter() - begin) * 1000


def _must_show(status: int) -> None:
    if status != 200:
        raise SystemExit(f"A page answered {status}: nothing was measured.")


@contextmanager
def filled(database: str, people: int) -> Iterator[tuple[FlaskClient, str]]:
    """Somebody signed in at an app whose database, made for this, holds so many notices; and their version."""
    with tempfile.TemporaryDirectory(prefix="mailer-notices-") as folder:
        os.environ |= {"MAILER_DATA_DIR": folder, "MAILER_DEMO": "true"}
        if database == "postgresql":
            with postgres.running() as server:
                os.environ["MAILER_DATABASE_URL"] = server.new_database()
                yield from _opened(people)
                db.engine().dispose()
        else:
            os.environ["MAILER_DATABASE_URL"] = f"sqlite:///{Path(folder) / 'mailer.db'}"
            yield from _opened(people)
            db.engine().dispose()


def _opened(people: int) -> Iterator[tuple[FlaskClient, str]]:
    settings.current.cache_clear()
    db.engine.cache_clear()
    migrate()
    clock.move_to(TODAY)
    with db.transaction() as session:
        version_id = fill.add(session, people).id
        who = factories.staff(session, *Role)
    if db.engine().dialect.name == "postgresql":  # as autovacuum would, a minute later
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/admin/sign-in", data={"email": who.email, "password": factories.PASSWORD})
    yield client, version_id


def main() -> int:
    """Measure, print a table, and answer 1 if a page is slower than it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    chosen = parser.parse_args()
    slow = []
    for database in chosen.database or ["sqlite", "postgresql"]:
        with filled(database, chosen.people) as (client, version_id):
            print(f"{database}, {chosen.people:,} notices, milliseconds")
            for name, took in measure(client, version_id, chosen.people).items():
                slow += [name] if took > LIMIT_MILLISECONDS else []
                print(f"{took:9.1f}  {name}{'  TOO SLOW' if took > LIMIT_MILLISECONDS else ''}")
            print(f"{counting(version_id):9.1f}  (counting the rows by state, which no page does)")
            print(f"{settling(version_id):9.1f}  (an UPDATE of {BATCH} notices, with its counts)")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
