"""What each event in says, checked to the letter; what we do not know is passed over, so that senders may grow."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core.core_schema import ValidationInfo

from mailer.consent.rules import Basis
from mailer.contacts import rules as contact_rules
from mailer.contacts.rules import Origin
from mailer.errors import Invalid, MailerError
from mailer.services.rules import EventIn

LONG_TEXT = 20_000
EARLIEST_YEAR = 2000
_FAULTS = {
    "string_type": "this is not a text",
    "string_unicode": "this text is not Unicode",
    "string_too_short": "this is empty",
    "string_too_long": "at most {max_length} characters fit",
    "too_short": "this is empty",
    "too_long": "at most {max_length} characters fit",
    "bool_type": "this is neither true nor false",
    "string_pattern_mismatch": "this is no id: at most 60 letters, digits, “_”, “.” and “-”",
}


class BadBody(MailerError):
    """A body that is not the JSON object that every webhook sends."""

    field = "body"


class UnknownEvent(Invalid):
    """An event that nobody here hears."""

    field = "type"


class BadPayload(Invalid):
    """An event whose data lacks a field, or holds a wrong one."""


def _line(text: str, info: ValidationInfo) -> str:
    return contact_rules.read_line(text, str(info.field_name))


def _email(text: str) -> str:
    return contact_rules.read_address(text).email


def _time_zone(text: str) -> str:
    return contact_rules.read_time_zone(text)


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text.strip()


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("is not a text such as 2026-11-24T09:30:00Z")
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("has no time zone")
        if instant.year < EARLIEST_YEAR:
            raise ValueError("lies before anything that could be told")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not an instant with its time zone, such as 2026-11-24T09:30:00Z") from None


Line = Annotated[str, AfterValidator(_line)]
Name = Annotated[Line, Field(min_length=1)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_line)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]  # it goes on the record: no room for a person
Text = Annotated[str, AfterValidator(_text), Field(min_length=1, max_length=LONG_TEXT)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class Payload(BaseModel):
    """The data of one event."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class AboutContact(Payload):
    """Data about the person whom the service calls `reference`."""

    reference: Reference


class ContactUpserted(AboutContact):
    email: Annotated[str, AfterValidator(_email)]
    name: Line = ""
    company: Line = ""
    locale: Literal["", "en", "nl"] = ""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = ""
    origin: Annotated[Origin, Field(strict=False)]
    consumer: bool | None = None


class ContactClosed(AboutContact):
    pass


class ContactActive(AboutContact):
    used_at: Instant
    automatic: bool = False


class ConsentGranted(AboutContact):
    topic: Name
    wording: Text
    at: Instant
    evidence: Text
    basis: Annotated[Basis, Field(strict=False)] = Basis.CONSENT


class ConsentWithdrawn(AboutContact):
    topic: Name | None = None


class MessageRequested(AboutContact):
    subject: Name
    body: Text


class AnnouncementShown(AboutContact):
    """`announcement` is the id of the version that was announced, or one of the service's own."""

    announcement: Id
    shown_at: Instant


class TerminationReceived(AboutContact):
    version: Name | None = None
    at: Instant


class RightsRequested(AboutContact):
    request: Literal["access", "correction", "erasure", "restriction", "portability", "objection", "other"]
    at: Instant
    text: Annotated[str, AfterValidator(_text), Field(max_length=LONG_TEXT)] = ""


PAYLOADS: dict[EventIn, type[Payload]] = {
    EventIn.CONTACT_UPSERTED: ContactUpserted,
    EventIn.CONTACT_CLOSED: ContactClosed,
    EventIn.CONTACT_ACTIVE: ContactActive,
    EventIn.CONSENT_GRANTED: ConsentGranted,
    EventIn.CONSENT_WITHDRAWN: ConsentWithdrawn,
    EventIn.MESSAGE_REQUESTED: MessageRequested,
    EventIn.ANNOUNCEMENT_SHOWN: AnnouncementShown,
    EventIn.TERMINATION_RECEIVED: TerminationReceived,
    EventIn.RIGHTS_REQUESTED: RightsRequested,
}


class Heard(BaseModel):
    """One call as we understood it."""

    model_config = ConfigDict(frozen=True)

    kind: EventIn
    payload: Payload


def read(body: bytes) -> Heard:
    """Read `{"type", "timestamp", "data"}`; BadBody, UnknownEvent or BadPayload name what is wrong."""
    found = _object(body)
    kind, data = found["type"], found["data"]
    if kind not in [event.value for event in EventIn]:
        raise UnknownEvent(f"type: “{_shown(kind)}” is not an event we hear; these are: {', '.join(EventIn)}.")
    try:
        return Heard.model_construct(kind=EventIn(kind), payload=PAYLOADS[EventIn(kind)].model_validate(data))
    except ValidationError as error:
        raise _in_words(error) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody("body: this is not JSON in UTF-8.") from None
    if not isinstance(found, dict):
        raise BadBody("body: send one JSON object with “type”, “timestamp” and “data”.")
    for name, kind, words in (("type", str, "a text"), ("timestamp", str, "a text"), ("data", dict, "an object")):
        if not isinstance(found.get(name), kind):
            raise BadBody(f"{name}: the body needs “{name}”, {words}.", field=name)
    try:
        _instant(found["timestamp"])
    except ValueError as error:
        raise BadBody(f"timestamp: {error}.", field="timestamp") from None
    return found


def _in_words(error: ValidationError) -> BadPayload:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return BadPayload(f"{name}: data needs “{name}”, and it is not there.", field=name)
    fault = _FAULTS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return BadPayload(f"{name}: {fault[:1].lower()}{fault[1:].format(**first.get('ctx', {}))}.", field=name)


def _shown(text: str) -> str:
    return text.encode("unicode_escape").decode()[:60]
