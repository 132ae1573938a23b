import re

import pytest
from click.testing import CliRunner

from mailer import db
from mailer.errors import MailerError
from mailer.staff.cli import staff
from tests import factories

pytestmark = [pytest.mark.parametrize("database", ["sqlite"], indirect=True), pytest.mark.usefixtures("database")]


def run(*words: str) -> str:
    result = CliRunner().invoke(staff, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_an_account_is_created_listed_reset_and_disabled() -> None:
    with db.transaction() as session:
        factories.staff(session)
    said = run("create", "noor@company.example", "--name", "Noor", "--role", "policy", "--role", "auditor")
    first = re.search(r"First password: (\S+)", said)
    assert first
    assert re.search(r"noor@company.example +auditor,policy +first password", run("list"))
    assert first[1] not in run("reset", "noor@company.example")
    run("disable", "noor@company.example")
    assert re.search(r"noor@company.example .* disabled", run("list"))


def test_an_unknown_role_is_refused() -> None:
    assert CliRunner().invoke(staff, ["create", "noor@company.example", "--role", "king"]).exit_code == 2


def test_an_unknown_address_is_named() -> None:
    with pytest.raises(MailerError, match="has no account"):
        run("disable", "nobody@company.example")
