"""Heads are published once a day; a chain that was rewritten or cut off does not pass them."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import db
from mailer.cli import main
from mailer.ledger import actions as ledger
from mailer.ledger import merkle, queries
from mailer.ledger.merkle import RUN
from mailer.ledger.models import Event, LedgerHead, LedgerRun
from mailer.ledger.rules import Broken, Whole
from mailer.ledger.tree import LedgerTree
from tests.ledger.test_actions import tamper, write

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
ON = date(2026, 3, 1)


def publish(on: date = ON) -> bool:
    with db.transaction() as session:
        return ledger.publish(session, on, AT)


def hashes(session: Session) -> list[str]:
    return [row[-1] for row in queries.links(session)]


def test_a_head_is_published_once_a_day_and_told_without_anything_personal(session: Session) -> None:
    assert not publish()  # nothing to publish yet
    write(3)
    assert publish()
    write(1)
    assert not publish()
    assert publish(ON + timedelta(days=1))
    later, first = queries.heads(session)
    found = hashes(session)
    assert (first.seq, first.hash, first.root) == (3, found[2], merkle.merkle_root(found[:3]))
    assert (later.seq, later.hash, later.root) == (4, found[3], merkle.merkle_root(found))
    told = session.scalars(select(Event).where(Event.kind == "ledger.published").order_by(Event.id)).all()
    assert told[0].data == {"on": "2026-03-01", "seq": 3, "hash": first.hash, "root": first.root}
    assert len(told) == 2
    assert isinstance(queries.verify(session), Whole)


def test_two_schedulers_publish_one_head(database: str) -> None:
    write(3)
    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(LedgerHead)) == 1
        assert session.scalar(select(func.count()).select_from(Event)) == 1


def test_a_quiet_day_publishes_the_same_head_again(session: Session) -> None:
    write(2)
    assert publish()
    assert publish(ON + timedelta(days=1))
    assert [head.seq for head in queries.heads(session)] == [2, 2]
    assert isinstance(queries.verify(session), Whole)


def test_a_rewritten_chain_does_not_pass_the_published_head(session: Session) -> None:
    write(4)
    publish()
    tamper(session, "DELETE FROM ledger_entries WHERE seq > 2")
    cut = "the ledger ends at entry 2, but the head published on 2026-03-01 is of entry 4"
    assert queries.verify(session) == Broken(3, cut)
    session.commit()
    write(2)  # a chain that is whole in itself
    assert isinstance(queries.verify(session), Broken)


def write_at_once(count: int) -> None:
    with db.transaction() as session:
        for number in range(count):
            ledger.record(session, "test.done", AT, number=number)


def test_the_root_and_the_paths_are_those_of_the_whole_ledger(session: Session) -> None:
    for day, count in enumerate((1, RUN - 1, 3, 2 * RUN, 5)):
        write_at_once(count)
        assert publish(ON + timedelta(days=day))
    found = [merkle.leaf(one) for one in hashes(session)]
    assert session.scalar(select(func.count()).select_from(LedgerRun)) == 3
    for size in (1, 2, RUN - 1, RUN, RUN + 1, 2 * RUN, 2 * RUN + 1, 3 * RUN + 3, len(found)):
        tree, root = LedgerTree(session, size), merkle.root_of(found[:size])
        assert tree.root == root.hex()
        for seq in {1, size // 3 + 1, size // 2 + 1, min(RUN, size), size}:
            path = [bytes.fromhex(one) for one in tree.path(seq)]
            assert merkle.climb(found[seq - 1], seq - 1, size, path) == root
    assert isinstance(queries.verify(session), Whole)


def test_a_head_kept_elsewhere_is_compared(database: str, tmp_path: Path) -> None:
    write(3)
    run = CliRunner()
    kept = run.invoke(main, ["ledger", "head"]).output.strip()
    write(1)
    said = run.invoke(main, ["ledger", "verify", "--head", kept])
    assert said.exit_code == 0
    assert "passes the head of entry 3" in said.output
    file = tmp_path / "kept.txt"
    file.write_text(f"{kept}\n")
    assert run.invoke(main, ["ledger", "verify", "--head", str(file)]).exit_code == 0
    other = run.invoke(main, ["ledger", "verify", "--head", "3:" + "0" * 64])
    assert other.exit_code == 1
    assert "not the one of the head kept elsewhere" in other.output
    beyond = run.invoke(main, ["ledger", "verify", "--head", "9:" + "0" * 64])
    assert "ends at entry 4" in beyond.output
    bad = run.invoke(main, ["ledger", "verify", "--head", "nonsense"])
    assert (bad.exit_code, "write it as SEQ:HASH" in bad.output) == (1, True)


def test_the_published_head_can_be_asked_for(database: str) -> None:
    run = CliRunner()
    assert "no entry yet" in run.invoke(main, ["ledger", "head"]).output
    assert "Nothing was published yet" in run.invoke(main, ["ledger", "head", "--published"]).output
    write(3)
    publish()
    write(1)
    assert run.invoke(main, ["ledger", "head", "--published"]).output.startswith("3:")
    assert run.invoke(main, ["ledger", "head"]).output.startswith("4:")
