"""Agreement never grants marketing (S5): where people agree and terminate, nothing can write consent."""

from __future__ import annotations

from tests.house.source import imports, modules

ROOMS = ("mailer/notices/", "mailer/terminations/", "mailer/policies/")
WRITES_CONSENT = ("mailer.consent.actions", "mailer.consent.models", "mailer.consent.importing")


def test_no_way_leads_from_an_agreement_to_consent() -> None:
    rooms = [module for module in modules() if module.path.startswith(ROOMS)]
    assert len(rooms) > 40
    assert [module.path for module in rooms for name in imports(module) if name.startswith(WRITES_CONSENT)] == []


def test_this_test_sees_a_room_that_writes_consent() -> None:
    writes = {module.path for module in modules() if any(name.startswith(WRITES_CONSENT) for name in imports(module))}
    assert {"mailer/services/effects.py", "mailer/inbound/effects.py"} <= writes
