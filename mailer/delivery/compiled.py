"""Frozen wording made ready once for all its recipients (DESIGN §8): the body in quoted-printable, cut at its slots.

Every literal is encoded once, every value once a mail, and the mail is their joining. That works because each segment
begins at the start of a line: where wording and value meet within a line, the wording brings the soft break
(RFC 2045 §6.7). The body is 7-bit with CRLF and lines of at most 76; no line begins with a dot, so that dot-stuffing
has nothing to do; every blank is single, so that DKIM's relaxed canonical form (RFC 6376 §3.4.4) is the body itself.
"""

from __future__ import annotations

import re
from binascii import a2b_qp, b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.delivery import slots
from mailer.errors import MailerError
from mailer.outbox.models import Content

KEPT_CONTENTS = 64  # of some 20 KB each
ROOM = 75  # in a line, without the "=" of a soft break
SOFT_BREAK = b"=\r\n"
_OPENING = (
    "--{}\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"  # RFC 2046
)
# what stands for itself anywhere in a line: one word or several, single blanks between
_PLAIN = re.compile(r"(?!\.|From )[!-<>-~]+(?: [!-<>-~]+)*")
# of that what HTML shows as it is
_PLAIN_IN_HTML = re.compile(r"(?!\.|From )[!#-%(-;?-~]+(?: [!#-%(-;?-~]+)*")
_BLANK_TO_ENCODE = re.compile(rb"(?<= ) |\t")
_LETTERS = bytes(range(0x20, 0x7F)) + b"\r\n"
_UNFIT = (b"  ", b" \r\n", b"\n.", b"\nFrom ")
# what the proof fills in: each slot with its own name, so that no two can be exchanged unseen
_SAMPLES = ("", "{}", ".{}.", "From {} = ", "Zoë  {}\t– 名前 €", " {}\n.\n\n{}\n", "<{}> & \"'", "{}" + "x" * 200)


class WrongBytes(MailerError):
    """Compiled wording does not read as the wording it was made of."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body: segments with an empty one at each place where a value goes."""

    segments: tuple[bytes, ...]
    places: tuple[tuple[int, str], ...]
    names: frozenset[str]

    def places_of(self, name: str, after: int = 0) -> tuple[int, ...]:
        """Where a value goes, if `after` segments stand before."""
        return tuple(after + place for place, slot in self.places if slot == name)

    def filled(self, values: Mapping[str, bytes]) -> list[bytes]:
        """The segments with encoded values in their places."""
        segments = list(self.segments)
        for place, name in self.places:
            segments[place] = values[name]
        return segments


@dataclass(frozen=True, slots=True)
class Compiled:
    """A content's body, ready to be filled; `names` are the slots of subject, text and HTML."""

    boundary: str
    subject: slots.Cut
    names: frozenset[str]
    segments: tuple[bytes, ...]
    """Those of the text, then those of the HTML."""
    places: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    """Each slot of the body with its places in the text and in the HTML."""

    def body(self, values: Mapping[str, str]) -> list[bytes]:
        """The whole multipart body with one recipient's values, in pieces to join."""
        segments = list(self.segments)
        for name, in_text, in_html in self.places:
            bare, shown = _both(slots.value(values, name))
            for place in in_text:
                segments[place] = bare
            for place in in_html:
                segments[place] = shown
        return segments


def of(content: Content) -> Compiled:
    """The compiled form of a content, from what was kept of it."""
    return compile_body(content.id, content.subject, content.text, content.html)


def quoted(value: str) -> bytes:
    """A text in quoted-printable that begins and may end within a line; its last line has room for a soft break."""
    if _PLAIN.fullmatch(value):
        return _plain(value.encode())
    letters = b2a_qp(_bytes(value), istext=True).replace(b"=\n", b"")  # its soft breaks go: lines are cut below
    lines = _BLANK_TO_ENCODE.sub(lambda blank: b"=%02X" % blank[0][0], letters).split(b"\n")
    return b"\r\n".join(SOFT_BREAK.join(_cut(line)) for line in lines)


def _both(value: str) -> tuple[bytes, bytes]:
    """A value in quoted-printable as text and as HTML show it."""
    if _PLAIN_IN_HTML.fullmatch(value):
        plain = _plain(value.encode())
        return plain, plain
    return quoted(value), quoted(slots.in_html(value))


def _plain(line: bytes) -> bytes:
    """A line that stands for itself, in as many pieces as it needs."""
    if len(line) <= ROOM:
        return line
    cut = SOFT_BREAK.join([line[begin : begin + ROOM] for begin in range(0, len(line), ROOM)])
    return SOFT_BREAK.join(_cut(line)) if b"\n." in cut or b"\nFrom " in cut else cut


# keyed by the wording and not by its id alone: what is compiled can never be that of other words
@lru_cache(maxsize=KEPT_CONTENTS)
def compile_body(content_id: str, subject: str, text: str, html: str) -> Compiled:
    """A content's wording, compiled and proven."""
    boundary = f"=_{content_id[:32]}"  # "=_" cannot occur in quoted-printable
    text, html = slots.unix(text), slots.unix(html)
    parts = part(text), part(html)
    prove(parts[0], text, html=False)
    prove(parts[1], html, html=True)
    in_text = _between(_OPENING.format(boundary, "plain"), parts[0], "\r\n")
    in_html = _between(_OPENING.format(boundary, "html"), parts[1], f"\r\n--{boundary}--\r\n")
    names, after = in_text.names | in_html.names, len(in_text.segments)
    return Compiled(
        boundary,
        slots.cut(subject),
        names | slots.names(subject),
        in_text.segments + in_html.segments,
        tuple((name, in_text.places_of(name), in_html.places_of(name, after)) for name in sorted(names)),
    )


def part(kept: str) -> Part:
    """Kept wording as segments."""
    literals, names = slots.split(kept)
    last = len(literals) - 1
    segments, places = [_literal(literals[0], is_first=True, is_last=last == 0)], []
    for number, name in enumerate(names, 1):
        places.append((len(segments), name))
        segments += [b"", _literal(literals[number], is_first=False, is_last=number == last)]
    return Part(tuple(segments), tuple(places), frozenset(names))


def prove(made: Part, kept: str, *, html: bool) -> None:
    """WrongBytes unless the joined segments decode to the plain rendering of the wording, for sample values."""
    for sample in _SAMPLES:
        values = {name: sample.replace("{}", name) for name in made.names}
        encoded = {name: quoted(slots.in_html(value) if html else value) for name, value in values.items()}
        joined = b"".join(made.filled(encoded))
        wanted = _bytes(slots.fill(kept, values, html=html))
        if not is_fit(joined) or a2b_qp(joined).replace(b"\r\n", b"\n") != wanted:
            raise WrongBytes(
                f"{'html' if html else 'text'}: this wording cannot be sent, for its encoded form reads otherwise; "
                "report it with the text, it is a fault of this program."
            )


def is_fit(body: bytes) -> bool:
    """Whether an encoded body can go to any server, and through any relay, as it is."""
    lines = body.split(b"\r\n")
    return (
        not body.translate(None, _LETTERS)
        and body.count(b"\r") == body.count(b"\n") == len(lines) - 1
        and max(map(len, lines)) <= ROOM + 1
        and not any(unfit in b"\n" + body for unfit in _UNFIT)
    )


def _literal(text: str, *, is_first: bool, is_last: bool) -> bytes:
    """A literal with the soft breaks that part it from the values beside it."""
    encoded = quoted(text)
    parts_from_value = not (is_first or encoded.startswith(b"\r\n") or (is_last and not encoded))
    parts_to_value = bool(encoded) and not (is_last or encoded.endswith(b"\r\n"))
    return (SOFT_BREAK if parts_from_value else b"") + encoded + (SOFT_BREAK if parts_to_value else b"")


def _bytes(text: str) -> bytes:
    return slots.unix(text).encode(errors="replace")  # half a surrogate pair is no text


def _between(before: str, inner: Part, after: str) -> Part:
    first, *rest = inner.segments
    segments = [before.encode() + first, *rest]
    segments[-1] += after.encode()
    return Part(tuple(segments), inner.places, inner.names)


def _cut(line: bytes) -> list[bytes]:
    """One encoded line as pieces of at most `ROOM`, none within an encoded letter, none that a relay would change."""
    pieces: list[bytes] = []
    while True:
        if line.startswith((b".", b"From ")):  # dot-stuffing, and the quoting of old mailboxes
            line = b"=%02X" % line[0] + line[1:]
        if len(line) <= ROOM:
            return [*pieces, line]
        end = ROOM - 1 if line[ROOM - 1 : ROOM] == b"=" else ROOM - 2 if line[ROOM - 2 : ROOM - 1] == b"=" else ROOM
        pieces.append(line[:end])
        line = line[end:]
