"""`mailer policy …`: bring texts in, list them, compare them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from mailer import clock, settings
from mailer.db import reading, transaction
from mailer.policies import actions, queries, written
from mailer.policies.advice import ADVICE_WORDS, advise
from mailer.policies.diff import Diff, diff
from mailer.policies.diff import render as rendering
from mailer.policies.documents import read_document
from mailer.policies.public import standalone
from mailer.policies.text import contents
from mailer.staff import queries as staff

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
FORMATS = ("text", "json", "html", "mail")


@click.group()
def policy() -> None:
    """Policies and their versions."""


@policy.command("import")
@click.argument("file", type=FILE)
@click.option("--slug", required=True, help="Its name in addresses, such as privacy-statement.")
@click.option("--title", default="", help="What people call it; the text's own title if not given.")
@click.option(
    "--effective-on", type=DAY, default=None, help="In force since this day (year-month-day); today if not given."
)
@click.option("--author", default="", help="Address of the account that a later text's draft belongs to.")
@click.option(
    "--language", default="en", show_default=True, help="The language of a new policy's own text, such as nl."
)
@click.option(
    "--translation", "translations", type=(str, str), multiple=True, metavar="LANGUAGE FILE", help="The same elsewhere."
)
def import_file(
    file: Path,
    slug: str,
    title: str,
    effective_on: datetime | None,
    author: str,
    language: str,
    translations: tuple[tuple[str, str], ...],
) -> None:
    """Bring in a text: the first becomes version 1, in force, nothing mailed; a later one becomes a draft."""
    text, at = read_document(file.read_bytes(), file.name), clock.now()
    others = {code: _translation(Path(name)) for code, name in translations} or None
    with transaction() as session:
        known = queries.find(session, slug)
        if known is not None and queries.shelf(session, known).versions:
            if not author:
                raise written.BadPolicy(
                    f"author: “{slug}” has a first version, so this text becomes a draft; give --author EMAIL.",
                    field="author",
                )
            writer = staff.get_by_email(session, author)
            since = effective_on.date() if effective_on else None
            wording = actions.Wording("", effective_on=since, translations=others)
            made = actions.draft(session, known, text, writer.id, at, wording)
            click.echo(
                f"Draft {made.id} of “{known.title}” is kept; review it at {_url()}/admin/policies/drafts/{made.id}"
            )
            return
        since = effective_on.date() if effective_on else None
        title = title or _own_title(text) or slug.replace("-", " ").capitalize()
        version = actions.import_first(
            session,
            slug=slug,
            title=title,
            text=text,
            effective_on=since,
            at=at,
            language=language,
            translations=others,
        )
        click.echo(
            f"Version 1 of “{version.policy.title}” is in force since {version.effective_on}; nothing was mailed."
        )
        click.echo(f"Read it at {_url()}/policies/{version.policy.slug}")


@policy.command("list")
def list_policies() -> None:
    """Show every policy with what is in force and what is on its way."""
    today = clock.local_day(clock.now(), settings.current().zone)
    with reading() as session:
        for shelf in queries.shelves(session):
            current = shelf.in_force(today)
            state = f"version {current.number} since {current.effective_on}" if current else "nothing in force"
            coming = "".join(f", version {v.number} from {v.effective_on}" for v in shelf.pending(today))
            click.echo(f"{shelf.policy.slug:<30} {state}{coming}")


@policy.command("diff")
@click.argument("slug")
@click.argument("a", type=int)
@click.argument("b", type=int)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def diff_versions(slug: str, a: int, b: int, form: str) -> None:
    """Compare two versions of a policy."""
    with reading() as session:
        shelf = queries.shelf(session, queries.get(session, slug))
        found = diff(shelf.get(a).text, shelf.get(b).text)
    click.echo(_shown(found, form, f"version {a}", f"version {b}"), nl=False)


@policy.command("diff-files")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def diff_files(old: Path, new: Path, form: str) -> None:
    """Compare two files, Markdown, plain text, HTML or Word; needs no database. `html` is a whole page."""
    click.echo(_shown(diff(_read(old), _read(new)), form, old.name, new.name), nl=False)


@policy.command("advise")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="For other programs.")
def advise_files(old: Path, new: Path, as_json: bool) -> None:
    """Say what class a change between two files looks like, and why; advice, never decision. Needs no database."""
    advised = advise(diff(_read(old), _read(new)))
    if as_json:
        click.echo(json.dumps(advised.as_json(), ensure_ascii=False, indent=2))
        return
    click.echo(f"This change looks {ADVICE_WORDS[advised.advice]}. People decide.")
    for reason in advised.reasons:
        click.echo(f"- {reason.title}: {reason.text}" if reason.title else f"- {reason.text}")


def _translation(file: Path) -> actions.Translation:
    """A text in another language, called what its first heading says."""
    text = read_document(file.read_bytes(), file.name)
    return actions.Translation(_own_title(text), text)


def _read(file: Path) -> str:
    """A text to be compared; one without words is one too."""
    data = file.read_bytes()
    return read_document(data, file.name) if data.strip() else ""


def _shown(found: Diff, form: str, old_name: str, new_name: str) -> str:
    match form:
        case "json":
            return json.dumps(found.as_json(), ensure_ascii=False, indent=2) + "\n"
        case "html":
            return standalone.page(found, old_name, new_name)
        case "mail":
            return rendering.to_mail(found)
        case _:
            return rendering.to_text(found)


def _own_title(text: str) -> str:
    """What the text itself is called: its first heading of the first level."""
    found = contents(text)
    return found[0].title if found and found[0].level == 1 else ""


def _url() -> str:
    return settings.current().url
