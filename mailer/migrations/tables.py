"""Every table of the product: importing this module fills `METADATA`."""

from __future__ import annotations

from mailer.campaigns import models as campaigns
from mailer.consent import models as consent
from mailer.contacts import models as contacts
from mailer.db import Base
from mailer.inbound import models as inbound
from mailer.ledger import models as ledger
from mailer.notices import models as notices
from mailer.outbox import models as outbox
from mailer.policies import models as policies
from mailer.services import models as services
from mailer.staff import models as staff
from mailer.terminations import models as terminations

ROOMS = (campaigns, consent, contacts, inbound, ledger, notices, outbox, policies, services, staff, terminations)
METADATA = Base.metadata
