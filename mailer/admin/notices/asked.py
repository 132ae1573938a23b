"""What a list of people told of a version was asked for: filters stand in the address of the page, words never do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from mailer.admin.notices.summary import Summary
from mailer.notices import figures, listing
from mailer.notices.listing import MARK_LIMIT, WORDS_LIMIT, Page, Show, Wanted
from mailer.policies.models import Version
from mailer.terminations import queries as terminations

REASONS = frozenset({figures.REFUSED, figures.BOUNCED, *figures.WITHHELD})


@dataclass(frozen=True)
class Asked:
    """Filters of a list, its words and its mark, as read from a request; what is none of ours asks for nothing."""

    show: Show = Show.ALL
    reason: str = ""
    after: str = ""
    words: str = ""

    @classmethod
    def by_address(cls) -> Asked:
        """As the address of the page says."""
        show, reason = request.args.get("state", ""), request.args.get("reason", "")
        chosen = Show(show) if show in set(Show) else Show.ALL
        is_known = chosen is Show.UNREACHED and reason in REASONS
        return cls(chosen, reason if is_known else "", _line(request.args.get("after", ""), MARK_LIMIT))

    @classmethod
    def by_form(cls) -> Asked:
        """The same with words, which are personal and come by POST (invariant 12), as does their mark."""
        words, after = request.form.get("words", ""), request.form.get("after", "")
        return replace(cls.by_address(), words=_line(words, WORDS_LIMIT), after=_line(after, MARK_LIMIT))

    @property
    def query(self) -> dict[str, Any]:
        """The filters as the address of a page has them."""
        said = {"state": self.show.value, "reason": self.reason}
        return {name: value for name, value in said.items() if value}

    def wanted(self, found: Summary) -> Wanted:
        """What to list."""
        return Wanted(
            version_id=found.version.id,
            terminated=terminations.recorded(found.version.id),
            from_on=found.version.effective_on if self.show is Show.LATE else found.today,
            show=self.show,
            reason=self.reason,
            words=self.words,
            after=self.after,
        )

    def page(self, session: Session, found: Summary) -> Page:
        """A page of the list; what the numbers know to be empty is not looked for."""
        return listing.page(session, self.wanted(found)) if found.counts[self.show] else Page([])


def _line(text: str, limit: int) -> str:
    """What a person can have typed: a line of letters, without what no database takes."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:limit]


def name_of(version: Version) -> str:
    """What a file about a version is called."""
    return f"{version.policy.slug}-{version.number}"
