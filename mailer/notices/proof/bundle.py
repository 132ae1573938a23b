"""The archive: the files of a person's or a version's evidence with the program that checks them.

Nothing in it depends on when or where it was made: the same records give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from mailer.contacts.models import Contact
from mailer.notices.proof import person, verify, whole
from mailer.notices.proof.model import Answers, Files
from mailer.policies.models import Version

VERIFIER = Path(verify.__file__)


def of_person(session: Session, version: Version, contact: Contact, answers: Answers) -> bytes:
    """The evidence of one person and one version, as a ZIP archive."""
    return _packed(*person.files(session, version, contact, answers))


def of_version(session: Session, version: Version, terminated: Select[str]) -> tuple[bytes, dict[str, Any]]:
    """The evidence of a whole version, and its summary; `terminated` selects those who did."""
    files, about, summary = whole.files(session, version, terminated)
    return _packed(files, about), summary


def _packed(files: Files, about: dict[str, str]) -> bytes:
    files["verify.py"] = VERIFIER.read_bytes()
    files[verify.MANIFEST] = verify.manifest(files, about)
    return verify.pack(files)
