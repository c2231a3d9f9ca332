"""Mail: letters, sent through the operator's SMTP server.

Sending waits for the server, so it belongs into a job. What a letter says may be secret, so the
job should make the letter itself: a job's payload lies about in queues.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from ipcraft.errors import Hopeless, StartError, Unavailable

if TYPE_CHECKING:
    import smtplib

    from ipcraft.config import Settings

TIMEOUT = 10.0
"""Seconds to wait for each answer of the server."""

_PORTS = {"smtp": 25, "smtps": 465}
_PERMANENT = 500

_log = structlog.get_logger("ipcraft.mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Hold a mail to one person. `html` says the same as `text`; `link` is what it is about."""

    to: str
    subject: str
    text: str
    html: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Say how to reach an SMTP server."""

    host: str
    port: int
    tls: bool = False
    """Whether the connection is encrypted from its first byte."""
    starttls: bool = False
    """Whether it must become encrypted before anything else is said."""
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """Read a URL: ``smtp://user:password@host:587?starttls=true``, ``smtps://host``.

        User and password are percent-encoded. Raises ValueError saying what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise ValueError("it does not begin with smtp:// or smtps://")
        if not parts.hostname or parts.path.strip("/") or parts.fragment:
            raise ValueError("expected smtp://USER:PASSWORD@HOST:PORT and nothing after it")
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        starttls = options.pop("starttls", ["false"])
        if options or starttls not in (["true"], ["false"]):
            raise ValueError("after the ? there can only be starttls=true")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            starttls=starttls == ["true"],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or ""),
        )

    @contextmanager
    def connect(self) -> Iterator[smtplib.SMTP]:
        """Speak with the server, encrypted and logged in as far as is wanted.

        Certificates are checked against the system's authorities.
        """
        # Imported here: only who sends mail should wait for it.
        import smtplib
        import ssl

        context = ssl.create_default_context()
        client = (
            smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
            if self.tls
            else smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        )
        with client:
            if self.starttls:
                client.starttls(context=context)
            if self.user is not None:
                client.login(self.user, self.password)
            yield client


class Mailer:
    """Send letters; where there is no server, write them to the log."""

    def __init__(self, server: MailServer | None, *, sender: Address | None) -> None:
        self._server = server
        self._sender = sender

    @classmethod
    def of(cls, settings: Settings) -> Mailer:
        """Make the mailer of these settings. Raises `StartError` when no sender is named."""
        if settings.smtp_url is None:
            return cls(None, sender=None)
        if settings.mail_from is None:
            raise StartError(
                "smtp_url is set and mail_from is not: say whom mail is from, such as "
                'IPCRAFT_MAIL_FROM="IPCraft <ipcraft@example.com>"'
            )
        return cls(MailServer.of(settings.smtp_url), sender=sender(settings.mail_from))

    def send(self, letter: Letter) -> None:
        """Send the letter.

        Raises `Unavailable` when that may succeed later, `Hopeless` when the letter is refused.
        """
        if self._server is None or self._sender is None:
            _show(letter)
            return
        message = _message(letter, self._sender)
        with _translated(letter.to), self._server.connect() as client:
            client.send_message(message)


def sender(text: str) -> Address:
    """Read whom mail is from: ``ipcraft@example.com``, ``IPCraft <ipcraft@example.com>``.

    Raises ValueError for what is no address.
    """
    _refuse_control_characters(text)
    header = SMTP.header_factory("From", text)
    if header.defects or len(header.addresses) != 1:
        raise ValueError("it is not one email address")
    (found,) = header.addresses
    return _address(found.addr_spec, name=found.display_name)


def _address(text: str, *, name: str = "") -> Address:
    """Give an address as a header needs it. Raises ValueError for what is none."""
    _refuse_control_characters(text)
    local, at, domain = text.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"{text!r} is no email address")
    # Mail servers know internationalized domains by their ASCII form (RFC 5891).
    ascii_domain = domain.encode("idna").decode("ascii")
    try:
        return Address(display_name=name, addr_spec=f"{local}@{ascii_domain}")
    # Some malformed addresses make the parser run out of text.
    except IndexError as error:
        raise ValueError(f"{text!r} is no email address") from error


def _refuse_control_characters(text: str) -> None:
    if any(ord(character) < ord(" ") for character in text):
        raise ValueError("there is a control character in the address")


def _message(letter: Letter, sender: Address) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    try:
        message["To"] = _address(letter.to)
    except ValueError as error:
        raise Hopeless(f"mail cannot be addressed: {error}") from error
    # A header is one line; whatever was put into the subject cannot begin another.
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = formatdate(localtime=False, usegmt=True)
    message["Message-ID"] = make_msgid(domain=sender.domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message


def _show(letter: Letter) -> None:
    content = {"text": letter.text} if letter.link is None else {"link": letter.link}
    _log.warning(
        "smtp_url is not set, so a mail is not sent but written here",
        to=letter.to,
        subject=letter.subject,
        unredacted=True,
        **content,
    )


@contextmanager
def _translated(to: str) -> Iterator[None]:
    """Tell failures that may pass from refusals that will not."""
    import smtplib

    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        ((code, answer),) = error.recipients.values()
        raise _refusal(f"mail to {to} is refused", code, answer) from error
    except smtplib.SMTPAuthenticationError as error:
        # The operator will set the password right.
        raise Unavailable(f"the mail server refuses the login: {error.smtp_code}") from error
    except smtplib.SMTPResponseException as error:
        raise _refusal("the mail server refuses", error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"mail cannot be sent now: {error}") from error


def _refusal(what: str, code: int, answer: bytes | str) -> Hopeless | Unavailable:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    kind = Hopeless if code >= _PERMANENT else Unavailable
    return kind(f"{what}: {code} {text}")
