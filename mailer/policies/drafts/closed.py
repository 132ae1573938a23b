"""A draft that is no longer worked on: what it said, and the version it became, if it became one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailer.policies.models import Draft, Version
from mailer.policies.queries import Shelf
from mailer.policies.rules import DraftState
from mailer.policies.versions import digest


@dataclass(frozen=True)
class Closed:
    """A released or discarded draft; `base` is the version that its text was to follow."""

    draft: Draft
    version: Version | None
    base: Version | None
    written_by: Sequence[str]
    approved_by: Sequence[str]
    released_by: str


def closed(draft: Draft, shelf: Shelf, names: Mapping[str, str]) -> Closed:
    """What became of a draft, with its people by name."""
    version = _became(draft, shelf)
    return Closed(
        draft=draft,
        version=version,
        base=shelf.base_of(version) if version else shelf.latest_at(draft.updated_at),
        written_by=[names.get(who, who) for who in dict.fromkeys([*draft.writers, draft.author_id])],
        approved_by=[names.get(row.staff_id, row.staff_id) for row in version.approvals] if version else [],
        released_by=names.get(version.released_by or "", "") if version else "",
    )


def _became(draft: Draft, shelf: Shelf) -> Version | None:
    """The version of this very text that was released at the instant the draft was closed."""
    if draft.state is not DraftState.RELEASED:
        return None
    sha256 = digest(draft.text)
    same = [v for v in shelf.versions if v.released_at == draft.updated_at and v.sha256 == sha256]
    return same[-1] if same else None
