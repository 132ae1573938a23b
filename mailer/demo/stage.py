"""The stage of the story: who acts, where mail is looked at, and how a step says what happened."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

from mailer.demo.browser import Browser
from mailer.demo.world import NotAsSaid, OtherService, World, eventually

PASSWORD = "a long enough passphrase for {}"
WORD_OF = {"marketing": "harbour", "policy": "lantern", "counsel": "thimble", "operator": "compass", "all": "meridian"}


@dataclass(frozen=True)
class Caught:
    """One mail as the post office caught it, to one recipient."""

    id: str
    sender: str
    recipient: str
    subject: str
    path: Path

    @cached_property
    def raw(self) -> bytes:
        """The very bytes."""
        return self.path.read_bytes()

    @property
    def mail(self) -> EmailMessage:
        made: EmailMessage = email.message_from_bytes(self.raw, policy=email.policy.default)
        return made

    def part(self, subtype: str) -> str:
        """The text or HTML part, decoded."""
        body = self.mail.get_body((subtype,))
        return str(body.get_content()) if body else ""

    def link(self, path: str) -> str:
        """The first link in the text part that has `path` in it."""
        found = re.search(rf"https?://\S*{re.escape(path)}\S*", self.part("plain"))
        if found is None:
            raise NotAsSaid(f"the mail to {self.recipient} has no link with {path}")
        return found[0]


@dataclass
class Stage:
    """What the steps share: the running service, who is signed in, what is remembered from step to step."""

    world: World
    tell: Callable[[str], None]
    passwords: dict[str, str] = field(default_factory=dict)
    remembered: dict[str, str] = field(default_factory=dict)
    exits: ExitStack = field(default_factory=ExitStack)
    during_send: Callable[[Stage], None] = lambda stage: None
    _browsers: dict[str, Browser] = field(default_factory=dict)
    _trac: OtherService | None = None
    _caught: dict[str, Caught] = field(default_factory=dict)

    @property
    def trac(self) -> OtherService:
        """The other service, TRAC."""
        if self._trac is None:
            self._trac = OtherService(self.world, "trac")
            self.exits.callback(self._trac.close)
        return self._trac

    def visitor(self) -> Browser:
        """Somebody's browser, not signed in."""
        return self.exits.enter_context(Browser(self.world.base))

    def staff(self, who: str) -> Browser:
        """The browser of a member of staff, signed in; at first the initial password is changed, as it must be."""
        if who not in self._browsers:
            browser = self.visitor().open("/admin/sign-in")
            browser.press("Sign in", email=f"{who}@leadmark.example", password=self.passwords[who])
            own = PASSWORD.format(WORD_OF[who])
            self.insist(browser.says("Choose your own password"), f"{who} must change the initial password first")
            browser.press("Change my password", old=self.passwords[who], new=own, again=own)
            browser.open("/admin/")
            self.insist(browser.status == 200, f"{who} is signed in")
            self._browsers[who] = browser
        return self._browsers[who]

    def caught(self, subject: str = "", recipient: str = "") -> list[Caught]:
        """The mails that left, by part of the subject and by recipient, oldest first."""
        for path in (self.world.data_dir / "post-office").glob("*.eml"):
            if path.stem not in self._caught:
                kept = json.loads(path.with_suffix(".json").read_text("utf-8"))
                to = kept["envelope_to"][0]
                self._caught[path.stem] = Caught(path.stem, kept["envelope_from"], to, kept["subject"], path)
        mails = [self._caught[name] for name in sorted(self._caught)]
        return [m for m in mails if recipient in ("", m.recipient) and subject.lower() in m.subject.lower()]

    def wait_for_mail(self, subject: str, recipient: str) -> Caught:
        """The newest mail to somebody with this in its subject, as soon as there is one."""
        return eventually(lambda: self.caught(subject, recipient), f"a mail “{subject}” to {recipient}")[-1]

    def insist(self, is_so: object, what: str) -> None:
        """NotAsSaid unless it is so."""
        if not is_so:
            raise NotAsSaid(f"not as said: {what}")

    def look(self, path: str) -> str:
        """Where a person can look at it."""
        return f"{self.world.base}{path}"
