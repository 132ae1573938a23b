"""When a machine must not answer, whatever a mail says (RFC 3834 §2; invariant 11)."""

from __future__ import annotations

import re
from email.utils import parseaddr

from mailer.inbound.desk import NULL_PATH
from mailer.inbound.glance import is_ours
from mailer.inbound.received import Mail
from mailer.settings import Settings

_DAEMON = re.compile(
    r"(?:mailer-?daemon|postmaster|no-?reply|do-?not-?reply|niet-?beantwoorden|listserv|majordomo|owner-.*|.*-owner|"
    r".*-request|.*-bounces?(?:\+.*)?|bounces?(?:[+-].*)?)@",
    re.IGNORECASE,
)
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "mailing-list")


def senders(config: Settings) -> frozenset[str]:
    """The addresses that our own mail comes from."""
    return frozenset(parseaddr(box)[1].lower() for box in (config.from_essential, config.from_marketing))


def why_silent(sender: str, mail: Mail | None, goes_to: str, ours: frozenset[str]) -> str | None:
    """Why no machine may answer this mail at `goes_to`, in words; None if one may.

    `ours` are whole addresses, and domains that begin with `@`: an answer to one of them would come back to us.
    """
    if sender == NULL_PATH or (mail is not None and mail.return_path == ""):
        return "it has a null return path, which no machine answers"
    named = [sender, *(mail.from_addresses if mail else ())]
    if any(is_ours(address, ours) for address in (*named, goes_to) if address):
        return "it names an address of our own, and an answer would come back here"
    if any(_DAEMON.match(address) for address in named):
        return "it came from an address that no machine answers"
    if mail is None:
        return None
    if mail.precedence in ("bulk", "junk", "list") or any(mail.header(name) for name in _LIST_FIELDS):
        return "it came over a list, which no machine answers"
    if mail.auto_submitted not in (None, "", "no"):
        return "a machine sent it, and automatic mail is never answered"
    return None
