"""Where the public pages of a policy stand: one place that spells their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode


@dataclass(frozen=True)
class Addresses:
    """The addresses of one policy, read in `language`; that of its `own` language needs no saying.

    `site` is empty for links within the site, and the public URL for what is read elsewhere.
    """

    slug: str
    own: str
    language: str
    site: str = ""

    def read_in(self, language: str) -> Addresses:
        return replace(self, language=language)

    def policy(self, as_of: date | None = None) -> str:
        return self._at("", [("as_of", as_of.isoformat())] if as_of else [])

    def versions(self) -> str:
        return self._at("/versions")

    def version(self, number: int) -> str:
        return self._at(f"/versions/{number}")

    def diff(self, old: int, new: int, view: str = "") -> str:
        return self._at(f"/diff/{old}..{new}", [("view", view)] if view else [])

    def choose(self) -> str:
        """Where the form that chooses two versions leads; its fields carry the language."""
        return f"{self.site}/policies/{self.slug}/diff"

    def feed(self) -> str:
        return self._at("/feed.atom")

    def data(self) -> str:
        return self._at(".json")

    def _at(self, path: str, query: Sequence[tuple[str, str]] = ()) -> str:
        said = [*query, *([("lang", self.language)] if self.language != self.own else [])]
        return f"{self.site}/policies/{self.slug}{path}{'?' + urlencode(said) if said else ''}"
