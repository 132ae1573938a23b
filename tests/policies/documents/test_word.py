"""A Word document becomes the text that Word prints, and nothing that it hides."""

from __future__ import annotations

import time

import pytest

from mailer.errors import MailerError
from mailer.policies.documents import read_document, read_file, xml
from tests.policies.documents.files import W, document, level, paragraph, run, word_file

BOLD, ITALIC, HIDDEN = "<w:b/>", "<w:i/>", "<w:vanish/>"


def read(body: str, **parts: str) -> str:
    return read_file("statement.docx", word_file(body, **parts))


def test_headings_come_with_the_numbers_that_word_prints() -> None:
    body = (
        paragraph("Privacy statement", "Titel")
        + paragraph("Contents 1", "Inhopg1")
        + paragraph("Who we are", "Kop1")
        + paragraph("A company.")
        + paragraph("Our offices", "Kop2")
        + paragraph("Our people", "Mijn")
        + paragraph("What we keep", "Kop1")
    )
    assert read(body) == (
        "# Privacy statement\n\n## 1. Who we are\n\nA company.\n\n### 1.1 Our offices\n\n### 1.2 Our people\n\n"
        "## 2. What we keep\n"
    )


def test_a_heading_may_be_one_by_its_outline_and_a_document_may_have_no_title() -> None:
    outlined = f'<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr>{run("Who we are", BOLD)}</w:p>'
    body_text = f'<w:p><w:pPr><w:outlineLvl w:val="9"/></w:pPr>{run("A company.")}</w:p>'
    assert read(outlined + body_text) == "# Who we are\n\nA company.\n"


def test_lists_are_nested_and_go_on_where_they_stopped() -> None:
    body = (
        paragraph("one", list_id=1)
        + paragraph("inner", list_id=1, depth=1)
        + paragraph("two", list_id=1)
        + paragraph("Between.")
        + paragraph("three", list_id=1)
        + paragraph("seven", list_id=5)
        + paragraph("point", list_id=2)
        + paragraph("under", list_id=2, depth=1)
    )
    assert read(body) == ("1. one\n   1. inner\n2. two\n\nBetween.\n\n3. three\n\n7. seven\n\n- point\n  - under\n")


def test_labels_that_markdown_cannot_count_stand_in_the_text() -> None:
    body = paragraph("first", list_id=3) + paragraph("small", list_id=3, depth=1) + paragraph("second", list_id=3)
    assert read(body) == "(a) first\n\ni. small\n\n(b) second\n"


def numbered(levels: str) -> str:
    """Numbering of one list with these levels."""
    return (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="1">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>'
    )


@pytest.mark.parametrize("start", ["²", "9" * 5000, "", "-3"], ids=["no digit", "huge", "empty", "negative"])
def test_a_list_that_begins_at_no_number_begins_at_one(start: str) -> None:
    numbering = numbered(level(0, "decimal", "%1.", start))
    assert read(paragraph("one", list_id=1) + paragraph("two", list_id=1), numbering=numbering) == "1. one\n2. two\n"


@pytest.mark.parametrize("depth", [9, 20_000_000])
def test_a_level_deeper_than_word_has_is_no_list_and_takes_no_time(depth: int) -> None:
    numbering = numbered(level(0, "decimal", "%1.") + level(depth, "decimal", "%1."))
    body = paragraph("one", list_id=1) + paragraph("deep", list_id=1, depth=depth)
    begun = time.process_time()
    assert read(body, numbering=numbering) == "1. one\n\ndeep\n"
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("span", ["²", "9" * 5000])
def test_a_cell_that_spans_no_number_of_columns_is_one(span: str) -> None:
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/></w:tcPr>{paragraph("cell")}</w:tc>'
    assert "cell" in read(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>")


def test_a_list_may_be_switched_off_or_unknown() -> None:
    assert read(paragraph("Plain", "Kop1", list_id=0) + paragraph("Lost", list_id=77)) == "# Plain\n\nLost\n"


def test_bold_italic_breaks_and_tabs_stay_and_marks_of_markdown_are_words() -> None:
    body = paragraph(
        run("Keep ")
        + run("this", BOLD)
        + run(" and ")
        + run("that", '<w:rStyle w:val="Nadruk"/>')
        + run(" not bold", '<w:b w:val="0"/>')
        + "<w:r><w:br/><w:t>2 * 3</w:t><w:tab/><w:t>&lt;b&gt;</w:t><w:noBreakHyphen/></w:r>"
    )
    assert read(body) == "Keep **this** and *that* not bold  \n2 \\* 3 \\<b>\u2011\n"


def test_what_was_deleted_hidden_or_commented_on_is_gone_and_what_was_inserted_stays() -> None:
    body = paragraph(
        run("We keep it ")
        + "<w:del><w:r><w:delText>two</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>x</w:t></w:r></w:moveFrom>"
        + f"<w:ins>{run('seven')}</w:ins>"
        + run(" secret", HIDDEN)
        + f"<w:sdt><w:sdtContent>{run(' years')}</w:sdtContent></w:sdt>"
        + '<w:r><w:commentReference w:id="1"/></w:r>'
    )
    assert read(body, comments=f"<w:comments {W}>never</w:comments>") == "We keep it seven years\n"


def test_links_of_both_kinds_lead_where_they_led() -> None:
    body = (
        paragraph(f'<w:hyperlink r:id="r1">{run("our site")}</w:hyperlink>')
        + paragraph(
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "https://b.example/" '
            '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            + run("another")
            + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
            + run(" end")
        )
        + paragraph(f'<w:hyperlink w:anchor="here">{run("inside")}</w:hyperlink>')
        + paragraph(f'<w:hyperlink r:id="r2">{run("bad")}</w:hyperlink>')
    )
    links = {"r1": "https://a.example/", "r2": "javascript:alert(1)"}
    assert read_file("", word_file(body, links)) == (
        "[our site](https://a.example/)\n\n[another](https://b.example/) end\n\ninside\n\nbad\n"
    )


def test_a_table_has_its_rows_and_a_note_stands_at_the_end() -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"

    note = paragraph(run("Kept") + '<w:r><w:footnoteReference w:id="2"/></w:r>')
    footnotes = f'<w:footnotes {W}><w:footnote w:id="2">{paragraph("By law.")}</w:footnote></w:footnotes>'
    table = f"<w:tbl>{row('Data', 'Term')}{row('Name', 'two|three')}</w:tbl>"
    assert read(table + note, footnotes=footnotes) == (
        "| Data | Term |\n| --- | --- |\n| Name | two\\|three |\n\nKept\\[1\\]\n\n\\[1\\] By law.\n"
    )


def test_the_stricter_edition_of_the_format_is_read_too() -> None:
    strict = document(paragraph("Words.")).replace(
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    )
    assert read_file("a.docx", word_file(document=strict)) == "Words.\n"


def test_a_style_based_on_itself_ends() -> None:
    assert read(paragraph("Words.", "Kring")) == "Words.\n"


LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]>'


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (word_file(document=LAUGHS + document(paragraph("&c;"))), "declares entities"),
        (word_file(document='<!DOCTYPE a SYSTEM "file:///etc/passwd">' + document("")), "declares entities"),
        (word_file(document="<w:document"), "is damaged"),
        (word_file(document=document("<w:p>" * 2_000 + "</w:p>" * 2_000)), "is damaged"),
        (word_file(document=b" " * (xml.PART_BYTES + 1)), "unpacked the document has more"),
        (word_file(document=document(paragraph(" "))), "no words"),
        (word_file(paragraph("Words."))[:200], "damaged"),
        (word_file(paragraph("Words.")).replace(b"word/document.xml", b"gone/document.xml"), "no Word document"),
    ],
    ids=["entities", "external", "no xml", "nested", "bomb", "empty", "cut", "other"],
)
def test_a_document_that_is_hostile_or_damaged_is_refused_in_one_sentence(file: bytes, words: str) -> None:
    with pytest.raises(MailerError, match=words) as raised:
        read_document(file, "statement.docx")
    assert raised.value.field == "text"
    assert str(raised.value).startswith("text: ")


def test_a_protected_package_is_refused_with_what_to_do() -> None:
    file = bytearray(word_file(paragraph("Words.")))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := file.find(mark, start)) >= 0:
            file[start + at] |= 1
            start += 1
    with pytest.raises(MailerError, match="protected by a password"):
        read_file("statement.docx", bytes(file))
