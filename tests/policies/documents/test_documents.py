"""A file is told by its content and its name; what cannot be read is named, with what to do instead."""

from __future__ import annotations

import pytest

from mailer.errors import MailerError
from mailer.policies import documents, written
from mailer.policies.documents import read_document, read_file
from tests.policies.documents.files import paragraph, word_file


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.md", b"# A\r\n\r\nWords.", "# A\n\nWords.\n"),
        ("a.TXT", b"\xef\xbb\xbfWords.", "Words.\n"),
        ("a.txt", "Privé.".encode("utf-16"), "Privé.\n"),
        ("", b"Words.", "Words.\n"),
        ("", b"<!DOCTYPE html><title>x</title><p>Words.", "Words.\n"),
        ("a.htm", b"Words.", "Words.\n"),
        ("a.md", b"<p>raw</p>", "<p>raw</p>\n"),
        ("renamed.txt", word_file(paragraph("Words.")), "Words.\n"),
    ],
)
def test_a_file_is_read_as_what_it_is(name: str, data: bytes, text: str) -> None:
    assert read_file(name, data) == text


def test_bare_headings_of_a_plain_file_become_headings() -> None:
    assert (
        read_document(b"Privacy\n\nWho we are\n\nA company.\n", "a.txt") == "# Privacy\n\n## Who we are\n\nA company.\n"
    )


def test_text_from_a_form_is_taken_as_it_stands() -> None:
    assert read_document("%PDF- is how a PDF begins, and <html> a page.") == (
        "%PDF- is how a PDF begins, and <html> a page.\n"
    )


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "of the old kind"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        ("a.docx", b"Words.", "is named .docx but is no Word document"),
        ("a.pdf", b"%PDF-1.7", "this is a PDF"),
        ("a.md", b"%PDF-1.7", "this is a PDF"),
        ("a.rtf", b"{\\rtf1", "Rich Text"),
        ("a.png", b"\x89PNG\r\n", "a picture"),
        ("a.odt", b"PK\x03\x04broken", "damaged"),
        ("a.exe", b"MZ", "files named .exe are not read here"),
        ("a.md", "Privé".encode("latin-1"), "not UTF-8"),
        ("a.txt", b"\xff\xfea", "neither UTF-16 nor UTF-8"),
        ("a.md", b"a\x00b", "control character"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_what_to_do(name: str, data: bytes, words: str) -> None:
    with pytest.raises(written.BadText, match=words) as raised:
        read_document(data, name)
    assert raised.value.field == "text"


def test_a_file_too_large_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(written.TextTooLarge, match="5,000,000 fit") as raised:
        read_file("a.docx", b"PK\x03\x04" + bytes(documents.FILE_BYTES))
    assert raised.value.status == 413


def test_a_fault_names_the_field_of_its_language() -> None:
    for data in (b"%PDF-1.7", b"a\x00b", " "):
        with pytest.raises(MailerError) as raised:
            read_document(data, field="text_nl")
        assert raised.value.field == "text_nl"
        assert str(raised.value).startswith("text_nl: ")
