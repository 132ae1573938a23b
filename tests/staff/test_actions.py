from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from mailer.errors import Invalid
from mailer.ledger import queries as ledger
from mailer.staff import actions, passwords, queries
from mailer.staff.actions import AlreadyStaff, BadPassword, LastOperator, Refusal, Refused, Welcome, WrongPassword
from mailer.staff.models import Staff
from mailer.staff.rules import FAILURES_ALLOWED, Role
from tests import factories

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = "four quiet grey geese"


def sign_in(session: Session, staff: Staff, password: str = factories.PASSWORD, at: datetime = AT) -> Refusal | None:
    outcome = actions.sign_in(session, staff.email, password, at)
    return outcome.why if isinstance(outcome, Refused) else None


def test_a_new_colleague_gets_a_readable_first_password_that_must_be_changed(session: Session) -> None:
    made, first = actions.create(session, email=" Noor@Company.example ", name="Noor", roles=[Role.POLICY], at=AT)
    session.commit()
    assert made.must_change
    assert len(first) >= 20
    assert first.isascii()
    assert first not in made.password_hash
    assert isinstance(actions.sign_in(session, "noor@company.EXAMPLE", first, AT), Welcome)
    assert [entry.kind for entry in ledger.about(session, made.id)] == ["staff.created"]


@pytest.mark.parametrize(
    ("email", "name", "roles", "field"),
    [
        ("not an address", "Noor", [Role.POLICY], "email"),
        ("noor@company.example", " ", [Role.POLICY], "name"),
        ("noor@company.example", "Noor", [], "roles"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_faulty_account_is_refused_with_the_field(
    session: Session, email: str, name: str, roles: list[Role], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        actions.create(session, email=email, name=name, roles=roles, at=AT)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}:")


def test_an_address_has_one_account(session: Session) -> None:
    factories.staff(session, email="sam@company.example")
    with pytest.raises(AlreadyStaff):
        actions.create(session, email="SAM@company.example", name="Sam", roles=[Role.POLICY], at=AT)


def test_sign_in_refuses_the_unknown_the_wrong_and_the_disabled(session: Session) -> None:
    sam, kim = factories.staff(session), factories.staff(session)
    actions.disable(session, kim, AT)
    assert sign_in(session, sam) is None
    assert sam.signed_in_at == AT
    assert sign_in(session, sam, "wrong") is Refusal.WRONG
    assert sign_in(session, kim) is Refusal.DISABLED
    assert actions.sign_in(session, "nobody@company.example", "x", AT) == Refused(Refusal.UNKNOWN)


def test_ten_wrong_passwords_lock_the_account_even_for_the_right_one(session: Session) -> None:
    sam = factories.staff(session)
    for _ in range(FAILURES_ALLOWED):
        assert sign_in(session, sam, "wrong") is Refusal.WRONG
    assert sign_in(session, sam) is Refusal.LOCKED
    assert sign_in(session, sam, at=AT + timedelta(minutes=15)) is None
    assert (sam.failures, sam.locked_until) == (0, None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_old_hash_is_made_anew_at_sign_in(session: Session) -> None:
    sam = factories.staff(session)
    sam.password_hash = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(factories.PASSWORD)
    assert sign_in(session, sam) is None
    assert not passwords.is_stale(sam.password_hash)
    assert sign_in(session, sam) is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unknown_address_costs_the_same_hash_as_a_known_one(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: str) -> bool:
        judged.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    sam = factories.staff(session)
    sign_in(session, sam, "wrong")
    actions.sign_in(session, "nobody@company.example", "wrong", AT)
    assert len(judged) == 2
    assert judged[0].rsplit("$", 2)[0] == judged[1].rsplit("$", 2)[0]


def test_a_changed_password_ends_other_sessions(session: Session) -> None:
    made, first = actions.create(session, email="noor@company.example", name="Noor", roles=[Role.POLICY], at=AT)
    epoch = made.epoch
    with pytest.raises(WrongPassword):
        actions.change_password(session, made, "wrong", NEW, AT)
    with pytest.raises(BadPassword):
        actions.change_password(session, made, first, "short", AT)
    assert made.must_change
    actions.change_password(session, made, first, NEW, AT)
    assert (made.must_change, made.epoch) == (False, epoch + 1)
    assert sign_in(session, made, NEW) is None


def test_a_reset_gives_a_first_password_again(session: Session) -> None:
    sam = factories.staff(session)
    first = actions.reset_password(session, sam, AT)
    assert sam.must_change
    assert sign_in(session, sam) is Refusal.WRONG
    assert sign_in(session, sam, first) is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_last_operator_cannot_be_disabled(session: Session) -> None:
    sam, kim = factories.staff(session, Role.OPERATOR), factories.staff(session, Role.OPERATOR)
    actions.disable(session, sam, AT)
    actions.disable(session, sam, AT)
    assert sam.epoch == 1
    with pytest.raises(LastOperator):
        actions.disable(session, kim, AT)
    assert queries.find_by_email(session, kim.email) is kim
