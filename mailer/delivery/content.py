"""Freeze wording: a kind's templates are rendered once a mailing and language (DESIGN §8, TRAPS 4)."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from premailer import Premailer
from sqlalchemy.orm import Session

from mailer import places, settings
from mailer.consent.rules import Channel
from mailer.delivery import compiled, slots
from mailer.errors import Invalid
from mailer.outbox import actions as outbox
from mailer.outbox.models import Content
from mailer.outbox.rules import MailKind

SUBJECT_LIMIT = 300
_STYLE = re.compile(r"<style\b[^>]*>(.*?)(?:</style|$)", re.IGNORECASE | re.DOTALL)
# the inliner fetches what @import names, also when its letters are escaped: no escape stands in an at-rule (TRAPS 4)
_UNSAFE_CSS = re.compile(r"@import|@[\w-]*\\|@font-face|expression\s*\(", re.IGNORECASE)
# the inliner drops every other at-rule, and rules within rules, without a word (TRAPS 4)
_AT_RULES = frozenset({"media"})
_CSS_WORDS = re.compile(
    r"/\*.*?(?:\*/|$)|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|url\([^)]*\)", re.DOTALL | re.IGNORECASE
)
_CSS_STRUCTURE = re.compile(r"@([\w-]+)|[{};]")
_BLANK_LINES = re.compile(r"\n{3,}")


class BadWording(Invalid):
    """A template gives wording that cannot be sent."""


@dataclass(frozen=True)
class Wording:
    """Flat wording with marked slots, in one language."""

    subject: str
    text: str
    html: str


def freeze(
    session: Session, kind: MailKind, locale: str, facts: Mapping[str, Any], at: datetime, *, why: str, topic: str = ""
) -> str:
    """Render a kind's templates with the facts of a mailing and keep the result; the id of the kept content."""
    wording = render(kind, locale, facts, why=why, topic=topic)
    config = settings.current()
    sender = config.from_marketing if kind.channel is Channel.MARKETING else config.from_essential
    frame = {
        "kind": kind.value,
        "locale": locale,
        "sender": sender,
        "reply_domain": config.reply_domain,
        "url": config.url,
    }
    spelled = json.dumps(frame | asdict(wording), sort_keys=True, ensure_ascii=False)
    content = Content(
        id=hashlib.sha256(spelled.encode()).hexdigest(),
        kind=kind,
        locale=locale,
        sender=sender,
        reply_domain=config.reply_domain,
        url=config.url,
        created_at=at,
        **asdict(wording),
    )
    compiled.of(content)  # wording that cannot be sent is refused now, not in front of the server
    return outbox.keep_content(session, content)


def render(kind: MailKind, locale: str, facts: Mapping[str, Any], *, why: str, topic: str = "") -> Wording:
    """A kind's wording with slots still marked; preview, test mail and real mail all come from here."""
    config = settings.current()
    folder = f"mail/{kind.channel}/{kind}"
    company = {
        "name": config.company_name,
        "postal_address": config.company_address,
        "policy_url": f"{config.url}/policies",
        "public_mailbox": config.public_mailbox,
    }
    known = {
        "slots": slots.Slots(),
        "words": _words()[locale],
        "locale": locale,
        "lang": locale,
        "company": company,
        "why": why,
        "topic": topic,
        "url": config.url,
    }
    context = known | _cleaned(facts)
    subject = " ".join(_template(f"{folder}/subject.txt").render(context).split())
    if not subject or len(subject) > SUBJECT_LIMIT:
        raise BadWording(
            f"subject: it has {len(subject)} characters; write between 1 and {SUBJECT_LIMIT}.", field="subject"
        )
    text = _template(f"{folder}/body.txt").render(context)
    html = _template(f"{folder}/body.html").render(context | {"subject": subject})
    return Wording(slots.keep(subject), slots.keep(_tidy(text)), slots.keep(_inline(html)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return type(value)(slots.clean(value))
    if isinstance(value, Mapping):
        return {key: _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return value


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return _BLANK_LINES.sub("\n\n", lines) + "\n"


def _inline(html: str) -> str:
    for css in _STYLE.findall(html):
        if _UNSAFE_CSS.search(css):
            raise BadWording(
                "html: @import, @font-face and expression() cannot stand in a mail; use plain CSS rules.", field="html"
            )
        if lost := _why_lost(css):
            raise BadWording(
                f"html: {lost}, which mail programs would never see; use plain CSS rules, and @media around them.",
                field="html",
            )
    done: str = Premailer(
        html,
        allow_network=False,
        allow_loading_external_files=False,
        strip_important=False,
        remove_classes=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
    ).transform()
    before, after = slots.marks(html), slots.marks(done)
    for name in before.keys() | after.keys():
        if before[name] != after[name]:
            raise BadWording(
                f"html: the value “{name}” stands in a style, where it would be lost or repeated; "
                "put it in the running text or in a link.",
                field="html",
            )
    return done


def _why_lost(css: str) -> str:
    """What of a style sheet would be dropped when it is written into the mail; empty if nothing."""
    blocks: list[str] = []
    at_rule = ""
    for found in _CSS_STRUCTURE.finditer(_CSS_WORDS.sub("", css)):
        match found[0]:
            case "{" if blocks and (at_rule or "rule" in blocks):
                return "the styles hold a rule within a rule"
            case "{":
                blocks.append(at_rule or "rule")
            case "}" if not blocks:
                return "the styles close a brace that was never opened"
            case "}":
                blocks.pop()
            case ";":
                pass
            case _ if found[1].lower() not in _AT_RULES:
                return f"the styles hold “{found[0]}”"
            case _:
                at_rule = found[1].lower()
                continue
        at_rule = ""
    return "the styles leave a brace open" if blocks else ""


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(places.TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = json.loads((places.TEMPLATES / "mail/_base/words.json").read_text("utf-8"))
    return words
