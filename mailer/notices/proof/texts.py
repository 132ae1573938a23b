"""Both texts of a change, what differs between them, and where the ledger names them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from mailer.ledger import queries as ledger
from mailer.notices.proof import chain
from mailer.notices.proof.chain import Proof
from mailer.notices.proof.model import Files, NotProven
from mailer.notices.proof.verify import spell
from mailer.policies import queries as policies
from mailer.policies.diff import render
from mailer.policies.models import Version, VersionTranslation
from mailer.policies.public import comparison, standalone

OF_VERSION = ("policy.effective", "policy.withdrawn", "mailing.created")


def files(session: Session, version: Version, proof: Proof) -> Files:
    """The texts in every language as they were released, and the change in each as data, page and text."""
    base = policies.shelf(session, version.policy).base_of(version)
    proof.released = _claim(session, proof, version, "new")
    made = _texts(version, "new")
    proof.add(ledger.naming(session, [version.id], OF_VERSION))
    if base is None:
        return made
    _claim(session, proof, base, "old")
    made |= _texts(base, "old")
    for language in comparison.languages_of(base, version):
        made |= _changes(base, version, language)
    return made


def _texts(version: Version, side: str) -> Files:
    return {_name(side, language): said.text.encode() for language, said in _said(version)}


def _claim(session: Session, proof: Proof, version: Version, side: str) -> int:
    """Let the entry of the release name the texts; its number."""
    found = [
        link
        for link in ledger.naming(session, [version.id], ["policy.released"])
        if chain.subjects(link)["version"] == version.id
    ]
    if not found:
        raise NotProven("The ledger has no entry of this release; run `mailer ledger verify`.")
    link = found[0]
    for language, said in _said(version):
        field = "sha256" if said is version else f"translations.{language}"
        proof.claim(link, field, said.sha256, _name(side, language))
    return link.seq


def _changes(base: Version, version: Version, language: str) -> Files:
    compared = comparison.of(base, version, language)
    names = f"Version {base.number}", f"Version {version.number}"
    return {
        f"changes/{language}.json": spell(compared.found.as_json()),
        f"changes/{language}.html": standalone.page(compared.found, *names).encode(),
        f"changes/{language}.txt": render.to_text(compared.found).encode(),
    }


def _said(version: Version) -> list[tuple[str, Version | VersionTranslation]]:
    return [(version.language, version), *((said.language, said) for said in version.translations)]


def _name(side: str, language: str) -> str:
    return f"texts/{side}.{language}.md"
