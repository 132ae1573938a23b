"""The bytes of a mail to a `Mail`, within limits (TRAPS 16); identity headers are read with `compat32`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from itertools import chain

from mailer.inbound import addresses, bounces
from mailer.inbound.htmltext import to_text, without_unseen
from mailer.inbound.received import Failure, Feedback, Mail, Unreadable
from mailer.inbound.words import body_of, decode_words, unfold

__all__ = ["Failure", "Feedback", "Mail", "Unreadable", "parse"]

MAX_BYTES = 10 * 1024 * 1024
MAX_HEADER_BYTES = 100 * 1024
MAX_DEPTH = 50
MAX_PARTS = 1_000
MAX_ADDRESSES = 200
MAX_TEXT = 500_000
_TAIL = 100_000

RECIPIENT_FIELDS = frozenset(
    {"to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to"}
    | {"x-delivered-to", "x-rcpt-to", "resent-to", "original-recipient", "apparently-to"}
)
_OUTLOOK_COMPLAINT = "x-hmxmroriginalrecipient"
_Headers = tuple[tuple[str, str], ...]


def parse(raw: bytes) -> Mail:
    """The mail in these bytes; `Unreadable` for one over a limit or one that the parser cannot take."""
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"The mail is larger than {MAX_BYTES // 1024 // 1024} MB; read it from its source.")
    if _header_size(raw) > MAX_HEADER_BYTES:
        raise Unreadable(f"The mail's headers are larger than {MAX_HEADER_BYTES // 1024} KB; read it from its source.")
    try:
        return _parse(raw)
    except RecursionError as error:
        raise Unreadable("The mail is nested too deeply to read; read it from its source.") from error
    except Unreadable:
        raise
    except Exception as error:
        # The standard library throws nearly anything on hostile input; whatever it is, a person looks.
        raise Unreadable(f"The mail cannot be read ({type(error).__name__}); read it from its source.") from error


def _header_size(raw: bytes) -> int:
    ends = [at for at in (raw.find(b"\n\n"), raw.find(b"\n\r\n"), raw.find(b"\r\r")) if at >= 0]
    return min(ends, default=len(raw))


def _parse(raw: bytes) -> Mail:
    message = BytesParser(policy=compat32).parsebytes(raw)
    parts = tuple(_parts(message))
    headers = tuple((name.lower(), unfold(str(value))) for name, value in message.raw_items())
    mail = _mail(message, parts, headers)
    if not mail.report and bounces.may_be_bounce(mail):
        mail = replace(mail, detected=bounces.detect(message))
    return mail


def _mail(message: Message, parts: tuple[Message, ...], headers: _Headers) -> Mail:
    senders, name, fault = addresses.read_from(_all(headers, "from"))
    recipients = addresses.find_all(value for key, value in headers if key in RECIPIENT_FIELDS)
    if len(senders) > MAX_ADDRESSES or len(recipients) > MAX_ADDRESSES:
        raise Unreadable(f"The mail names more than {MAX_ADDRESSES} addresses; read it from its source.")
    text, markup = _bodies(message)
    return Mail(
        message_id=next(iter(addresses.message_ids(_all(headers, "message-id"))), None),
        subject=decode_words(_first(headers, "subject") or ""),
        from_addresses=senders,
        from_name=decode_words(name),
        from_fault=fault,
        to=recipients,
        in_reply_to=addresses.message_ids(_all(headers, "in-reply-to")),
        references=addresses.message_ids(_all(headers, "references")),
        return_path=_return_path(headers),
        auto_submitted=_word(headers, "auto-submitted"),
        precedence=_word(headers, "precedence"),
        content_type=message.get_content_type(),
        date=_date(_first(headers, "date")),
        text=text,
        html=markup,
        attachments=tuple(_attachments(parts)),
        report=tuple(_report(parts)),
        feedback=_feedback(parts),
        detected=(),
        malformed=_malformed(parts, headers, fault),
        headers=tuple((key, decode_words(value)) for key, value in headers),
    )


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _parts(message: Message) -> Iterator[Message]:
    """Every part at the sender's own level: those inside an attached mail are counted, not given."""
    stack = [(message, 1, True)]
    count = 0
    while stack:
        part, depth, own = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise Unreadable(f"The mail is nested more than {MAX_DEPTH} parts deep; read it from its source.")
        if count > MAX_PARTS:
            raise Unreadable(f"The mail has more than {MAX_PARTS} parts; read it from its source.")
        if own:
            yield part
        inside = own and part.get_content_type() not in ("message/rfc822", "message/global")
        # The blocks of a delivery report are the library's parts, not the sender's.
        inside = inside and part.get_content_type() != "message/delivery-status"
        stack += [(child, depth + 1, inside) for child in reversed(_children(part))]


def _bodies(message: Message) -> tuple[str, str | None]:
    """(text, html) that the sender wrote: attached mails, attachments and the rest of a report are not part of it."""
    plain: list[str] = []
    markup: list[str] = []
    stack = [message]
    while stack:
        part = stack.pop()
        kind = part.get_content_type()
        if part.is_multipart():
            children = _children(part) if part.get_content_maintype() == "multipart" else []
            stack += [] if not children else children[:1] if kind == "multipart/report" else reversed(children)
        elif part is not message and (part.get_content_disposition() == "attachment" or part.get_filename()):
            continue
        elif kind == "text/html":
            markup.append(_bounded(body_of(part), is_html=True))
        elif kind == "text/plain" or (part is message and part.get_content_maintype() in ("text", "multipart")):
            plain.append(_bounded(body_of(part)))
    html = "\n".join(markup) if markup else None
    text = "\n".join(piece.strip("\n") for piece in plain if piece.strip())
    if not text and html:
        text = to_text(html)
    return text, html


def _bounded(text: str, *, is_html: bool = False) -> str:
    """The text, or its beginning and its end: people answer above what they quote, and below it."""
    if is_html and len(text) > MAX_TEXT:
        text = without_unseen(text)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - _TAIL]}\n{text[-_TAIL:]}"


def _attachments(parts: tuple[Message, ...]) -> Iterator[str]:
    for part in parts:
        name = part.get_filename()
        if name or part.get_content_disposition() == "attachment":
            yield decode_words(unfold(name or ""))[:255] or part.get_content_type()
        elif part.get_content_type() == "message/rfc822":
            yield "message/rfc822"


def _report(parts: tuple[Message, ...]) -> Iterator[Failure]:
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in _children(part) or _blocks(body_of(part)):
            recipient = _field(block, "original-recipient") or _field(block, "final-recipient")
            found = addresses.find_all([recipient])
            if recipient:
                yield Failure(
                    recipient=found[0] if found else recipient.rpartition(";")[2].strip(" <>"),
                    action=_field(block, "action").partition(" ")[0].lower(),
                    status=_field(block, "status").partition(" ")[0],
                    diagnostic=_field(block, "diagnostic-code")[:1_000],
                )


def _blocks(text: str) -> list[Message]:
    # A report whose transfer encoding hid its blocks from the parser.
    return [HeaderParser(policy=compat32).parsestr(block) for block in text.split("\n\n") if block.strip()]


def _feedback(parts: tuple[Message, ...]) -> Feedback | None:
    # Outlook.com's own form: the mail complained about, with who complained written into its headers.
    if recipient := _field(parts[0], _OUTLOOK_COMPLAINT):
        return Feedback("abuse", recipient)
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            block = (_children(part) or _blocks(body_of(part)) or [Message()])[0]
            found = addresses.find_all([_field(block, "original-rcpt-to"), _field(block, "removal-recipient")])
            return Feedback(_field(block, "feedback-type").lower() or "abuse", found[0] if found else "")
        for attached in _children(part) if part.get_content_type() == "message/rfc822" else ():
            if recipient := _field(attached, _OUTLOOK_COMPLAINT):
                return Feedback("abuse", recipient)
    return None


def _field(block: Message, name: str) -> str:
    value = next((value for key, value in block.raw_items() if key.lower() == name), "")
    return unfold(str(value))


def _malformed(parts: tuple[Message, ...], headers: _Headers, fault: str | None) -> str | None:
    defects = [type(defect).__name__ for defect in chain.from_iterable(part.defects for part in parts)]
    faults = ["there are no headers"] if not headers else [fault] if fault else []
    return "; ".join(dict.fromkeys(faults + defects)) or None


def _all(headers: _Headers, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in headers if key == name)


def _first(headers: _Headers, name: str) -> str | None:
    return next(iter(_all(headers, name)), None)


def _word(headers: _Headers, name: str) -> str | None:
    value = _first(headers, name)
    return None if value is None else value.partition(";")[0].partition("(")[0].strip().lower()


def _return_path(headers: _Headers) -> str | None:
    value = _first(headers, "return-path")
    if value is None:
        return None
    found = addresses.find_all([value])
    return found[0] if found else ""


def _date(value: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(value or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
