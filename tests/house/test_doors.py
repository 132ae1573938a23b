"""STYLE §3, §4, §14: the door owns the transaction and reads the clock; actions and rules do neither."""

from __future__ import annotations

import pytest

from tests.house.source import Module, calls, imports, modules

PLUMBING = frozenset({"mailer/db.py", "mailer/ledger/actions.py"})  # the transaction itself, and its hook
BELOW_THE_DOORS = frozenset({"actions", "queries", "rules", "models", "mail"})
NETWORK = frozenset({"flask", "flask_wtf", "flask_login", "httpx", "requests", "smtplib", "socket", "redis", "rq"})
UNKNOWN_TO_RULES = NETWORK | {"sqlalchemy", "mailer.db", "mailer.settings", "mailer.clock", "mailer.doorbell"}


def faults(module: Module) -> list[str]:
    """What a file does that its place forbids."""
    called, imported = set(calls(module)), set(imports(module))
    found = [f"calls {call}" for call in sorted(called) if _ends_transaction(call) and not module.is_door]
    if module.role in BELOW_THE_DOORS and not module.is_door:
        found += [f"reads the clock: {call}" for call in sorted(called & {"clock.now", "now", "datetime.now"})]
        found += [f"imports {name}" for name in sorted(imported) if name.split(".")[0] in NETWORK]
    if module.role == "rules":
        found += [f"imports {name}" for name in sorted(imported & UNKNOWN_TO_RULES)]
    if module.role == "queries":
        found += [f"writes: {call}" for call in sorted(called & {"session.add", "session.delete", "session.flush"})]
        found += [f"writes: {call}" for call in sorted(called & {"insert", "update", "delete"})]
    return found


def _ends_transaction(call: str) -> bool:
    return call in ("transaction", "db.transaction") or call.endswith((".commit", ".begin_nested"))


@pytest.mark.parametrize("module", [m for m in modules() if m.path not in PLUMBING], ids=lambda module: module.path)
def test_a_file_does_only_what_its_place_allows(module: Module) -> None:
    assert faults(module) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("mailer/room/actions.py", "session.commit()"),
        ("mailer/room/actions.py", "with transaction() as session: pass"),
        ("mailer/room/actions.py", "at = clock.now()"),
        ("mailer/room/actions.py", "def send():\n    import smtplib"),
        ("mailer/room/actions.py", "from flask import request"),
        ("mailer/room/queries.py", "session.add(row)"),
        ("mailer/room/queries.py", "session.execute(update(Row))"),
        ("mailer/room/rules.py", "from sqlalchemy import select"),
        ("mailer/room/rules.py", "from mailer import settings"),
        ("mailer/room/other.py", "with db.transaction() as session: pass"),
    ],
)
def test_this_test_sees_a_fault(path: str, source: str) -> None:
    assert faults(Module(path, source)) != []


def test_doors_may_open_a_transaction() -> None:
    source = "with transaction() as session: act(session, at=clock.now())"
    assert [faults(Module(path, source)) for path in ("mailer/room/views.py", "rq_jobs/work.py")] == [[], []]
