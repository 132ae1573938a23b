"""The tree of mistakes: every error a person may read stands under `MailerError` (STYLE §10)."""

from traceback import format_tb

WITH_PLAIN_WORDS = frozenset({"InterfaceError", "OperationalError", "ProgrammingError"})  # a database's, of itself


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


def trace(error: BaseException) -> str:
    """Where an error came from, for a log: its line and type, and of what led to it.

    Its words stay out, for they may be personal (invariant 12): PostgreSQL's name the row that it refused.
    """
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{trace(inner)}\nwhich led to\n" if inner is not None else ""
    return f"{before}{''.join(format_tb(error.__traceback__))}{_name(error)}"


def _name(error: BaseException) -> str:
    kind, origin = type(error).__name__, getattr(error, "orig", None)
    if origin is None or kind not in WITH_PLAIN_WORDS:
        return kind
    first_line = str(origin).partition("\n")[0]
    return f"{kind}: {first_line}"
