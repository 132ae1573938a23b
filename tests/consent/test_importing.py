from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from mailer import db
from mailer.admin.cli import contact as cli
from mailer.consent import actions, importing, people_file, queries
from mailer.consent.models import Subscription
from mailer.consent.rules import Basis, SuppressionReason
from mailer.contacts import actions as contacts
from mailer.contacts import queries as contact_queries
from mailer.contacts.models import Contact
from mailer.contacts.rules import Origin
from tests import factories

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
HEADER = "email,name,origin,topics,consent_wording,consent_at,consent_evidence,contract_id"
SAID = '"Yes, news.",2025-01-02T09:00:00+01:00,form 7,'


@pytest.fixture
def home(database: str, tmp_path: Path) -> Path:
    """A folder for files, and the topics news and events in the database."""
    with db.transaction() as session:
        factories.topic(session, "news")
        factories.topic(session, "events")
    return tmp_path


def take(home: Path, *rows: str, header: str = HEADER) -> importing.Report:
    return take_bytes(home, "\n".join([header, *rows, ""]).encode())


def take_bytes(home: Path, data: bytes) -> importing.Report:
    path = home / "people.csv"
    path.write_bytes(data)
    return importing.import_file(path, source="people.csv")


def find(email: str) -> Contact | None:
    with db.reading() as session:
        return contact_queries.find_by_address(session, email)


def reads(email: str, topic: str = "news") -> bool:
    with db.reading() as session:
        who = contact_queries.find_by_address(session, email)
        said = queries.subscriptions(session, who.id) if who else {}
        return topic in said and said[topic].is_subscribed


def count() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Contact)) or 0


def test_people_come_in_with_their_consent(home: Path) -> None:
    report = take(
        home,
        f"anna@people.example,Anna,subscriber,news;events,{SAID}",
        "bob@people.example,Bob,account_holder,,,,,",
        "carl@people.example,Carl,third_party,,,,,",
    )
    assert (report.added, report.known, report.subscribed, report.faults) == (3, 0, 2, [])
    assert reads("anna@people.example", "events")
    with db.reading() as session:
        anna = contact_queries.look_up(session, "anna@people.example")
        event = queries.history(session, anna.id)[0]
        assert (event.wording, event.basis, event.at) == (
            "Yes, news.",
            Basis.CONSENT,
            datetime(2025, 1, 2, 8, tzinfo=UTC),
        )


def test_a_time_zone_comes_in_and_an_unknown_one_is_named(home: Path) -> None:
    rows = ("anna@people.example,subscriber,America/New_York", "bob@people.example,subscriber,Mars/Olympus")
    report = take(home, *rows, header="email,origin,time_zone")
    anna = find("anna@people.example")
    assert anna is not None
    assert anna.time_zone == "America/New_York"
    assert [(fault.line, fault.words.split(";")[0]) for fault in report.faults] == [
        (3, "time_zone: “Mars/Olympus” is not in the IANA list of time zones")
    ]
    assert find("bob@people.example") is None
    shown = CliRunner().invoke(cli, ["show", "anna@people.example"])
    assert "time zone  America/New_York" in shown.output
    exported = CliRunner().invoke(cli, ["export"])
    assert "America/New_York" in exported.output


def test_a_contract_makes_it_a_soft_opt_in(home: Path) -> None:
    take(home, 'anna@people.example,Anna,account_holder,news,"Shown.",2025-01-02,box shown on the order,C-17')
    with db.reading() as session:
        anna = contact_queries.look_up(session, "anna@people.example")
        event = queries.history(session, anna.id)[0]
        assert event.basis is Basis.SOFT_OPT_IN
        assert event.at == datetime(2025, 1, 1, 23, tzinfo=UTC)  # midnight in Amsterdam


def test_a_person_twice_in_the_file_or_known_already_is_corrected_and_not_doubled(home: Path) -> None:
    row = f"anna@people.example,{{}},subscriber,news,{SAID}"
    assert take(home, row.format("Ann"), row.format("Anna").replace("anna@", "ANNA@")).known == 1
    report = take(home, row.format("Anna de Vries"))
    assert (report.added, report.known, report.subscribed, count()) == (0, 1, 0, 1)
    who = find("anna@people.example")
    assert who is not None
    assert who.name == "Anna de Vries"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("no-address,Anna,subscriber,,,,,", "email: “no-address” is not a mail address"),
        ("anna@people.example,Anna,customer,,,,,", "origin: “customer” is not one of"),
        ("anna@people.example,Anna,,,,,,", "origin: “” is not one of"),
        ("anna@people.example,=?utf-8?q?x?=,subscriber,,,,,", "name: "),
        ('anna@people.example,"An\nna",subscriber,,,,,', "name: "),
        ("anna@people.example,Anna,subscriber", "it has 3 cells; the header has 8."),
        (f"anna@people.example,Anna,third_party,news,{SAID}", "topics: a person entered by a customer may have none"),
        ('anna@people.example,Anna,subscriber,news,"Yes.",2025-01-02,,', "consent_evidence: "),
        ('anna@people.example,Anna,subscriber,news,"Yes.",2025-01-02, ,', "consent_evidence: "),
        ("anna@people.example,Anna,subscriber,news,,2025-01-02,form 7,", "consent_wording: "),
        ('anna@people.example,Anna,subscriber,news,"Yes.",02-01-2025,form 7,', "consent_at: “02-01-2025” is no date"),
        (
            'anna@people.example,Anna,subscriber,news,"Yes.",0001-01-01T00:00:00+14:00,form 7,',
            "consent_at: “0001-01-01T00:00:00+14:00” is no date",
        ),
        (
            'anna@people.example,Anna,subscriber,news,"Yes.",2999-01-02,form 7,',
            "consent_at: 2999-01-02 is still to come",
        ),
        (
            f"anna@people.example,Anna,subscriber,sport,{SAID}",
            "topic: “sport” is not a topic; the topics are: events, news",
        ),
        ('"anna@people.example"x,Anna,subscriber,,,,,', "the line cannot be read as CSV"),
    ],
)
def test_a_faulty_row_is_named_by_line_and_reason_and_the_rest_comes_in(home: Path, row: str, words: str) -> None:
    report = take(home, "bob@people.example,Bob,account_holder,,,,,", row, "carl@people.example,Carl,third_party,,,,,")
    assert [fault.line for fault in report.faults] == [3]
    assert report.faults[0].words.startswith(words)
    assert report.people == count() == 2
    assert find("anna@people.example") is None


def test_an_account_holder_with_faulty_consent_comes_in_without_newsletters(home: Path) -> None:
    report = take(home, 'anna@people.example,Anna,account_holder,news,"Yes.",2025-01-02,,')
    assert report.people == 1
    assert report.faults[0].words.endswith("The person was imported without newsletters.")
    assert not reads("anna@people.example")


def test_an_import_never_subscribes_again_who_left(home: Path) -> None:
    row = f"anna@people.example,Anna,subscriber,news;events,{SAID}"
    take(home, row)
    with db.transaction() as session:
        anna = contact_queries.look_up(session, "anna@people.example")
        actions.leave_all(session, anna, source="one-click", at=AT)
    report = take(home, row)
    assert report.subscribed == 0
    assert [remark.words for remark in report.remarks] == [
        f"{topic}: left newsletters on 01 March 2026; not subscribed again." for topic in ("news", "events")
    ]
    assert not reads("anna@people.example")
    with db.reading() as session:
        assert SuppressionReason.UNSUBSCRIBED in queries.reasons_against(session, "anna@people.example")


def test_an_import_respects_one_who_left_before_any_topic_was_known(home: Path) -> None:
    with db.transaction() as session:
        actions.suppress(session, "anna@people.example", SuppressionReason.UNSUBSCRIBED, source="list", at=AT)
    assert take(home, f"anna@people.example,Anna,subscriber,news,{SAID}").subscribed == 0


def test_an_import_clears_no_suppression_opens_no_account_weakens_no_origin(home: Path) -> None:
    with db.transaction() as session:
        anna = factories.contact(session, "anna@people.example", locale="nl")
        contacts.close(session, anna, AT)
        for reason in SuppressionReason:
            actions.suppress(session, "anna@people.example", reason, source="test", at=AT)
    take(home, "anna@people.example,Anna,third_party,,,,,", f"anna@people.example,Anna,subscriber,news,{SAID}")
    with db.reading() as session:
        anna = contact_queries.look_up(session, "anna@people.example")
        assert (anna.origin, anna.closed_at, anna.locale) == (Origin.ACCOUNT_HOLDER, AT, "nl")
        assert queries.reasons_against(session, "anna@people.example") == set(SuppressionReason)


def test_the_erased_are_not_brought_back(home: Path) -> None:
    with db.transaction() as session:
        contacts.erase(session, factories.contact(session, "anna@people.example"), AT)
    report = take(home, "anna@people.example,Anna,account_holder,,,,,")
    assert "erased" in report.faults[0].words
    assert find("anna@people.example") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is missing email, origin"),
        (b"email,name\n", "is missing origin; the columns are email, name, company"),
        (b"email,origin,phone,fax\n", "does not know “phone”, “fax”"),
        (b"email,e-mail,name\n", "is missing origin and does not know “e-mail”"),
        (b"email,origin,email\n", "has twice email"),
        (b"email;name;origin\nanna@people.example;Anna;subscriber\n", "separated by “;”"),
        (f"{HEADER}\nanna@people.example,Zo\xeb,subscriber,,,,,\n".encode("latin-1"), "line 2 is not UTF-8"),
        (HEADER.encode("utf-16"), "line 1 is not UTF-8"),
        (f"{HEADER}\na@people.example,Zo".encode() + b"\xc3", "line 2 is not UTF-8"),
    ],
)
def test_a_file_that_is_not_of_people_is_refused_in_one_sentence_and_as_a_whole(
    home: Path, data: bytes, words: str
) -> None:
    with pytest.raises(people_file.BadFile) as refused:
        take_bytes(home, data)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert count() == 0


def test_a_byte_order_mark_blank_lines_and_other_line_ends_are_no_fault(home: Path) -> None:
    report = take_bytes(home, b"\xef\xbb\xbfEmail, Origin\r\n\r\nanna@people.example,subscriber\r\n,\r\n")
    assert (report.added, report.faults) == (1, [])


def test_a_big_file_comes_in_by_several_transactions(home: Path) -> None:
    rows = [f"p{n}@people.example,P,account_holder,,,,," for n in range(1_203)]
    rows[700] = "broken,P,account_holder,,,,,"
    report = take(home, *rows)
    assert (report.added, [fault.line for fault in report.faults]) == (1_202, [702])


def test_others_write_while_a_big_file_comes_in(home: Path) -> None:
    path = home / "people.csv"
    path.write_text("\n".join(["email,origin", *(f"p{n}@people.example,account_holder" for n in range(500)), ""]))
    importer = threading.Thread(target=importing.import_file, args=(path,), kwargs={"source": "people.csv"})
    importer.start()
    seen = set()
    while importer.is_alive():
        with db.transaction() as session:
            seen.add(session.scalar(select(func.count()).select_from(Contact)))
    assert len(seen - {0, 500}) >= 3  # between the parts of the file, and not only before and after


def run(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=said)


def test_the_command_tells_what_came_in_and_what_did_not(home: Path) -> None:
    path = home / "people.csv"
    path.write_text(f"{HEADER}\nanna@people.example,Anna,subscriber,news,{SAID}\nbroken,Bob,subscriber,,,,,\n")
    result = run("import", str(path), "--source", "spring fair")
    assert result.exit_code == 0
    assert "1 people imported: 1 new, 0 known already; 1 subscriptions added." in result.output
    assert "line 3: email: “broken”" in result.output
    shown = run("show", "anna@people.example").output
    assert "news: granted, consent, by spring fair" in shown
    exported = run("export").output.splitlines()
    assert exported[0].startswith("id,email,name")
    assert "anna@people.example,Anna" in exported[1]


def test_erasing_wants_the_id_typed_or_yes(home: Path) -> None:
    with db.transaction() as session:
        anna = factories.contact(session, "anna@people.example")
    assert run("erase", "anna@people.example", said="yes\n").exit_code != 0
    assert find("anna@people.example") is not None
    assert run("erase", "anna@people.example", said=f"{anna.id}\n").exit_code == 0
    assert find("anna@people.example") is None
    with db.transaction() as session:
        bob = factories.contact(session, "bob@people.example")
    assert "is erased" in run("erase", bob.id, "--yes").output


def test_subscriptions_are_counted_once(home: Path) -> None:
    assert take(home, f"anna@people.example,Anna,subscriber,news; news;,{SAID}").subscribed == 1
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 1


@pytest.mark.parametrize(("cell", "is_consumer"), [("yes", True), ("1", True), ("No", False), ("", False)])
def test_a_file_says_who_is_a_consumer(home: Path, cell: str, is_consumer: bool) -> None:
    take(home, f"anna@people.example,account_holder,{cell}", header="email,origin,consumer")
    found = find("anna@people.example")
    assert found is not None
    assert found.is_consumer is is_consumer


def test_a_file_without_the_column_changes_no_consumer(home: Path) -> None:
    take(home, "anna@people.example,account_holder,yes", header="email,origin,consumer")
    take(home, "anna@people.example,account_holder", header="email,origin")
    found = find("anna@people.example")
    assert found is not None
    assert found.is_consumer
    report = take(home, "anna@people.example,account_holder,maybe", header="email,origin,consumer")
    assert "neither yes nor no" in report.faults[0].words


def test_an_agreement_is_no_word_about_marketing(home: Path) -> None:
    given = {"basis": Basis.CONSENT, "wording": "Yes.", "source": "agreement/ver_1", "evidence": "click"}
    with db.transaction() as session:
        who = factories.contact(session, "anna@people.example")
        with pytest.raises(actions.NoConsent):
            actions.grant(session, who, "news", at=AT, **given)  # type: ignore[arg-type]
    assert not reads("anna@people.example")
