from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer.policies.models import Policy
from tests import factories


@pytest.fixture
def policy(session: Session) -> Policy:
    made = factories.policy(session)
    session.commit()
    return made
