"""Policy texts from files: Markdown, plain text, HTML and Word (.docx), told apart by name and by content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from mailer.policies import written
from mailer.policies.documents import page, word
from mailer.policies.text import recognise_headings

FILE_BYTES = 5_000_000
HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})
PLAIN_NAMES = frozenset({".md", ".markdown", ".mdown", ".txt", ".text", ""})
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_REMEDY = "save it as Word (.docx), HTML, Markdown or plain text and try again."
_FOREIGN = (
    (b"%PDF-", "a PDF, which holds pages and no paragraphs"),
    (b"{\\rtf", "Rich Text"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a packed file"),
)


def read_document(data: bytes | str, name: str = "", *, field: str = "text") -> str:
    """A policy's text from a file or a form, bare heading lines made headings; each fault names the field.

    Text from a form is Markdown as it stands; bytes are a file, `name` what it is called, if known.
    """
    try:
        markdown = read_file(name, data) if isinstance(data, bytes) else data
    except written.BadText as fault:
        raise type(fault)(f"{field}:{str(fault).partition(':')[2]}", field=field) from None
    return written.read_text(recognise_headings(written.read_text(markdown, field)), field)


def read_file(name: str, data: bytes) -> str:
    """The Markdown of a file; BadText says in a sentence what kind of file it is and what to do instead."""
    if len(data) > FILE_BYTES:
        raise written.TextTooLarge(f"text: the file has {len(data):,} bytes; {FILE_BYTES:,} fit.")
    return _reader_of(name, data)(data)


def _reader_of(name: str, data: bytes) -> Callable[[bytes], str]:
    """What reads this file: the content decides where it speaks for itself, else the name."""
    ending = PurePath(name.strip().lower()).suffix
    _refuse_foreign(data)
    if data.startswith(b"PK\x03\x04"):
        return word.to_markdown
    if ending in (".docx", ".doc", ".docm"):
        raise written.BadText(f"text: the file is named {ending} but is no Word document; {_REMEDY}")
    if ending in HTML_NAMES or (ending not in PLAIN_NAMES - {""} and page.looks_like_html(data)):
        return page.to_markdown
    if ending not in PLAIN_NAMES:
        raise written.BadText(f"text: files named {ending[:20]} are not read here; {_REMEDY}")
    return _plain


def _refuse_foreign(data: bytes) -> None:
    if data.startswith(_OLD_OFFICE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise written.BadText("text: the document is protected by a password; take it off in Word and try again.")
        raise written.BadText(f"text: this is a Word document of the old kind (.doc); {_REMEDY}")
    for magic, kind in _FOREIGN:
        if data.startswith(magic):
            raise written.BadText(f"text: this is {kind}; {_REMEDY}")


def _plain(data: bytes) -> str:
    return written.read_text(page.decode_marked(data))
