"""The reasons of this room, as a person reads them."""

from __future__ import annotations

from mailer.consent.rules import Basis, SuppressionReason, Withheld

WITHHELD = {
    Withheld.ERASED: "The person was erased; nothing is sent to them any more.",
    Withheld.DEAD_ADDRESS: "The address is dead: a server said for good that it takes no mail.",
    Withheld.NO_ADDRESS: "No address is known.",
    Withheld.THIRD_PARTY: "A customer entered this person; such data is never used for promotion.",
    Withheld.NO_CONSENT: "The person never agreed to this topic.",
    Withheld.UNSUBSCRIBED: "The person left newsletters.",
    Withheld.COMPLAINED: "The person reported a mail of ours as spam.",
    Withheld.SUPPRESSED: "Staff stopped marketing mail to this address.",
    Withheld.CLOSED: "The account is closed.",
    Withheld.CANCELLED: "The mailing was stopped before this mail went out.",
}
SUPPRESSED = {
    SuppressionReason.HARD_BOUNCE: "A server said for good that this address takes no mail; it gets none at all.",
    SuppressionReason.COMPLAINT: "A mail was reported as spam; no marketing goes here.",
    SuppressionReason.UNSUBSCRIBED: "The person left newsletters; essential mail continues.",
    SuppressionReason.MANUAL: "Staff stopped marketing to this address.",
    SuppressionReason.ERASED: "The person was erased; this address gets no mail at all.",
}
BASIS = {
    Basis.CONSENT: "the person's own consent",
    Basis.SOFT_OPT_IN: "a purchase of similar products, with the opt-out shown (Telecommunicatiewet 11.7(3))",
}
