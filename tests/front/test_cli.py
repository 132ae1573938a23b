"""`mailer` on the command line: every word explains itself, every mistake is one sentence on stderr and exit 1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from mailer import clock, db, settings
from mailer.cli import main, read_instant
from mailer.errors import MailerError
from mailer.ledger import actions as ledger
from mailer.migrations import append_only, head
from tests import factories
from tests.conftest import Configure


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    silent = [
        words for words, command in commands(main) if not (command.help or "").strip().split("\n")[0].endswith(".")
    ]
    assert silent == []
    assert len(list(commands(main))) > 20


@pytest.mark.parametrize("words", [["--help"], ["worker", "--help"], ["-h"], ["ledger", "--help"]])
def test_help_is_everywhere(words: list[str]) -> None:
    assert run(*words).exit_code == 0


def test_settings_are_shown_without_their_secrets(configure: Configure) -> None:
    configure(secret_keys="k" * 40, smtp_essential="smtp+starttls://user:hidden@mail.example:587")
    shown = run("settings").stdout
    assert "MAILER_SECRET_KEYS=(1 hidden)" in shown
    assert "kkkk" not in shown
    assert "hidden@" not in shown
    assert "MAILER_SMTP_ESSENTIAL=smtp+starttls://user:***@mail.example:587" in shown


def test_a_bad_setting_is_one_sentence(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_WEB_PORT", "many")
    settings.current.cache_clear()
    result = run("settings")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("MAILER_WEB_PORT: ")
    assert len(result.stderr.splitlines()) == 1


def test_migrate_says_where_the_database_is() -> None:
    assert run("migrate").stdout == f"The database is at {head()}.\n"


@pytest.mark.parametrize("words", [["ledger", "verify"], ["staff", "list"]])
def test_a_database_without_tables_is_said_with_the_remedy(words: list[str]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The database has not this release's tables yet: run `mailer migrate`.\n"


def test_a_database_that_cannot_be_reached_is_said(configure: Configure) -> None:
    configure(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    result = run("ledger", "verify")
    assert result.exit_code == 1
    assert result.stderr.startswith("The database cannot be used (")
    assert len(result.stderr.splitlines()) == 1


def test_a_whole_ledger_is_said_with_its_head(session: Session) -> None:
    ledger.record(session, "test.happened", clock.now(), thing="one")
    session.commit()
    result = run("ledger", "verify")
    assert result.exit_code == 0
    assert result.stdout.startswith("The ledger is whole: 1 entries, head ")


def test_a_changed_ledger_is_found(session: Session) -> None:
    for thing in ("one", "two"):
        ledger.record(session, "test.happened", clock.now(), thing=thing)
    session.commit()
    with db.engine().begin() as connection:
        append_only.release(connection, "ledger_entries")
        connection.exec_driver_sql("UPDATE ledger_entries SET kind = 'test.never' WHERE seq = 2")
        append_only.guard(connection, "ledger_entries")
    result = run("ledger", "verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The ledger is broken at entry 2: entry 2 was changed.\n"


def test_the_demo_clock_moves_and_the_day_is_done(session: Session, configure: Configure) -> None:
    configure(demo=True).data_dir.mkdir(exist_ok=True)
    factories.policy(session)
    session.commit()
    day = clock.local_day(clock.now(), settings.current().zone) + timedelta(days=40)
    result = run("schedule", "--once", "--at", day.isoformat())
    assert result.exit_code == 0, result.stderr
    assert clock.local_day(clock.now(), settings.current().zone) == day
    again = run("schedule", "--once", "--at", "2020-01-01")
    assert again.exit_code == 1
    assert "only goes forward" in again.stderr


def test_only_the_demo_moves_its_clock(database: str) -> None:
    result = run("schedule", "--once", "--at", "2999-01-01")
    assert result.exit_code == 1
    assert "in the demo only" in result.stderr


def test_schedule_wants_once() -> None:
    assert run("schedule").exit_code == 2


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2999-07-01", datetime(2999, 6, 30, 22, 0, tzinfo=UTC)),
        ("2999-07-01T09:30", datetime(2999, 7, 1, 7, 30, tzinfo=UTC)),
        ("2999-07-01T09:30Z", datetime(2999, 7, 1, 9, 30, tzinfo=UTC)),
        ("2999-07-01 09:30+05:00", datetime(2999, 7, 1, 4, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_the_companys_zone(text: str, instant: datetime) -> None:
    assert read_instant(text) == instant


@pytest.mark.parametrize("text", ["tomorrow", "2027-13-01", "2027-02-30T10:00", "", "1.1.2027"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(MailerError, match="is no date or time; write 2027-01-15"):
        read_instant(text)


def test_doctor_says_what_is_wrong_and_what_to_do(configure: Configure) -> None:
    configure(inbound_port=1, post_office_port=1)
    result = run("doctor")
    assert result.exit_code == 1
    for sentence in (
        f"is at no migration, this release needs {head()}: run `mailer migrate`",
        "does not answer; mail goes out late until it does.",
        "127.0.0.1:1 does not answer",
        "nothing listens at 127.0.0.1:1: start `mailer inbound` or `mailer up`",
        "nothing listens at 127.0.0.1:1: start `mailer post-office` or `mailer up`",
    ):
        assert sentence in result.stdout


def test_doctor_wants_https_in_production(configure: Configure) -> None:
    routes = {"smtp_essential": "smtp://127.0.0.1:1", "smtp_marketing": "http://wrong"}
    configure(environment="production", secret_keys="k" * 40, public_url="http://mail.example", **routes)
    shown = run("doctor").stdout
    assert "unsubscribe by https only" in shown
    assert "MAILER_SMTP_MARKETING" in shown
    assert "post office" not in shown


def test_doctor_sees_that_the_clock_was_set_back(database: str) -> None:
    with db.transaction() as session:
        ledger.record(session, "contact.upserted", clock.now() + timedelta(hours=1))
    assert "The clock was set back" in run("doctor").stdout


def test_doctor_compares_clocks_and_hides_passwords(database: str) -> None:
    shown = run("doctor").stdout
    assert f"migrated to {head()}" in shown
    assert "one clock" in shown if database.startswith("sqlite") else "the database agree" in shown
