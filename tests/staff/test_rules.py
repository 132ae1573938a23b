from datetime import UTC, datetime, timedelta

import pytest

from mailer.staff import rules
from mailer.staff.rules import May, Role

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("roles", "what", "granted"),
    [
        ([Role.MARKETING], May.CAMPAIGN, True),
        ([Role.MARKETING], May.POLICY, False),
        ([Role.POLICY], May.REPLY, True),
        ([Role.POLICY], May.OPERATE, False),
        ([Role.OPERATOR], May.OPERATE, True),
        ([Role.AUDITOR], May.SEE_PEOPLE, True),
        ([Role.AUDITOR], May.REPLY, False),
        ([Role.AUDITOR, Role.POLICY], May.REPLY, True),
        ([], May.SEE, False),
    ],
)
def test_a_role_grants_what_it_is_there_for(roles: list[Role], what: May, granted: bool) -> None:
    assert rules.may(roles, what) is granted


@pytest.mark.parametrize(
    ("password", "old", "fault"),
    [
        ("four quiet grey geese", "something older", None),
        ("short", None, "at least 12 characters"),
        ("the very same password", "the very same password", "another password"),
        ("my name is Sam Bakker", None, "your own name"),
    ],
)
def test_a_password_is_long_new_and_not_the_name(password: str, old: str | None, fault: str | None) -> None:
    why = rules.why_not_password(password, "sam@company.example", old)
    assert (why is None) if fault is None else (why is not None and fault in why)


@pytest.mark.parametrize(("failures", "locks"), [(0, False), (9, False), (10, True), (11, True)])
def test_ten_failures_lock_for_a_quarter_of_an_hour(failures: int, locks: bool) -> None:
    assert rules.locked_until(failures, AT) == (AT + timedelta(minutes=15) if locks else None)


@pytest.mark.parametrize(
    ("until", "locked"),
    [(None, False), (AT, False), (AT + timedelta(seconds=1), True), (AT - timedelta(days=1), False)],
)
def test_a_lock_ends_by_itself(until: datetime | None, locked: bool) -> None:
    assert rules.is_locked(until, AT) is locked


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/admin/", True),
        ("/admin/people/con_1?before=2", True),
        ("/policies", False),
        ("//evil.example/admin/", False),
        ("/\\evil.example/admin/", False),
        ("/admin/\\evil", False),
        ("https://evil.example/admin/", False),
        ("javascript:alert(1)", False),
        ("/admin/\r\nSet-Cookie: a=b", False),
        ("", False),
    ],
)
def test_only_our_own_pages_may_follow_a_sign_in(path: str, local: bool) -> None:
    assert rules.is_local_path(path) is local
