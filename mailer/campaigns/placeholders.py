"""Placeholders in what staff and services write: `{{ first_name }}` and four others, and nothing else.

The text is parsed as Jinja and never run: only plain text and plain names may stand in the tree (TRAPS 15).
"""

from __future__ import annotations

import difflib
import re

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from mailer.errors import Invalid

ALLOWED = ("first_name", "name", "company", "greeting", "email")
_FIRST_MARK = 0xE000  # one private-use character stands for each placeholder until the letter is written
MARKS = {name: chr(_FIRST_MARK + number) for number, name in enumerate(ALLOWED)}
NAMES = {mark: name for name, mark in MARKS.items()}
TEXT_LIMIT = 100_000
# NUL breaks databases; private-use characters mark slots in kept wording
_UNFIT = re.compile("[\x00\ue000-\uf8ff]")
_environment = SandboxedEnvironment(keep_trailing_newline=True)
_environment.globals.clear()
_environment.filters.clear()
_environment.tests.clear()

_CONSTRUCTS: dict[type[nodes.Node], str] = {
    nodes.Filter: "a filter",
    nodes.Getattr: "a dot",
    nodes.Getitem: "a bracket",
    nodes.Call: "a call",
    nodes.Const: "a fixed value",
    nodes.CondExpr: "a condition",
}
_TOKENS = {"block_begin": "{% … %}", "comment_begin": "{# … #}", "raw_begin": "{% raw %}"}


class BadPlaceholder(Invalid):
    """Something between braces that is no placeholder."""


def mark(text: str, field: str) -> str:
    """`text` with each placeholder as its mark; BadPlaceholder names the line, the fault and what may stand there."""
    if len(text) > TEXT_LIMIT:
        raise BadPlaceholder(f"{field}: {len(text):,} characters are too many; {TEXT_LIMIT:,} fit.", field=field)
    unfit = _UNFIT.search(text)
    if unfit:
        raise BadPlaceholder(f"{field}: “{unfit[0]!a}” cannot stand in a mail; take it out.", field=field)
    try:
        _refuse_tokens(text, field)
        tree = _environment.parse(text)
    except TemplateSyntaxError as error:
        raise _bad(field, error.lineno, f"the braces do not close rightly ({error.message})") from None
    except RecursionError:
        raise _bad(field, 1, "the braces are nested too deeply") from None
    return "".join(_piece(node, field) for output in tree.body for node in _outputs(output, field))


def used(marked: str) -> frozenset[str]:
    """The names of the placeholders whose marks stand in `marked`."""
    return frozenset(NAMES[letter] for letter in marked if letter in NAMES)


def _refuse_tokens(text: str, field: str) -> None:
    for line, token, _value in _environment.lex(text):
        if token in _TOKENS:
            raise _bad(field, line, f"“{_TOKENS[token]}” cannot be used in a mail")


def _outputs(node: nodes.Node, field: str) -> list[nodes.Expr]:
    if not isinstance(node, nodes.Output):
        raise _bad(field, node.lineno, "a statement cannot be used in a mail")
    return node.nodes


def _piece(node: nodes.Expr, field: str) -> str:
    if isinstance(node, nodes.TemplateData):
        return node.data
    if not isinstance(node, nodes.Name):
        what = _CONSTRUCTS.get(type(node), "a computation")
        raise _bad(field, node.lineno, f"{what} cannot stand between the braces, only a plain name")
    if node.name not in MARKS:
        near = difflib.get_close_matches(node.name, ALLOWED, n=1)
        meant = f"; perhaps “{{{{ {near[0]} }}}}” is meant" if near else ""
        raise _bad(field, node.lineno, f"“{{{{ {node.name} }}}}” is not a placeholder{meant}")
    return MARKS[node.name]


def _bad(field: str, line: int, fault: str) -> BadPlaceholder:
    known = ", ".join(f"{{{{ {name} }}}}" for name in ALLOWED)
    where = f"{field}, line {line}" if field == "body" else field
    return BadPlaceholder(f"{where}: {fault}. Allowed: {known}.", field=field)
