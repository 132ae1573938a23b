"""The list of people: every filter shows exactly those whom its number counts, page by page, to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer.admin.notices import summary
from mailer.contacts.models import Contact
from mailer.notices import actions as notices
from mailer.notices import agreement, listing, search
from mailer.notices.listing import Person, Show, Wanted
from mailer.notices.models import DeemedAgreement, Notice
from mailer.notices.queries import NoSuchNotice
from mailer.outbox.rules import State
from mailer.policies.models import Version
from mailer.terminations import queries as terminations
from tests import factories
from tests.notices.conftest import AT, TODAY, Release, accept, fan_out, message_of, settle

LATER = AT + timedelta(days=20)  # so late that the version binds them after its day


@dataclass
class Told:
    """A version and nine people in all the places where one may stand."""

    version: Version
    people: dict[str, Contact]


@pytest.fixture
def told(session: Session, release: Release) -> Told:
    names = "waits", "early", "late", "refused", "bounced", "terminated", "deemed", "agreed", "also early"
    people = {
        name: factories.contact(session, f"{name.replace(' ', '.')}@people.example", name=f"Ina {name}", reference=name)
        for name in names
    }
    version, mailing = release()
    assert mailing is not None
    fan_out(session, mailing)
    for name in ("early", "bounced", "terminated", "deemed", "agreed", "also early"):
        accept(session, version, people[name])
    accept(session, version, people["late"], LATER)
    settle(session, message_of(session, version, people["refused"]), State.REFUSED)
    notices.bounced(session, message_of(session, version, people["bounced"]), AT, "5.1.1")
    session.add(factories.termination(version, people["terminated"], AT))
    session.add(_agreed(version, people["deemed"]))
    mine = session.scalars(select(Notice).where(Notice.contact_id == people["agreed"].id)).one()
    agreement.agree(session, mine, "Yes.", "test", AT)
    session.commit()
    return Told(version, people)


def _agreed(version: Version, who: Contact) -> DeemedAgreement:
    days = {"notified_on": TODAY, "binding_on": TODAY, "used_on": TODAY}
    return DeemedAgreement(version_id=version.id, contact_id=who.id, at=AT, **days)


def wanted(version: Version, show: Show = Show.ALL, **more: Any) -> Wanted:
    from_on = version.effective_on if show is Show.LATE else date(2026, 12, 28)  # the last days of the early are over
    return replace(Wanted(version.id, terminations.recorded(version.id), from_on, show), **more)


def names(people: Sequence[Person]) -> set[str]:
    return {one.contact.reference or "" for one in people}


TOLD = {"early", "also early", "late", "terminated", "deemed", "agreed"}
SHOWN = {
    Show.ALL: {*TOLD, "waits", "refused", "bounced"},
    Show.PLANNED: {"waits"},
    Show.ACCEPTED: TOLD,
    Show.OPEN: {"late"},
    Show.LATE: {"late"},
    Show.UNREACHED: {"refused", "bounced"},
    Show.ENDED: set(),
    Show.TERMINATED: {"terminated"},
    Show.DEEMED: {"deemed"},
    Show.AGREED: {"agreed"},
}


@pytest.mark.parametrize("show", Show)
def test_a_filter_shows_whom_its_number_counts(session: Session, told: Told, show: Show) -> None:
    found = listing.page(session, wanted(told.version, show))
    assert (names(found.people), found.mark) == (SHOWN[show], "")
    counts = summary.of(session, told.version, AT + timedelta(days=34)).counts  # the 28th of December
    assert counts[show] == len(SHOWN[show])


@pytest.mark.parametrize("show", [Show.ALL, Show.ACCEPTED, Show.UNREACHED])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_end_to_end_show_everybody_once(session: Session, told: Told, show: Show, size: int) -> None:
    asked, seen = wanted(told.version, show), []
    for _ in range(20):
        page = listing.page(session, asked, size)
        seen += [one.contact.reference or "" for one in page.people]
        if not page.mark:
            break
        asked = replace(asked, after=page.mark)
    assert (sorted(seen), len(seen)) == (sorted(SHOWN[show]), len(set(seen)))
    assert {line.reference for line in listing.everybody(session, wanted(told.version, show))} == SHOWN[show]


def test_whose_window_ends_first_comes_first_across_pages(session: Session, told: Told) -> None:
    session.execute(update(Notice).where(Notice.respond_by_on.is_not(None)).values(respond_by_on=date(2027, 1, 5)))
    first = told.people["also early"]
    session.execute(update(Notice).where(Notice.contact_id == first.id).values(respond_by_on=date(2027, 1, 4)))
    asked, seen = wanted(told.version, Show.OPEN), []
    while True:
        page = listing.page(session, asked, 2)
        seen += [one.contact.reference for one in page.people]
        if not page.mark:
            break
        asked = replace(asked, after=page.mark)
    assert (seen[0], set(seen), len(seen)) == ("also early", TOLD, len(TOLD))


def test_a_mark_that_is_none_of_ours_begins_anew(session: Session, told: Told) -> None:
    for show in (Show.OPEN, Show.LATE):
        assert names(listing.page(session, wanted(told.version, show, after="x~")).people) == {"late"}


@pytest.mark.parametrize(
    ("reason", "who"), [("refused", {"refused"}), ("bounced", {"bounced"}), ("dead_address", set())]
)
def test_the_unreached_are_told_apart_by_reason(session: Session, told: Told, reason: str, who: set[str]) -> None:
    assert names(listing.page(session, wanted(told.version, Show.UNREACHED, reason=reason)).people) == who


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("LATE", {"late"}),  # the reference is “late”; “LATE” is a part of the name
        ("ina e", {"early"}),
        ("early@", {"early", "also early"}),
        ("also.early@people.example", {"also early"}),
        ("terminated", {"terminated"}),
        ("EARLY@P", {"early", "also early"}),
        ("%", set()),
        (".*", set()),
        ("(", set()),
        ("nobody", set()),
    ],
)
def test_words_find_a_part_of_a_name_or_address_or_a_whole_reference(
    session: Session, told: Told, words: str, who: set[str]
) -> None:
    assert names(listing.page(session, wanted(told.version, words=words)).people) == who


@pytest.mark.parametrize("stored", ["Zoë Éclair", "ZOË ÉCLAIR"])
@pytest.mark.parametrize("words", ["zoë", "ZOË", "Zoë É", "éclair", "Éclair"])
def test_letters_beyond_ascii_are_found_small_or_capital(session: Session, told: Told, stored: str, words: str) -> None:
    told.people["late"].name = stored
    session.flush()
    assert names(listing.page(session, wanted(told.version, words=words)).people) == {"late"}


def test_where_many_go_by_some_words_the_same_people_are_found(
    session: Session, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    for few in (0, 1_000):
        monkeypatch.setattr(search, "FEW", few)
        for words, who in (("ina", SHOWN[Show.ALL]), ("INA E", {"early"}), ("early@p", {"early", "also early"})):
            assert names(listing.page(session, wanted(told.version, words=words)).people) == who


def test_an_id_finds_its_person_and_filters_still_hold(session: Session, told: Told) -> None:
    mine = told.people["late"].id
    assert names(listing.page(session, wanted(told.version, words=mine)).people) == {"late"}
    assert names(listing.page(session, wanted(told.version, Show.PLANNED, words="ina")).people) == {"waits"}
    assert names(listing.page(session, wanted(told.version, Show.TERMINATED, words="ina")).people) == {"terminated"}


def test_a_person_comes_with_every_answer(session: Session, told: Told) -> None:
    def get(name: str) -> Person:
        recorded = terminations.recorded(told.version.id)
        return listing.get(session, told.version.id, told.people[name].id, recorded)

    assert (get("terminated").has_terminated, get("late").has_terminated) == (True, False)
    assert (get("deemed").deemed_on, get("late").deemed_on) == (TODAY, None)
    assert get("agreed").agreed_at == AT
    assert get("early").email == "early@people.example"
    with pytest.raises(NoSuchNotice):
        listing.get(session, told.version.id, "con_0", terminations.recorded(told.version.id))
