"""A browser without a screen: opens pages, fills forms and presses buttons as a person would, cookies and all."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urljoin

import httpx
from lxml import html

from mailer.errors import MailerError


class NotThere(MailerError):
    """A page does not have the button or the words that were looked for."""


class Browser:
    """One person's browser. `page` is what is open now."""

    def __init__(self, base: str) -> None:
        self._client = httpx.Client(base_url=base, follow_redirects=True, timeout=20)
        self._base = base
        self.url = base
        self.status = 0
        self.text = ""
        self.page: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, path: str) -> Self:
        """Go to an address."""
        return self._show(self._client.get(urljoin(self.url, path)))

    def follow(self, words: str) -> Self:
        """Press the first link that says `words`."""
        for link in self.page.iter("a"):
            if words.lower() in " ".join(link.text_content().split()).lower() and link.get("href"):
                return self.open(link.get("href"))
        raise NotThere(f"{self.url} has no link “{words}”.")

    def press(self, words: str, files: dict[str, tuple[str, bytes]] | None = None, **fields: str | list[str]) -> Self:
        """Fill the form of the button that says `words` and press it; a field that the form lacks is a mistake."""
        button = self._button(words)
        form = next(button.iterancestors("form"), None)
        if form is None:
            form = self.page.get_element_by_id(button.get("form"))
        known = set(form.inputs.keys())
        unknown = set(fields) - known
        if unknown:
            raise NotThere(
                f"{self.url}: the form of “{words}” has no field {', '.join(sorted(unknown))}; it has {sorted(known)}."
            )
        values: dict[str, Any] = {}
        for name, value in form.form_values():
            values.setdefault(name, []).append(value)
        values.update({name: value if isinstance(value, list) else [value] for name, value in fields.items()})
        if button.get("name"):
            values[button.get("name")] = [button.get("value", "")]
        action = urljoin(self.url, button.get("formaction") or form.get("action") or self.url)
        if (form.method or "GET").upper() == "GET":
            return self._show(self._client.get(action, params=values))
        return self._show(self._client.post(action, data=values, files=files, headers={"Referer": self.url}))

    def says(self, words: str) -> bool:
        """Whether the page shows these words, however its lines break."""
        return words.lower() in self.words.lower()

    @property
    def words(self) -> str:
        """What the page says, in one line."""
        return " ".join(self.page.text_content().split())

    def _button(self, words: str) -> Any:
        for button in self.page.iter("button", "input"):
            said = button.text_content() if button.tag == "button" else (button.get("value") or "")
            if button.get("type", "submit") == "submit" and words.lower() in " ".join(said.split()).lower():
                return button
        raise NotThere(f"{self.url} has no button “{words}”. It says: {self.words[:300]}")

    def _show(self, response: httpx.Response) -> Self:
        self.url, self.status, self.text = str(response.url), response.status_code, response.text
        self.page = html.document_fromstring(response.content.strip() or b"<p></p>")
        return self
