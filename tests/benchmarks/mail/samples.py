"""Collections of real mail: what is in each, and what its source says a reader should find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailer.inbound.parse import parse
from mailer.inbound.received import Unreadable

TEXTS = frozenset({".eml", ".txt", ".msg", ".mbox", ""})


@dataclass(frozen=True)
class Sample:
    """One file: where it is, what kind its collection says it is, and what is expected of a reader, if anything."""

    collection: str
    path: Path
    kind: str
    is_mail: bool
    expected: dict[str, Any] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The bytes as they lie there."""
        return self.path.read_bytes()

    def text(self) -> str:
        """The body that a reader of replies is given; the same for every reader."""
        if not self.is_mail:
            return self.raw().decode("utf-8", "replace")
        try:
            return parse(self.raw()).text
        except Unreadable:
            return ""


def samples_in(folder: Path) -> list[Sample]:
    """Every file below the folder that a manifest names; every mail there, if there is no manifest."""
    manifests = sorted(folder.rglob("manifest.json"))
    if manifests:
        return [sample for manifest in manifests for sample in _listed(manifest)]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in TEXTS)
    return [Sample(folder.name, path, "mail", True) for path in files]


def _listed(manifest: Path) -> Iterator[Sample]:
    content = json.loads(manifest.read_text())
    for entry in content["entries"]:
        path = manifest.parent / entry["file"]
        if path.is_file():
            is_mail = entry.get("format", "eml") == "eml"
            yield Sample(manifest.parent.name, path, entry.get("kind", "mail"), is_mail, entry.get("expected") or {})
