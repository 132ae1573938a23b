"""The tree of mistakes: every error a person may read stands under `MailerError` (STYLE §10)."""


class MailerError(Exception):
    """Something was asked that cannot be done; the message tells a person what was wrong and what to do.

    `status` is the HTTP status a door answers with; `field` names the input at fault, if one is.
    """

    status = 400
    field: str | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        if field is not None:
            self.field = field


class NotFound(MailerError):
    """What was named does not exist."""

    status = 404


class NotAllowed(MailerError):
    """Who asks may not do this."""

    status = 403


class Conflict(MailerError):
    """What was asked does not fit the present state."""

    status = 409


class Invalid(MailerError):
    """A value does not say what it must."""

    status = 422
