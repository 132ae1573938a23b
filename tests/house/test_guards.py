"""Every admin page asks for a role (S12)."""

from __future__ import annotations

import pytest
from flask import Flask

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

OPEN_TO_STRANGERS = frozenset({"staff.sign_in", "staff.do_sign_in"})


def unguarded(app: Flask) -> set[str]:
    """The endpoints under /admin that ask nobody for a role."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and not hasattr(app.view_functions[rule.endpoint], "needs")
    }


def test_every_admin_page_asks_for_a_role(app: Flask) -> None:
    assert unguarded(app) == OPEN_TO_STRANGERS


def test_an_unguarded_page_is_seen(app: Flask) -> None:
    app.add_url_rule("/admin/forgotten", "forgotten", lambda: "")
    assert "forgotten" in unguarded(app)


def test_strangers_get_no_admin_page(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        is_page = rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and not rule.arguments
        if is_page and rule.endpoint not in OPEN_TO_STRANGERS:
            answer = client.get(rule.rule)
            assert (rule.rule, answer.status_code) == (rule.rule, 303)
            assert "/sign-in" in answer.location
