"""Where the page of a thing is, by its id."""

from __future__ import annotations

PAGES = {
    "con": ("the person", "/admin/people/{}"),
    "msg": ("the message", "/admin/messages/{}"),
    "inb": ("the mail that came in", "/admin/replies/{}"),
    "trm": ("the termination", "/admin/replies/terminations/{}"),
    "cmp": ("the campaign", "/admin/campaigns/{}"),
    "mlg": ("the mailing", "/admin/messages/?mailing={}"),
    "drf": ("the draft", "/admin/policies/drafts/{}"),
    "ver": ("the notices of this version", "/admin/notices/{}"),
    "svc": ("the service", "/admin/services/{}"),
}


def find_page(subject_id: str | None) -> str | None:
    """The address of the page about this id; None where there is none."""
    found = PAGES.get((subject_id or "").partition("_")[0])
    return found[1].format(subject_id) if found else None


def kind_of(subject_id: str) -> str:
    """What an id names, in words; the id itself where we have no page for it."""
    found = PAGES.get(subject_id.partition("_")[0])
    return found[0] if found else subject_id
