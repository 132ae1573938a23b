"""A comparison as one file that needs no server: a page with its styles inside, to open, keep, print or send."""

from __future__ import annotations

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mailer import places
from mailer.policies.diff import Diff
from mailer.policies.diff import render as rendering

STYLES = ("vendor/pico-2.1.1/pico.min.css", "tokens.css", "mailer.css", "diff.css", "public.css")
PRINT = "print.css"


def page(found: Diff, old_name: str, new_name: str) -> str:
    """The whole HTML document; it fetches nothing and runs nothing."""
    templates = Environment(loader=FileSystemLoader(places.TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return templates.get_template("policies/standalone.html").render(
        old_name=old_name,
        new_name=new_name,
        sentence=rendering.summary_sentence(found),
        changes=found.changes,
        marked=rendering.to_html(found),
        styles=Markup("\n").join([*map(_style, STYLES), _style(PRINT, "print")]),
    )


def _style(name: str, media: str = "all") -> Markup:
    """One of our own style sheets, written into the page: there is no server to fetch it from."""
    css = (places.STATIC / name).read_text("utf-8").replace("</", "<\\/")
    return Markup(f'<style media="{media}">{css}</style>')  # noqa: S704 - our own file
