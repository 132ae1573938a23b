"""Word documents made by hand, as small as a test needs them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
STYLES = "".join(
    f'<w:style w:styleId="{style_id}"><w:name w:val="{name}"/>{more}</w:style>'
    for style_id, name, more in (
        ("Titel", "Title", ""),
        ("Kop1", "heading 1", '<w:pPr><w:numPr><w:numId w:val="9"/></w:numPr></w:pPr>'),
        ("Kop2", "heading 2", '<w:basedOn w:val="Kop1"/><w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr>'),
        ("Mijn", "My heading", '<w:basedOn w:val="Kop2"/><w:rPr><w:b/></w:rPr>'),
        ("Inhopg1", "toc 1", ""),
        ("Nadruk", "Emphasis", "<w:rPr><w:i/></w:rPr>"),
        ("Kring", "Circle", '<w:basedOn w:val="Kring"/>'),
    )
)


def level(number: int, shape: str, text: str, start: int | str = 1) -> str:
    """One level of a list."""
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{shape}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


NUMBERING = (
    f'<w:abstractNum w:abstractNumId="1">{level(0, "decimal", "%1.")}{level(1, "decimal", "%2)")}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="2">{level(0, "bullet", "•")}{level(1, "bullet", "o")}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="3">{level(0, "lowerLetter", "(%1)")}'
    f"{level(1, 'lowerRoman', '%2.')}</w:abstractNum>"
    f'<w:abstractNum w:abstractNumId="4">{level(0, "decimal", "%1.")}{level(1, "decimal", "%1.%2")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="3"/></w:num>'
    '<w:num w:numId="5"><w:abstractNumId w:val="1"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
    '<w:num w:numId="9"><w:abstractNumId w:val="4"/></w:num>'
)


def run(text: str, properties: str = "") -> str:
    """Words that look the same."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content: str, style: str = "", list_id: int | None = None, depth: int = 0) -> str:
    """A paragraph of runs, or of plain words."""
    numbers = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>' if list_id is not None else ""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    content = content if content.startswith("<") else run(content)
    return f"<w:p><w:pPr>{named}{numbers}</w:pPr>{content}</w:p>"


def document(body: str) -> str:
    return f"<w:document {W} {R}><w:body>{body}<w:sectPr/></w:body></w:document>"


def word_file(body: str = "", links: Mapping[str, str] | None = None, **parts: str | bytes) -> bytes:
    """A .docx with this body; `parts` replace or add to what stands in `word/`."""
    relations = "".join(
        f'<Relationship Id="{key}" Type="hyperlink" Target="{target}" TargetMode="External"/>'
        for key, target in (links or {}).items()
    )
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": document(body),
        "word/styles.xml": f"<w:styles {W}>{STYLES}</w:styles>",
        "word/numbering.xml": f"<w:numbering {W}>{NUMBERING}</w:numbering>",
        "word/_rels/document.xml.rels": f"<Relationships>{relations}</Relationships>",
    } | {f"word/{name}.xml": content for name, content in parts.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in found.items():
            package.writestr(name, content)
    return made.getvalue()
