"""A link to a section leads there in every later version."""

import pytest

from mailer.policies.diff.anchors import carried, fresh

FIRST = "# Policy\n\n## A. Scope\n\nThis is for all who use it.\n\n## B. Cookies\n\nWe set one cookie and no more.\n"


def test_the_ids_of_a_first_version_are_its_titles() -> None:
    assert fresh(FIRST) == ["policy", "a-scope", "b-cookies"]


def test_a_renumbered_or_reworded_section_keeps_its_id() -> None:
    later = FIRST.replace("## B. Cookies", "## C. Cookies").replace("## A. Scope", "## A. New\n\nNew.\n\n## B. Scope")
    assert carried(FIRST, fresh(FIRST), later) == ["policy", "a-new", "a-scope", "b-cookies"]
    reworded = FIRST.replace("B. Cookies", "B. Cookies and the like of them")
    assert carried(FIRST, fresh(FIRST), reworded) == ["policy", "a-scope", "b-cookies"]


def test_a_moved_section_keeps_its_id() -> None:
    moved = (
        "# Policy\n\n## B. Cookies\n\nWe set one cookie and no more.\n\n## A. Scope\n\nThis is for all who use it.\n"
    )
    assert carried(FIRST, fresh(FIRST), moved) == ["policy", "b-cookies", "a-scope"]


def test_an_id_that_was_carried_is_carried_on() -> None:
    assert carried(FIRST, ["p", "s", "c"], FIRST) == ["p", "s", "c"]
    assert carried(FIRST, [], FIRST) == fresh(FIRST)


def test_a_new_section_never_takes_the_id_of_one_that_went_away() -> None:
    gone = FIRST.replace("## B. Cookies\n\nWe set one cookie and no more.\n", "")
    new = "## Pixels\n\nA picture of one point that tells somebody that a mail was opened is never used here.\n"
    assert carried(FIRST, ["policy", "a-scope", "pixels"], f"{gone}\n{new}")[-1] == "pixels-1"


@pytest.mark.parametrize("text", ["", "no heading", "#\n\n## \n\n### x", "# a\n\n# a\n\n# a"])
def test_every_heading_has_an_id_of_its_own(text: str) -> None:
    for old in ("", FIRST, text):
        ids = carried(old, [], text)
        assert len(set(ids)) == len(ids) == len(fresh(text))
