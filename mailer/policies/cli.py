"""`mailer policy …`: bring texts in, list them, compare them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from mailer import clock, settings
from mailer.db import reading, transaction
from mailer.policies import actions, queries, written
from mailer.policies.diff import Diff, diff
from mailer.policies.diff import render as rendering
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
def import_file(file: Path, slug: str, title: str, effective_on: datetime | None, author: str) -> None:
    """Bring in a text: the first becomes version 1, in force, nothing mailed; a later one becomes a draft."""
    text, at = actions.read_document(file.read_bytes()), clock.now()
    with transaction() as session:
        known = queries.find(session, slug)
        if known is not None and queries.shelf(session, known).versions:
            if not author:
                raise written.BadPolicy(
                    f"author: “{slug}” has a first version, so this text becomes a draft; give --author EMAIL.",
                    field="author",
                )
            writer = staff.get_by_email(session, author)
            wording = actions.Wording("", effective_on=effective_on.date() if effective_on else None)
            made = actions.draft(session, known, text, writer.id, at, wording)
            click.echo(
                f"Draft {made.id} of “{known.title}” is kept; review it at {_url()}/admin/policies/drafts/{made.id}"
            )
            return
        since = effective_on.date() if effective_on else None
        title = title or _own_title(text) or slug.replace("-", " ").capitalize()
        version = actions.import_first(session, slug=slug, title=title, text=text, effective_on=since, at=at)
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
    click.echo(_shown(found, form), nl=False)


@policy.command("diff-files")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def diff_files(old: Path, new: Path, form: str) -> None:
    """Compare two files; needs no database."""
    found = diff(actions.read_document(old.read_bytes()), actions.read_document(new.read_bytes()))
    click.echo(_shown(found, form), nl=False)


def _shown(found: Diff, form: str) -> str:
    match form:
        case "json":
            return json.dumps(found.as_json(), ensure_ascii=False, indent=2) + "\n"
        case "html":
            return f"{rendering.to_html(found)}\n"
        case "mail":
            told = [asdict(wording) for wording in rendering.wordings(found)]
            return "\n".join("{title}\n  old: {old}\n  new: {new}\n".format(**wording) for wording in told)
        case _:
            return rendering.to_text(found)


def _own_title(text: str) -> str:
    """What the text itself is called: its first heading of the first level."""
    found = contents(text)
    return found[0].title if found and found[0].level == 1 else ""


def _url() -> str:
    return settings.current().url
