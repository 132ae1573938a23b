"""The product's own source, read for the house tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
# who opens the transaction and reads the clock (STYLE §4, §14), beside the files named for it
DOORS = frozenset({"views", "api", "admin", "cli"})
OTHER_DOORS = (
    "mailer/admin/",
    "mailer/consent/importing",  # a file of people: each row is its own transaction
    "mailer/demo/",
    "mailer/inbound/imap",
    "mailer/inbound/listener",
    "mailer/scheduler",
    "mailer/welcome",
    "rq_jobs/",
)


@dataclass(frozen=True)
class Module:
    """One file of ours."""

    path: str
    source: str

    @property
    def role(self) -> str:
        """What a file is there for, by its name: `actions`, `rules`, `views` …"""
        return Path(self.path).stem

    @property
    def is_door(self) -> bool:
        return self.role in DOORS or self.path.startswith(OTHER_DOORS)

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Every Python file of the product, migrations left out."""
    return tuple(
        Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
        for folder in ("mailer", "rq_jobs")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "versions" not in path.parts
    )


def imports(module: Module) -> Iterator[str]:
    """The full names of what a file imports, also inside its functions."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(module: Module) -> Iterator[str]:
    """What a file calls, as it is written: `session.commit`, `transaction`, `clock.now`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def templates(under: str = "") -> list[Path]:
    """Every template of pages or mails in a folder."""
    return sorted(path for path in (TEMPLATES / under).rglob("*") if path.is_file())
