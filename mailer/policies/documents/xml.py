"""Office XML read safely, and by local names, for its two editions differ in their namespaces only."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from mailer.policies import written

PART_BYTES = 20_000_000  # unpacked: a megabyte of text in Word is ten of XML


def open_package(data: bytes) -> zipfile.ZipFile:
    """The parts of an office file; BadText if it is damaged or protected."""
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise written.BadText("text: the file is damaged, for its parts cannot be unpacked; save it anew.") from None
    if any(part.flag_bits & 1 for part in package.infolist()):
        raise written.BadText("text: the file is protected by a password; take it off and try again.")
    return package


def read_part(package: zipfile.ZipFile, name: str) -> Any | None:
    """One part as a tree; None if there is none. No entity is expanded, nothing is fetched."""
    try:
        part = package.getinfo(name)
    except KeyError:
        return None
    if part.file_size > PART_BYTES:
        raise written.TextTooLarge(f"text: unpacked the document has more than {PART_BYTES:,} bytes; split it in two.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(package.read(part), parser)
    except (etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError):
        raise written.BadText("text: the Word document is damaged; open it in Word and save it anew.") from None
    if tree.getroottree().docinfo.doctype:
        raise written.BadText("text: the Word document declares entities, which none by Word does; save it anew.")
    return tree


def local(element: Any) -> str:
    """An element's name without its namespace; empty for comments and the like."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def children(element: Any | None, name: str) -> Iterator[Any]:
    """The children with this name."""
    return (each for each in (element if element is not None else ()) if local(each) == name)


def child(element: Any | None, name: str) -> Any | None:
    """The first child with this name."""
    return next(children(element, name), None)


def value_of(element: Any | None, name: str) -> str:
    """An attribute by its local name; empty if it is not there."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if etree.QName(key).localname == name), "")


def number_of(element: Any | None, name: str, otherwise: int = 0) -> int:
    """The same as a number; `otherwise` if it is none, or absurdly large."""
    value = value_of(element, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else otherwise
