"""Who stands at the reply desk, and what lies on it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from mailer.inbound.models import InboundMail
from mailer.staff.models import Staff
from tests import factories
from tests.inbound.world import Told, letter, take_in, told


@pytest.fixture
def sam(session: Session) -> Staff:
    return factories.staff(session)


@pytest.fixture
def jan(session: Session) -> Told:
    return told(session)


@pytest.fixture
def unsure(session: Session, jan: Told) -> InboundMail:
    """An answer of Jan's that no machine may decide."""
    return take_in(session, letter("Als de prijs stijgt zeg ik op.", to=jan.reply, proven=True), jan.reply)
