"""Keep a version for good: its text in every language, who wrote and approved it, and the ledger's word for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mailer import ids
from mailer.ledger import actions as ledger
from mailer.policies.diff import anchors
from mailer.policies.models import Policy, Version, VersionApproval, VersionTranslation
from mailer.policies.wording import TOLD, Translation, Wording


@dataclass(frozen=True)
class Signed:
    """Who stands for a version; nobody wrote or approved one that was brought in from before."""

    released_by: str | None
    author_id: str | None = None
    approvals: Sequence[tuple[str, datetime]] = ()


def add(
    session: Session, policy: Policy, words: Wording, number: int, base: Version | None, signed: Signed, at: datetime
) -> Version:
    """The version with this number, its translations with it; `words.effective_on` must be known."""
    assert words.effective_on is not None
    version = Version(
        id=ids.new("ver"),
        policy=policy,
        policy_id=policy.id,
        number=number,
        text=words.text,
        sha256=digest(words.text),
        anchors=_anchors(base, words.text),
        change_class=words.change_class,
        announce=words.announce,
        effective_on=words.effective_on,
        **{name: getattr(words, name) for name in (*TOLD, "class_reason")},
        answers=dict(words.answers),
        author_id=signed.author_id,
        approver_id=signed.approvals[0][0] if signed.approvals else None,
        approvals=[VersionApproval(staff_id=who, at=since) for who, since in signed.approvals],
        released_by=signed.released_by,
        released_at=at,
        ownership={language: asdict(said) for language, said in words.ownership.items()} if words.ownership else None,
        translations=_translations(words.translations or {}, base),
    )
    session.add(version)
    session.flush()
    _record(session, version, signed, at)
    return version


def digest(text: str) -> str:
    """The SHA-256 of a text as it is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def _translations(translations: Mapping[str, Translation], base: Version | None) -> list[VersionTranslation]:
    return [
        VersionTranslation(
            language=language,
            sha256=digest(said.text),
            anchors=_anchors(base.in_language(language) if base else None, said.text),
            **asdict(said),
        )
        for language, said in sorted(translations.items())
    ]


def _anchors(before: Version | VersionTranslation | None, text: str) -> list[str]:
    """The ids of its headings: a section keeps the one it had in the version before."""
    return anchors.carried(before.text, before.anchors, text) if before else anchors.fresh(text)


def _record(session: Session, version: Version, signed: Signed, at: datetime) -> None:
    said: dict[str, Any] = {
        "version": version.id,
        "number": version.number,
        "change_class": version.change_class.value,
        "effective_on": version.effective_on.isoformat(),
    }
    ownership: dict[str, Any] = {}
    if version.ownership:
        ownership["ownership"] = digest(json.dumps(version.ownership, sort_keys=True, ensure_ascii=False))
    ledger.record(
        session,
        "policy.released",
        at,
        **said,
        policy=version.policy_id,
        sha256=version.sha256,
        translations={row.language: row.sha256 for row in version.translations},
        author=signed.author_id,
        approvers=[who for who, _ in signed.approvals],
        staff=signed.released_by,
        **ownership,
    )
    ledger.tell(session, "policy.released", at, **said, policy=version.policy.slug)
