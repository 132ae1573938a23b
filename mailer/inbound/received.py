"""What a mail that came in is made of, once its bytes have been read."""

from dataclasses import dataclass
from datetime import datetime

from mailer.errors import MailerError


class Unreadable(MailerError):
    """A mail that cannot be read within the limits; its bytes are kept and a person looks at them."""

    status = 422


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient's block of a delivery report (RFC 3464 §2.3), in the reporter's words; action is lower-case."""

    recipient: str
    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A complaint report (RFC 5965): `kind` is its Feedback-Type, lower-case; `recipient` may be hidden and empty."""

    kind: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, read and decoded. Absent headers are None; a null return path is the empty string.

    Message ids keep their angle brackets. `headers` are all top-level ones in their order, names lower-case.
    `text` is what a person would read; `html` is kept beside it as it came.
    """

    message_id: str | None
    subject: str
    from_addresses: tuple[str, ...]
    from_name: str
    from_fault: str | None
    to: tuple[str, ...]
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    return_path: str | None
    auto_submitted: str | None
    precedence: str | None
    content_type: str
    date: datetime | None
    text: str
    html: str | None
    attachments: tuple[str, ...]
    report: tuple[Failure, ...]
    feedback: Feedback | None
    detected: tuple[tuple[str, bool], ...]
    """Addresses that `flufl.bounce` found, each with whether it called the failure permanent."""
    malformed: str | None
    headers: tuple[tuple[str, str], ...]

    @property
    def answers(self) -> tuple[str, ...]:
        """The message ids this mail says it answers, nearest first, each once."""
        return tuple(dict.fromkeys(self.in_reply_to + self.references[::-1]))

    def header(self, name: str) -> str | None:
        """The topmost header of that lower-case name, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every header of that lower-case name, topmost first."""
        return tuple(value for key, value in self.headers if key == name)
