"""The campaign that is sent: what a company really writes, about 11 KB of HTML and 2.4 KB of text once it is frozen."""

from __future__ import annotations

SUBJECT = "What is new in your contracts this month, {{ first_name }}"
_OPENING = """\
{{ greeting }}

Here is what changed in TRAC this month for {{ company }}, and what you may want to look at before the quarter ends.
"""
_SECTION = """\
---

## {title}

![{title}](https://www.leadmark.example/news/pictures/{picture}.png "{title}")

- Each contract shows [its next date](https://leadmark.example/dates).
- A colleague can watch it *with you*.
- Reminders come **a week earlier**.

> {quote}

---

### See it

Try it with [one contract](https://leadmark.example/try).
"""
_SECTIONS = (
    ("Dates that come to you", "We found two renewals in the first hour, says a user in Zürich."),
    ("One page for a whole supplier", "It is the page I open on Mondays, says a buyer in Gent."),
    ("Exports that open anywhere", "No more café evenings with a spreadsheet."),
    ("Signing without a detour", "From draft to signature in one day, at last."),
    ("A log that answers", "Who agreed to what, and when: three clicks."),
)
_CLOSING = "Questions? [Write to us](https://www.leadmark.example/contact); a person answers.\n"


def body() -> str:
    """The Markdown, with three of the five placeholders."""
    sections = [_SECTION.format(title=title, picture=n, quote=quote) for n, (title, quote) in enumerate(_SECTIONS)]
    return "\n".join([_OPENING, *sections, _CLOSING])
