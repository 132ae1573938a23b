"""The evidence of a whole version: everybody by id with their days, lists by reason, and every batch (DESIGN §12)."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from mailer import ids, settings
from mailer.ledger import merkle
from mailer.ledger import queries as ledger
from mailer.ledger.merkle import Tree
from mailer.notices.models import DeemedAgreement, ExpressAgreement, Notice, NoticeFact
from mailer.notices.proof import chain, texts, words
from mailer.notices.proof.chain import Proof
from mailer.notices.proof.model import Files, NothingToProve, NotProven
from mailer.notices.proof.verify import DAYS, spell
from mailer.notices.rules import FactKind, NoticeState, Via
from mailer.policies.models import Version

SLICE = 20_000
TOLD_BY_MAIL = "told_by_mail"
OF_NOTICES = ("notices.accepted", "agreement.deemed")


@dataclass
class _Lists:
    """What grows while the people go by: the tree over their lines, and who stands on which list.

    `batched` are the messages whose acceptance a batch of the ledger proves.
    """

    batched: set[int] = field(default_factory=set)
    tree: Tree = field(default_factory=Tree)
    on: dict[str, list[str]] = field(default_factory=dict)

    def add(self, line: str, contact_id: str, names: list[str]) -> None:
        self.tree.add(merkle.leaf(chain.sha256(line)))
        for name in names:
            self.on.setdefault(name, []).append(contact_id)


def files(session: Session, version: Version, terminated: Select[str]) -> tuple[Files, dict[str, str], dict[str, Any]]:
    """The files, what they are about, and the summary; NothingToProve if nobody has a notice of this version.

    `terminated` selects the contacts who terminated over it.
    """
    proof, lists = Proof(), _Lists()
    made = texts.files(session, version, proof)
    links = ledger.naming(session, [version.id], OF_NOTICES)
    proof.add(links)
    entries = {chain.subjects(link).get("batch"): link.seq for link in links}
    made["told.jsonl.gz"] = _packed(_told(session, version.id, entries, lists))
    made["people.jsonl.gz"] = _packed(_people(session, version.id, terminated, lists))
    if not lists.tree.size:
        raise NothingToProve("Nobody has a notice of this version; `mailer policy list` shows the versions.")
    made |= {f"lists/{name}.txt": "".join(f"{one}\n" for one in who).encode() for name, who in lists.on.items()}
    about = {"kind": "version", "version": version.id}
    summary: dict[str, Any] = about | {
        "policy": version.policy.slug,
        "number": version.number,
        "effective_on": version.effective_on.isoformat(),
        "people": lists.tree.size,
        "root": lists.tree.root().hex(),
        "counts": {name: len(who) for name, who in lists.on.items()},
    }
    made["summary.json"] = spell(summary)
    made |= proof.files(session)
    made["README.txt"] = words.readme_of_version(version, settings.current().url).encode()
    return made, about, summary


def _people(session: Session, version_id: str, terminated: Select[str], lists: _Lists) -> Iterator[str]:
    """A line for everybody, in the order of their ids."""
    after = ""
    query = _query(version_id, terminated)
    while True:
        rows = session.execute(query.where(Notice.contact_id > after).limit(SLICE)).all()
        for row in rows:
            days = {name: day.isoformat() for name in DAYS if (day := getattr(row, name)) is not None}
            names = _names(row, row.message_row in lists.batched)
            said = {"contact": row.contact_id, "state": row.state.value, "lists": names} | days
            line = json.dumps(said, sort_keys=True, separators=(",", ":"))
            lists.add(line, row.contact_id, names)
            yield line
        if len(rows) < SLICE:
            return
        after = rows[-1].contact_id


def _query(version_id: str, terminated: Select[str]) -> Select[Any]:
    def has(model: type[DeemedAgreement] | type[ExpressAgreement]) -> ColumnElement[bool]:
        return exists().where(model.version_id == version_id, model.contact_id == Notice.contact_id)

    return (
        select(
            Notice.contact_id,
            Notice.message_row,
            Notice.state,
            Notice.via,
            Notice.why,
            *(getattr(Notice, name) for name in DAYS),
            has(DeemedAgreement).label("is_deemed"),
            has(ExpressAgreement).label("has_agreed"),
            Notice.contact_id.in_(terminated).label("has_terminated"),
        )
        .where(Notice.version_id == version_id)
        .order_by(Notice.contact_id)
    )


def _names(row: Any, is_batched: bool) -> list[str]:
    """The lists on which a person stands: where they are, and what they answered."""
    names = [row.state.value]
    if row.state is NoticeState.ACCEPTED:
        names = [f"told_by_{row.via.value}" if row.via is not Via.MAIL or is_batched else "told_before_batches"]
    elif row.state is NoticeState.UNREACHED:
        names = ["unreached", f"unreached_{words.reason(row.why)}"]
    flags = {"terminated": row.has_terminated, "agreed_expressly": row.has_agreed, "deemed_to_agree": row.is_deemed}
    return names + [name for name, is_so in flags.items() if is_so]


def _told(session: Session, version_id: str, entries: dict[str | None, int], lists: _Lists) -> Iterator[str]:
    """Every notice that a server took, batch by batch, in the order of the leaves."""
    query = (
        select(NoticeFact.batch, NoticeFact.contact_id, NoticeFact.message_row, NoticeFact.on_date, NoticeFact.data)
        .where(NoticeFact.version_id == version_id, NoticeFact.kind == FactKind.ACCEPTED, NoticeFact.batch.is_not(None))
        .order_by(NoticeFact.batch, NoticeFact.message_row)
        .execution_options(yield_per=SLICE)
    )
    for batch, contact_id, row, on_date, data in session.execute(query):
        if row is None:
            raise NotProven("A notice that a server took has no mail; run `mailer ledger verify`.")
        lists.batched.add(row)
        days = on_date.isoformat(), data["respond_by_on"], data["binding_on"]
        yield json.dumps([entries[batch], contact_id, ids.message_id(row), *days])


def _packed(lines: Iterator[str]) -> bytes:
    """The lines, compressed; without name and time, so that they are the same bytes again."""
    made = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=made, mtime=0) as file:
        for line in lines:
            file.write(f"{line}\n".encode())
    return made.getvalue()
