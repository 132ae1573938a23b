"""What recipients and their servers do with a caught mail, done for real: answer it, leave by one click, bounce it."""

from __future__ import annotations

import re
import smtplib
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, getaddresses, make_msgid, parseaddr
from urllib.parse import urlsplit

import httpx

from mailer import settings
from mailer.demo import post_office
from mailer.errors import Conflict

ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 §3.2
SECONDS = 15.0
_WIRE = policy.SMTP.clone(max_line_length=998)  # long ids stay plain (TRAPS 1)
_WEB_ADDRESS = re.compile(r"<(https?://[^>\s]+)>")


class CannotAnswer(Conflict):
    """This mail gives nobody to answer to, or nobody takes the answer."""


def reply(mail_id: str, text: str, at: datetime, *, is_automatic: bool = False) -> None:
    """Answer as the recipient would: to Reply-To, threaded, with the original quoted below."""
    caught, mail = _open(mail_id)
    to = parseaddr(str(mail["Reply-To"] or mail["From"] or ""))[1]
    if not to:
        raise CannotAnswer("This mail names nobody to answer to.")
    me = caught.envelope_to[0]
    answer = EmailMessage(policy=_WIRE)
    answer["Authentication-Results"] = f"{post_office.AUTHSERV_ID}; dmarc=pass header.from={me.rpartition('@')[2]}"
    answer["From"] = _with_name(me, mail)
    answer["To"] = to
    answer["Subject"] = _again(str(mail["Subject"] or ""))
    answer["Date"] = format_datetime(at)
    answer["Message-ID"] = make_msgid(domain=me.rpartition("@")[2])
    if mail["Message-ID"]:
        answer["In-Reply-To"] = str(mail["Message-ID"])
        answer["References"] = " ".join(f"{mail['References'] or ''} {mail['Message-ID']}".split())
    if is_automatic:
        answer["Auto-Submitted"] = "auto-replied"
    answer.set_content(f"{text.strip()}\n\n{_quoted(caught, mail)}")
    _hand_in(answer, "" if is_automatic else me, to)


def bounce(mail_id: str, at: datetime) -> None:
    """Say to the envelope sender that the mailbox does not exist (RFC 3464)."""
    caught = post_office.get(mail_id)
    if not caught.envelope_from:
        raise CannotAnswer("This mail has a null return path; nothing bounces to nowhere.")
    recipient = caught.envelope_to[0]
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = f"Mail delivery <mailer-daemon@{recipient.rpartition('@')[2]}>"
    report["To"] = caught.envelope_from
    report["Subject"] = "Undeliverable mail"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = make_msgid(domain=recipient.rpartition("@")[2])
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"Your mail to {recipient} could not be delivered: there is no such mailbox.\n"))
    report.attach(_delivery_status(recipient, caught.received_at))
    original = MIMENonMultipart("text", "rfc822-headers")
    original.set_payload(_head(mail_id))
    report.attach(original)
    _hand_in(report, "", caught.envelope_from)


def press_unsubscribe(mail_id: str) -> int:
    """POST to the mail's one-click address as a mail client does (RFC 8058); gives the status that came back."""
    _, mail = _open(mail_id)
    url = one_click_url(mail)
    if url is None:
        raise CannotAnswer("A mail client shows no unsubscribe button here: the mail has no one-click headers.")
    if urlsplit(url)[:2] != urlsplit(settings.current().url)[:2]:
        raise CannotAnswer("The unsubscribe address of this mail is not on this server; it is not called from here.")
    try:
        answer = httpx.post(
            url, content=ONE_CLICK, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=SECONDS
        )
    except httpx.HTTPError as error:
        raise CannotAnswer(f"The unsubscribe address did not answer ({type(error).__name__}).") from None
    return answer.status_code


def one_click_url(mail: EmailMessage) -> str | None:
    """Where a mail client posts; None where it shows no button."""
    if ONE_CLICK not in str(mail["List-Unsubscribe-Post"] or ""):
        return None
    found = _WEB_ADDRESS.search(str(mail["List-Unsubscribe"] or ""))
    return found[1] if found else None


def _open(mail_id: str) -> tuple[post_office.Caught, EmailMessage]:
    return post_office.get(mail_id), post_office.parse(post_office.source(mail_id))


def _head(mail_id: str) -> str:
    """The head of a caught mail as it came over the wire: seven bits, encoded words left as they are."""
    return post_office.source(mail_id).partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n") + "\n"


def _with_name(me: str, mail: EmailMessage) -> Address:
    names = {address.lower(): name for name, address in getaddresses([str(mail["To"] or "")])}
    return Address(names.get(me.lower(), ""), addr_spec=me)


def _again(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _quoted(caught: post_office.Caught, mail: EmailMessage) -> str:
    local = caught.received_at.astimezone(settings.current().zone)
    lines = (post_office.part(mail, "plain") or "").splitlines()
    return "\n".join(
        [f"On {local:%d %B %Y} at {local:%H:%M}, {caught.sender} wrote:", *(f"> {line}" for line in lines)]
    )


def _delivery_status(recipient: str, arrived_at: datetime) -> Message:
    whole, one = Message(), Message()
    whole["Reporting-MTA"] = "dns; post-office.localhost"
    whole["Arrival-Date"] = format_datetime(arrived_at)
    one["Final-Recipient"] = f"rfc822; {recipient}"
    one["Action"] = "failed"
    one["Status"] = "5.1.1"
    one["Diagnostic-Code"] = "smtp; 550 5.1.1 No such mailbox"
    status = MIMENonMultipart("message", "delivery-status")
    status.set_payload([whole, one])
    return status


def _hand_in(mail: Message, envelope_from: str, envelope_to: str) -> None:
    config = settings.current()
    kind = smtplib.LMTP if config.inbound_protocol == "lmtp" else smtplib.SMTP
    try:
        with kind(config.inbound_host, config.inbound_port, timeout=SECONDS) as door:
            door.sendmail(envelope_from, [envelope_to], mail.as_bytes(policy=_WIRE))
    except smtplib.SMTPException as error:
        raise CannotAnswer(f"The inbound listener did not take the mail: {error}") from None
    except OSError:
        raise CannotAnswer(
            f"Nothing takes mail at {config.inbound_host}:{config.inbound_port}: start `mailer inbound` or `mailer up`."
        ) from None
