"""What a finding says to the officer, in a sentence or two."""

from __future__ import annotations

from mailer.policies.advice.judge import Finding
from mailer.policies.advice.model import Cue
from mailer.policies.rules import QUESTIONS

EXCERPT_WORDS = 14

_LEADS = {
    Cue.NEGATION: "A negation or a restriction came or went.",
    Cue.MODAL: "A verb that allows or binds changed.",
    Cue.PERIOD: "A period changed.",
    Cue.NUMBER: "A number changed.",
    Cue.CONTACT: "A name or an address changed.",
    Cue.WORDING: "Words changed that no cue explains.",
    Cue.SIGN: "A sign changed that may stand for a value, such as a tick, a currency or a “less than”.",
    Cue.PLACE: "The same words stand under another heading, beginning or column.",
    Cue.SPELLING: "Only spelling.",
    Cue.DATE: "Only the date of the text.",
}
_PAGES = {
    "exercise": "a page about people’s rights",
    "recipients": "a page about those who get data",
    "transfers": "a page about transfers",
    "purposes": "a page about cookies",
}


def said(finding: Finding) -> str:
    """The finding in words, with the question it bears on."""
    if finding.cue is Cue.LINK:
        return _link(finding)
    lead = _LEADS.get(finding.cue, "")
    question = QUESTIONS[finding.question] if finding.question else ""
    return " ".join(filter(None, (lead, _what(finding.old, finding.new), question)))


def _link(finding: Finding) -> str:
    page = _PAGES.get(finding.question or "", "another page")
    if finding.old and finding.new:
        return f"A link to {page} leads elsewhere: {finding.old} became {finding.new}. Does the page say the same?"
    if finding.new:
        return f"A link to {page} was added: {finding.new}. What stands there is part of the promise."
    return f"A link to {page} was removed: {finding.old}. Do people still find what stands there?"


def _what(old: str, new: str) -> str:
    if old and new:
        return f"“{_short(old)}” became “{_short(new)}”."
    if new:
        return f"“{_short(new)}” was added."
    return f"“{_short(old)}” was removed." if old else ""


def _short(text: str) -> str:
    words = text.split()
    return " ".join(words[:EXCERPT_WORDS]) + (" …" if len(words) > EXCERPT_WORDS else "")
