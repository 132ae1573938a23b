"""The evidence of one person: whole, the same bytes each time, and honest about what it has not."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import clock, db, settings
from mailer.admin import erasure
from mailer.contacts import actions as people
from mailer.contacts import queries as contacts
from mailer.inbound.desk import DeskState
from mailer.inbound.models import InboundBytes, InboundMail
from mailer.ledger import queries as ledger
from mailer.ledger.models import LedgerEntry
from mailer.ledger.rules import Whole
from mailer.notices import actions as notices
from mailer.notices import agreement, queries, unreached
from mailer.notices.proof.model import NothingToProve, NotProven
from mailer.notices.rules import Via
from mailer.outbox.models import Message
from mailer.policies.models import Version
from mailer.terminations import queries as terminations
from tests import factories
from tests.conftest import Configure
from tests.ledger.test_actions import tamper
from tests.notices.proof.conftest import PEOPLE, Check, Story, files_of, messages_of, publish, run_verifier

ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_it_holds_everything_about_one_person_and_one_version(
    story: Story, session: Session, check: Check, tmp_path: Path
) -> None:
    data = story.bundle("anna")
    code, said = check(data)
    assert (code, said.split(":")[0]) == (0, "All holds"), said
    assert "1 mail as sent, byte for byte; the days follow from the day of the notice." in said
    files = files_of(data, tmp_path)
    message = messages_of(session, story.people["anna"])[0]
    assert hashlib.sha256(files[f"mail/{message.id}.eml"]).hexdigest() == message.sha256
    answers = json.loads(files["mail/messages.json"])[0]["answers"]
    assert [(one["outcome"], one["code"]) for one in answers] == [("accepted", 250)]
    mail = session.scalars(select(InboundMail).where(InboundMail.contact_id == story.people["anna"])).one()
    assert files[f"received/{mail.id}.eml"] == mail.raw
    assert json.loads(files["terminations.json"])[0]["timing"] == "in_time"
    assert b"two years" in files["texts/old.en.md"]
    assert b"seven years" in files["texts/new.en.md"]
    assert {"changes/en.json", "changes/en.html", "changes/en.txt", "README.txt", "verify.py"} <= set(files)
    told = files["timeline.txt"].decode()
    order = ("was released", "was planned", "took msg_", "A mail came in", "A termination was received, in time")
    assert [told.index(words) for words in order] == sorted(told.index(words) for words in order)
    assert "The day itself does not count." in told.replace("\n", " ")
    assert "by the clock; not at all, for the person terminated\n" in told


def test_a_consumer_is_not_said_to_be_bound_by_the_clock_alone(story: Story, tmp_path: Path) -> None:
    alone = "by the clock; a consumer only once they agree"
    assert alone not in files_of(story.bundle("cora"), tmp_path)["timeline.txt"].decode()
    with db.transaction() as session:
        who = contacts.get(session, story.people["cora"])
        people.set_consumer(session, who, True, clock.now(), factories.staff(session).id)
    assert alone in files_of(story.bundle("cora"), tmp_path)["timeline.txt"].decode()


def test_what_was_withdrawn_is_not_said_to_bind(story: Story, tmp_path: Path) -> None:
    with db.transaction() as session:
        version = session.get_one(Version, story.version)
        notices.withdraw(session, version, factories.staff(session).id, "A mistake.", clock.now())
    told = files_of(story.bundle("cora"), tmp_path)["timeline.txt"].decode()
    assert "by the clock; not at all, for the notice ended\n" in told


def test_nobody_elses_name_or_id_is_in_it(story: Story, tmp_path: Path) -> None:
    whole = b"".join(files_of(story.bundle("anna"), tmp_path).values())
    for first, name in PEOPLE.items():
        is_hers = first == "anna"
        assert (name.split()[0].encode() in whole) == is_hers
        assert (story.people[first].encode() in whole) == is_hers


def test_the_unpacked_folder_checks_itself(story: Story, tmp_path: Path) -> None:
    (tmp_path / "evidence.zip").write_bytes(story.bundle("anna"))
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        archive.extractall(tmp_path / "open")
    code, said = run_verifier(tmp_path / "open" / "verify.py")
    assert (code, said.split(":")[0]) == (0, "All holds"), said
    (tmp_path / "open" / "mail" / "more.eml").write_text("x")
    assert run_verifier(tmp_path / "open" / "verify.py") == (
        1,
        "This does not hold: mail/more.eml does not belong here.",
    )


def test_the_same_records_give_the_same_bytes_also_after_later_heads(story: Story) -> None:
    first = story.bundle("anna")
    assert story.bundle("anna") == first  # that it was given is recorded, and is no part of it
    publish(days=1)
    assert story.bundle("anna") == first


def test_a_mail_that_came_back_is_in_it_and_no_days_are(story: Story, check: Check, tmp_path: Path) -> None:
    data = story.bundle("bas")
    code, said = check(data)
    assert code == 0, said
    assert said.endswith("no days are proven.")
    files = files_of(data, tmp_path)
    assert json.loads(files["summary.json"])["clock"] is None
    assert any(b"message/delivery-status" in body for name, body in files.items() if name.startswith("received/"))
    kinds = [json.loads(line)[1] for line in files["ledger/entries.jsonl"].splitlines()]
    assert {"notice.voided", "message.bounced", "notice.unreached", "inbound.kept"} <= set(kinds)


def test_what_no_published_head_holds_yet_is_said_and_is_published_a_day_later(
    story: Story, session: Session, check: Check
) -> None:
    with db.transaction() as writing:
        notices.withdraw(
            writing, writing.get_one(Version, story.version), factories.staff(writing).id, "Not now.", clock.now()
        )
    code, said = check(story.bundle("cora"))
    assert code == 0, said
    assert "1 entry in it that no published head holds yet" in said
    publish(days=1)
    assert "no published head" not in check(story.bundle("cora"))[1]


def test_deemed_agreement_is_in_it_with_its_place_in_the_batch(story: Story, check: Check, tmp_path: Path) -> None:
    later = clock.now() + timedelta(days=80)
    with db.transaction() as session:
        version = session.get_one(Version, story.version)
        for first in ("anna", "cora"):
            who = contacts.get(session, story.people[first])
            people.record_use(session, who, later.date(), later, "trac", automatic=False)
        recorded = terminations.recorded(version.id)
        undecided = terminations.undecided(version.id)
        assert agreement.deem(session, version, later.date(), later, terminated=recorded, undecided=undecided) == 1
    data = story.bundle("cora")
    assert check(data)[0] == 0
    files = files_of(data, tmp_path)
    assert json.loads(files["summary.json"])["agreement"]["how"] == "deemed"
    said = [leaf["said"] for leaf in json.loads(files["ledger/proof.json"])["leaves"] if "said" in leaf]
    assert any(line.startswith(f"{story.people['cora']} ") for line in said)
    assert json.loads(files_of(story.bundle("anna"), tmp_path)["summary.json"])["agreement"] is None


def test_agreements_derived_at_one_instant_in_two_batches_are_each_proven(
    story: Story, check: Check, tmp_path: Path
) -> None:
    later = clock.now() + timedelta(days=80)
    first, second = sorted(story.people[name] for name in ("anna", "cora"))
    with db.transaction() as session:
        version = session.get_one(Version, story.version)
        for person in (first, second):
            people.record_use(session, contacts.get(session, person), later.date(), later, "trac", automatic=False)
        nobody = terminations.undecided("")
        found = {"terminated": nobody, "undecided": nobody}
        assert agreement.deem(session, version, later.date(), later, until=first, **found) == 1
        assert agreement.deem(session, version, later.date(), later, after=first, **found) == 1
    for name in ("anna", "cora"):
        data = story.bundle(name)
        assert check(data)[0] == 0
        leaves = json.loads(files_of(data, tmp_path)["ledger/proof.json"])["leaves"]
        assert any(leaf.get("said", "").startswith(f"{story.people[name]} ") for leaf in leaves)


def test_the_days_of_a_letter_are_those_of_its_own_entry(story: Story, check: Check, tmp_path: Path) -> None:
    at = clock.now()
    with db.transaction() as session:
        notice = queries.find(session, story.version, story.people["bas"])
        assert notice is not None
        on = clock.local_day(at, settings.current().zone)
        unreached.record_letter(session, notice, on, "item RR1", factories.staff(session).id, at)
    data = story.bundle("bas")
    code, said = check(data)
    assert code == 0, said
    assert "the days follow from the day of the notice" in said
    files = files_of(data, tmp_path)
    clock_ = json.loads(files["summary.json"])["clock"]
    assert (clock_["leaf"], isinstance(clock_["entry"], int)) == (None, True)
    assert "A letter was handed over on" in files["timeline.txt"].decode()


def test_express_agreement_is_in_it_with_the_digest_of_its_words(story: Story, check: Check, tmp_path: Path) -> None:
    with db.transaction() as session:
        notice = queries.find(session, story.version, story.people["cora"])
        assert notice is not None
        assert agreement.agree(session, notice, "I agree.", "link", clock.now())
    data = story.bundle("cora")
    assert check(data)[0] == 0
    files = files_of(data, tmp_path)
    said = json.loads(files["summary.json"])["agreement"]
    assert (said["how"], said["wording_sha256"]) == ("expressly", hashlib.sha256(b"I agree.").hexdigest())
    assert said["wording_sha256"] in files["ledger/entries.jsonl"].decode()
    assert json.loads(files_of(story.whole(), tmp_path)["summary.json"])["counts"]["agreed_expressly"] == 1


def test_an_erased_person_is_in_nothing_and_the_proof_of_the_act_stays(
    story: Story, session: Session, check: Check, tmp_path: Path
) -> None:
    before = files_of(story.bundle("anna"), tmp_path)
    with db.transaction() as writing:
        erasure.erase(writing, contacts.get(writing, story.people["anna"]), clock.now())
    data = story.bundle("anna")
    code, said = check(data)
    assert code == 0, said
    assert " is not in it: the person was erased; its SHA-256 and its place in the ledger stay" in said
    files = files_of(data, tmp_path)
    assert not any(b"anna" in body.lower() or b"Vries" in body for body in files.values())
    assert {name for name in before if name.endswith(".eml")} & set(files) == set()
    leaves = json.loads(files["ledger/proof.json"])["leaves"]
    digest = session.scalars(select(Message.sha256).where(Message.contact_id == story.people["anna"])).first()
    assert digest in {leaf.get("sha256") for leaf in leaves}
    assert json.loads(files["summary.json"])["clock"]["respond_by_on"]
    assert "contact.erased" in files["ledger/entries.jsonl"].decode()
    session.rollback()
    assert isinstance(ledger.verify(session), Whole)


@ONE_DATABASE
def test_a_mail_that_cannot_be_made_again_is_named_never_left_out_silently(
    story: Story, check: Check, configure: Configure, tmp_path: Path
) -> None:
    configure(secret_keys="another-key-and-the-old-one-is-lost-" * 2)
    data = story.bundle("anna")
    code, said = check(data)
    assert code == 0, said
    assert "it could not be made again: Key " in said
    assert "Note: msg_" in files_of(data, tmp_path)["README.txt"].decode()


@ONE_DATABASE
def test_a_reply_whose_coming_the_ledger_does_not_have_is_shown_as_unproven(
    story: Story, session: Session, check: Check, tmp_path: Path
) -> None:
    sent = messages_of(session, story.people["cora"])[0]
    session.add(InboundBytes(sha256="0" * 64, raw=b"Hello", size=5))
    session.flush()
    mail = InboundMail(id="inb_01kanxw4fh8xq2d5c7v9b3m6np", sha256="0" * 64, twin="0" * 64, sender="", recipient="")
    mail.door, mail.received_at, mail.state, mail.message_row = "smtp", clock.now(), DeskState.SETTLED, sent.row
    mail.contact_id = story.people["cora"]
    session.add(mail)
    session.commit()
    data = story.bundle("cora")
    code, said = check(data)
    assert code == 0, said
    assert f"{mail.id} stands under unproven, for the ledger has no entry of it" in said
    assert files_of(data, tmp_path)[f"unproven/{mail.id}.eml"] == b"Hello"


@ONE_DATABASE
def test_a_mail_whose_bytes_differ_is_not_shown_as_the_one_that_was_sent(
    story: Story, session: Session, check: Check, tmp_path: Path
) -> None:
    message = messages_of(session, story.people["anna"])[0]
    message.name = "Somebody Else"
    session.commit()
    data = story.bundle("anna")
    code, said = check(data)
    assert code == 0, said
    assert "made again it has other bytes than those that were sent" in said
    assert f"mail/{message.id}.eml" not in files_of(data, tmp_path)


@ONE_DATABASE
def test_that_evidence_was_given_is_recorded_with_its_digest(story: Story, session: Session) -> None:
    data = story.bundle("anna")
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "evidence.given")).one()
    assert json.loads(entry.subjects) == {
        "by": "test",
        "contact": story.people["anna"],
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": story.version,
    }


@ONE_DATABASE
def test_a_mail_of_which_no_batch_was_recorded_is_shown_as_unproven(
    story: Story, session: Session, check: Check, tmp_path: Path
) -> None:
    message = messages_of(session, story.people["anna"])[0]
    message.batch, file = None, f"unproven/{message.id}.eml"
    session.commit()
    data = story.bundle("anna")
    assert file in files_of(data, tmp_path)
    code, said = check(data)
    assert code == 0, said
    assert "0 mails as sent, byte for byte" in said
    assert " stands under unproven, for the ledger has no entry of it" in said


@ONE_DATABASE
def test_days_that_the_ledger_does_not_have_are_said_to_be_unproven(
    story: Story, session: Session, check: Check
) -> None:
    notice = queries.find(session, story.version, story.people["cora"])
    assert notice is not None
    notice.via = Via.LETTER  # of which there is no entry
    session.commit()
    code, said = check(story.bundle("cora"))
    assert code == 0, said
    assert said.endswith(
        "no days are proven; the days of this person are not in the ledger, so nothing here proves them."
    )


@ONE_DATABASE
def test_records_that_the_ledger_does_not_bear_out_make_no_bundle(story: Story, session: Session) -> None:
    other = messages_of(session, story.people["bas"])[0]
    other.sha256 = "0" * 64  # in the same batch: its root is another now
    session.commit()
    with pytest.raises(NotProven, match="is not what was recorded"):
        story.bundle("anna")


@ONE_DATABASE
def test_a_ledger_that_is_not_the_published_one_makes_no_bundle(story: Story, session: Session) -> None:
    tamper(session, "UPDATE ledger_entries SET hash = '" + "0" * 64 + "' WHERE seq = 1")
    session.commit()
    with pytest.raises(NotProven, match="The ledger is not the one published on"):
        story.bundle("anna")


@ONE_DATABASE
def test_who_has_no_notice_has_no_evidence(story: Story) -> None:
    with db.transaction() as session:
        stranger = factories.contact(session).id
    with pytest.raises(NothingToProve, match="no notice of this version"):
        Story(story.version, {"eve": stranger}).bundle("eve")
