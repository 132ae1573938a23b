"""The words of a bundle: what its README tells a lawyer, and how its small facts are spelled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailer.consent.rules import Withheld
from mailer.notices.proof.model import Received, Terminated
from mailer.notices.settling import REFUSED
from mailer.policies.models import Version

_PERSON = """\
EVIDENCE: {title}, version {number}, and the person {contact}

What this is
------------
This archive shows whether one person was told of one version of a document, when, and what followed. It was made by
the company's mailer from its own records. The records are a chain: whoever changes one of them later changes all that
come after it, and where the chain stands is published every day at {url}/ledger.

What is in it
-------------
timeline.txt        what happened, in order, and how the person's days were computed
texts/              the text before ("old") and the text after ("new"), in every language, word for word
changes/            what differs, as a page to read (.html), as text (.txt) and as data (.json)
mail/               the mails, byte for byte as they were sent, and the servers' answers (messages.json)
received/           what came back: bounces and replies, byte for byte as they came in
unproven/           mails of which the ledger has no entry; mostly there are none
terminations.json   requests to terminate
ledger/             the entries of the ledger that concern this, and the way of each to a published head
summary.json        the facts in short, for programs
manifest.json       the SHA-256 of every file
verify.py           checks all of this

How to check it
---------------
Install Python 3.8 or later, unpack the archive, and run in its folder:

    python3 verify.py

It uses no network and needs nothing else. It says in one sentence whether all holds, or what does not. You may use a
copy of verify.py that you got from somebody you trust instead of the one in here: python3 verify.py BUNDLE.zip

It checks
1. that no file was changed: every file has the SHA-256 of manifest.json;
2. that the texts, the mails and what was received are those whose SHA-256 the company's ledger recorded at the time;
3. that those entries stand in the ledger as it was published: each is led by hashes to the Merkle root of a head;
4. that the days of the person are those that the ledger recorded, and that they follow from the day of the notice by
   Regulation (EEC, Euratom) 1182/71: the day itself does not count, 30 days, and a last day that is a Saturday, a
   Sunday or a public holiday moves to the next working day.

Then compare the heads that it prints with what was published on those days: at {url}/ledger, in its feed, or in
anybody's copy of it. A head that is the same proves that the records are no younger than the day of its publication.

What it does not prove
----------------------
"Accepted" means that the next mail server took the mail. Nobody knows from that whether it was read. The line
DKIM-Signature, with which our server signs a mail as it leaves, stands before the bytes shown here and is not part of
them. What changes/ and timeline.txt say is made from the texts and the records and is not in the ledger by itself.
That an entry is in the ledger can be proven; that no other entry concerns this person cannot be seen from here. For
that the company can show the whole ledger: `mailer ledger export` writes it without any personal data.
{gaps}"""

_VERSION = """\
EVIDENCE: {title}, version {number}, as a whole

What this is
------------
This archive shows who was told of one version of a document and where each of them stands, by ids alone: nobody's name
or address is in it. It was made by the company's mailer from its own records, whose state is published every day at
{url}/ledger.

What is in it
-------------
people.jsonl.gz     everybody concerned, a line each: state, days, and the lists they stand on
lists/              those ids again, a file for each list: told by mail, not reached and why, terminated, agreed
told.jsonl.gz       every notice that a mail server took, in the batches of the ledger
summary.json        the counts, and the Merkle root over the lines of people.jsonl.gz (RFC 6962)
texts/ changes/     the texts before and after, and what differs
ledger/             the entries of the ledger that concern this, and the way of each to a published head
manifest.json       the SHA-256 of every file
verify.py           checks all of this

How to check it
---------------
Install Python 3.8 or later, unpack the archive, and run in its folder: python3 verify.py
It uses no network. It says in one sentence whether all holds, or what does not: that no file was changed, that counts
and lists are those of the people, that whoever counts as told by mail stands with the same days in a batch whose Merkle
root the ledger recorded, and that those entries stand in the ledger as it was published. Then compare the heads that
it prints with what was published: at {url}/ledger, in its feed, or in anybody's copy of it.

The evidence of one person, with mails and answers, is another archive: mailer evidence PERSON {version}
"""


def readme_of_person(version: Version, contact_id: str, url: str, gaps: list[str]) -> str:
    """What the archive is, what is in it, and how to check it; with what is missing and why."""
    missing = "".join(f"\nNote: {gap}.\n" for gap in gaps)
    return _PERSON.format(title=version.policy.title, number=version.number, contact=contact_id, url=url, gaps=missing)


def readme_of_version(version: Version, url: str) -> str:
    """The same for a whole version."""
    return _VERSION.format(title=version.policy.title, number=version.number, version=version.id, url=url)


def received(one: Received) -> dict[str, Any]:
    """A mail that came in."""
    return {
        "mail": one.id,
        "received_at": one.received_at.isoformat(),
        "door": one.door,
        "read_as": one.kind,
        "sha256": one.sha256,
    }


def termination(one: Terminated) -> dict[str, Any]:
    """A request to terminate."""
    return {
        "termination": one.id,
        "came_by": one.source_id,
        "state": one.state,
        "timing": one.timing,
        "received_at": one.received_at.isoformat(),
        "received_on": one.received_on.isoformat(),
        "respond_by_on": one.respond_by_on.isoformat() if one.respond_by_on else None,
        "recorded_at": _instant(one.recorded_at),
    }


def reason(why: str) -> str:
    """Why somebody is not reached, as the name of a list."""
    if why in set(Withheld):
        return why
    return "refused" if why == REFUSED else "bounced"


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
