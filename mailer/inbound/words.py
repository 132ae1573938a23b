"""Raw header and body bytes to clean text: any charset, never an error, nothing that a database refuses."""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

_LONGEST_DECODED = 2_000
# Slow on hostile input (punycode, idna) or not a charset of mail at all.
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def clean(text: str) -> str:
    """The text without control characters and lone surrogates, its line ends as `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).encode("utf-8", "replace").decode("utf-8")


def decode(payload: bytes, charset: str | None) -> str:
    """The bytes as text: in the stated charset, else UTF-8, else Windows-1252 with marks for what is neither."""
    name = (charset or "").lower().replace("-", "_")
    if name and name not in _NOT_CHARSETS and name not in ("ascii", "us_ascii", "utf_8"):
        try:
            return clean(payload.decode(name, "replace"))
        except (LookupError, ValueError):
            pass
    try:
        return clean(payload.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(payload.decode("cp1252", "replace"))


def unfold(value: str) -> str:
    """A raw header value on one line, its 8-bit bytes decoded, its encoded-words left as they are."""
    return " ".join(decode(value.encode("utf-8", "surrogateescape"), None).split())


def decode_words(value: str) -> str:
    """An unfolded header value with its encoded-words (RFC 2047) decoded; one that is broken stays as written."""
    if "=?" not in value:
        return value
    if len(value) > _LONGEST_DECODED:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    decoded = (piece if isinstance(piece, str) else decode(piece, charset) for piece, charset in pieces)
    return " ".join("".join(decoded).split())


def body_of(part: Message) -> str:
    """The decoded text of one leaf part."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        charset = part.get_content_charset()
    except (LookupError, ValueError, TypeError):
        charset = None
    return decode(payload, charset)
