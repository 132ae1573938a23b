"""The evidence of one person and one version, as the files of a bundle (DESIGN §12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import ids, settings
from mailer.contacts.models import Contact
from mailer.ledger import queries as ledger
from mailer.ledger.rules import Link
from mailer.notices import facts, queries, rules
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice, NoticeFact
from mailer.notices.proof import chain, mails, texts, timeline, words
from mailer.notices.proof.chain import Proof
from mailer.notices.proof.mails import Sent
from mailer.notices.proof.model import Answers, Files, NothingToProve, NotProven
from mailer.notices.proof.verify import DAYS, spell
from mailer.notices.rules import FactKind, Via
from mailer.policies.models import Version
from mailer.policies.rules import holidays_of

NOT_PROOF = frozenset({"evidence.given"})
VOIDED = "notice.voided"
NO_ENTRY = "the days of this person are not in the ledger, so nothing here proves them"


def files(session: Session, version: Version, contact: Contact, answers: Answers) -> tuple[Files, dict[str, str]]:
    """Everything about one person and one version, and what it is about; NothingToProve if there was no notice."""
    notice = queries.find(session, version.id, contact.id)
    if notice is None:
        raise NothingToProve("This person has no notice of this version; `mailer policy list` shows the versions.")
    happened = facts.of(session, version.id, contact.id)
    sent = mails.about(session, version.id, contact, [one.id for one in answers.terminated])
    proof = Proof()
    made = texts.files(session, version, proof)
    proven = mails.prove(session, proof, sent) | _prove_received(session, proof, answers)
    proof.add(_entries(session, version, contact, sent, answers))
    clock = _clock(session, proof, notice, happened)
    gaps = _gaps(sent, answers, proven) + ([NO_ENTRY] if notice.notified_on and clock is None else [])
    about = {"kind": "person", "contact": contact.id, "version": version.id}
    told = {"clock": clock, "agreement": _agreement(session, proof, notice), "gaps": gaps}
    made |= _mail_files(sent, answers, proven) | proof.files(session)
    made["terminations.json"] = spell([words.termination(one) for one in answers.terminated])
    made["timeline.txt"] = timeline.text(
        version, notice, happened, sent, answers, is_consumer=contact.is_consumer
    ).encode()
    made["summary.json"] = spell(about | _in_short(version, notice) | told)
    made["README.txt"] = words.readme_of_person(version, contact.id, settings.current().url, gaps).encode()
    return made, about


def _in_short(version: Version, notice: Notice) -> dict[str, Any]:
    return {
        "policy": version.policy.slug,
        "number": version.number,
        "effective_on": version.effective_on.isoformat(),
        "state": notice.state.value,
        "via": notice.via.value,
        "computation": notice.computation,
    }


def _entries(
    session: Session, version: Version, contact: Contact, sent: Sequence[Sent], answers: Answers
) -> list[Link]:
    """What the ledger has of this person that concerns the version, its mails, or what came back."""
    concerns = {version.id, *(one.message.id for one in sent), *(one.id for one in answers.received)}
    concerns |= {one.id for one in answers.terminated}
    return [
        link
        for link in ledger.naming(session, [contact.id])
        if link.kind not in NOT_PROOF and (link.kind == "contact.erased" or concerns & set(_values(link)))
    ]


def _values(link: Link) -> Iterable[str]:
    return (value for value in chain.subjects(link).values() if isinstance(value, str))


def _prove_received(session: Session, proof: Proof, answers: Answers) -> set[str]:
    """The mails that came in whose digest the ledger has, by id: those of long ago it may not have."""
    kept = {one.id: one for one in answers.received}
    proven = set()
    for link in ledger.naming(session, kept, ["inbound.kept"]):
        one = kept[chain.subjects(link)["mail"]]
        proof.claim(link, "sha256", one.sha256, f"received/{one.id}.eml" if one.raw else None)
        proven.add(one.id)
    return proven


def _clock(session: Session, proof: Proof, notice: Notice, happened: Sequence[NoticeFact]) -> dict[str, Any] | None:
    """The person's days, where the ledger has them, and the public holidays that moved the last one."""
    if notice.notified_on is None or notice.respond_by_on is None or notice.binding_on is None:
        return None
    days = {name: getattr(notice, name).isoformat() for name in DAYS}
    found: dict[str, Any] = {"leaf": None, "entry": None}
    for fact in happened:
        is_it = fact.kind is FactKind.ACCEPTED and fact.message_row == notice.message_row
        if is_it and fact.batch and notice.via is Via.MAIL:
            found["leaf"] = _leaf_of(session, proof, fact)
    if found["leaf"] is None:
        wanted = days | {"version": notice.version_id, "contact": notice.contact_id}
        links = [one for one in proof.entries.values() if one.kind != VOIDED and _says(one, wanted)]
        if not links:
            return None
        found["entry"] = max(link.seq for link in links)
    return days | found | {"days_off": _days_off(notice.notified_on, notice.respond_by_on)}


def _says(link: Link, wanted: dict[str, str]) -> bool:
    said = chain.subjects(link)
    return all(said.get(name) == value for name, value in wanted.items())


def _leaf_of(session: Session, proof: Proof, fact: NoticeFact) -> int:
    """The place of this person's days in the batch with which the mail was settled (`notices.settling`)."""
    query = select(NoticeFact).where(NoticeFact.batch == fact.batch).order_by(NoticeFact.message_row)
    batch = session.scalars(query).all()
    said = [_spelled(one) for one in batch]
    links = ledger.naming(session, [fact.batch or ""], ["notices.accepted"])
    if not links:
        raise NotProven("The ledger has no entry of this batch of notices; run `mailer ledger verify`.")
    index = [one.id for one in batch].index(fact.id)
    return proof.leaf(links[0], [chain.sha256(one) for one in said], index, said=said[index])


def _days_off(notified_on: date, last: date) -> list[str]:
    """The public holidays on which the window might have ended."""
    holidays = holidays_of(settings.current().country)
    plain = notified_on + timedelta(days=30)
    days = (plain + timedelta(days=number) for number in range((last - plain).days + 1))
    return [day.isoformat() for day in days if day in holidays]


def _agreement(session: Session, proof: Proof, notice: Notice) -> dict[str, Any] | None:
    """How the person agreed, if they did, with its place in the ledger."""
    mine = {"version_id": notice.version_id, "contact_id": notice.contact_id}
    said = session.scalar(select(ExpressAgreement).filter_by(**mine))
    if said is not None:  # its entry names the person, so the bundle has it
        return {"how": "expressly", "at": said.at.isoformat(), "wording_sha256": said.wording_digest}
    deemed = session.scalar(select(DeemedAgreement).filter_by(**mine))
    if deemed is None:
        return None
    _prove_deemed(session, proof, deemed)
    return {"how": "deemed", "at": deemed.at.isoformat(), "used_on": deemed.used_on.isoformat()}


def _prove_deemed(session: Session, proof: Proof, deemed: DeemedAgreement) -> None:
    """The place of a deemed agreement among those derived with it; an entry of before this release has no root."""
    mine = NoticeFact.version_id == deemed.version_id, NoticeFact.contact_id == deemed.contact_id
    batch = session.scalar(select(NoticeFact.batch).where(*mine, NoticeFact.kind == FactKind.DEEMED))
    if batch is None:
        return
    with_it = select(NoticeFact.contact_id).where(NoticeFact.batch == batch)
    of_batch = DeemedAgreement.version_id == deemed.version_id, DeemedAgreement.contact_id.in_(with_it)
    leaves = sorted(_deemed(one) for one in session.scalars(select(DeemedAgreement).where(*of_batch)))
    digests = [chain.sha256(leaf) for leaf in leaves]
    for link in ledger.naming(session, [batch], ["agreement.deemed"]):
        proof.leaf(link, digests, leaves.index(_deemed(deemed)), said=_deemed(deemed))


def _deemed(one: DeemedAgreement) -> str:
    return rules.deemed_leaf(one.contact_id, one.notified_on, one.binding_on, one.used_on)


def _spelled(fact: NoticeFact) -> str:
    """What the batch of an accepted notice proves of its person."""
    days = facts.read(fact).days
    if days is None or fact.message_row is None:
        raise NotProven("A notice that a server took has no days; run `mailer ledger verify`.")
    return rules.leaf(fact.version_id, fact.contact_id, ids.message_id(fact.message_row), days)


def _gaps(sent: Sequence[Sent], answers: Answers, proven: Collection[str]) -> list[str]:
    """What the bundle has not, and why; said in the verdict too, never silently."""
    shown = [one.message.id for one in sent if one.data] + [one.id for one in answers.received if one.raw]
    return [
        *(
            f"{one.message.id} is not in it: {one.why_no_bytes}"
            for one in sent
            if one.why_no_bytes and one.message.sha256
        ),
        *(f"{one.id} is not in it: its sender was erased" for one in answers.received if not one.raw),
        *(f"{name} stands under unproven, for the ledger has no entry of it" for name in shown if name not in proven),
    ]


def _mail_files(sent: Sequence[Sent], answers: Answers, proven: Collection[str]) -> Files:
    """The mails both ways; those that the ledger does not have stand apart."""
    out = {one.message.id: ("mail", one.data) for one in sent}
    both = out | {one.id: ("received", one.raw) for one in answers.received}
    made = {
        f"{folder if name in proven else 'unproven'}/{name}.eml": data for name, (folder, data) in both.items() if data
    }
    made["mail/messages.json"] = spell([mails.as_json(one) for one in sent])
    made["received/mails.json"] = spell([words.received(one) for one in answers.received])
    return made
