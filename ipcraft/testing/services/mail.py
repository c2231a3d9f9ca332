"""A real SMTP server that keeps what it is sent."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ipcraft.testing.services.processes import DEADLINE, LOOPBACK, ServiceFailed, free_port

Encryption = Literal["none", "tls", "starttls"]

_SCHEMES = {"none": "smtp", "tls": "smtps", "starttls": "smtp"}
_LINK = re.compile(r"https?://[^\s\"<>]+")


@dataclass(frozen=True, slots=True)
class Received:
    """Hold a mail as the server got it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    user: str | None
    """Who had logged in."""

    @property
    def text(self) -> str:
        """Give the part to read as it is."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """Give the part for programs that show HTML."""
        return self._part("html")

    @property
    def link(self) -> str:
        """Give the one address that stands in the text."""
        (found,) = _LINK.findall(self.text)
        return str(found)

    def _part(self, kind: Literal["plain", "html"]) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"the mail has no part text/{kind}"
        return str(part.get_content()).replace("\r\n", "\n")


class MailSink:
    """Take mail on a free loopback port, and keep it in `mails`.

    `login` is the only user and password that gets in, `answer` what it says to a mail instead
    of taking it, such as ``450 try again later``.

    >>> with MailSink() as sink:
    ...     app = make_application(url, settings={"smtp_url": sink.url, "mail_from": "me@here"})
    ...     (mail,) = sink.wait_for(1)
    """

    def __init__(
        self,
        *,
        encryption: Encryption = "none",
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.answer: str | None = None
        self._mails: list[Received] = []
        self._arrived = threading.Condition()
        self._login = login
        self._encryption = encryption
        self._context = context
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        """Give the URL to send through."""
        user = f"{self._login[0]}:{self._login[1]}@" if self._login else ""
        query = "?starttls=true" if self._encryption == "starttls" else ""
        return f"{_SCHEMES[self._encryption]}://{user}{LOOPBACK}:{self.port}{query}"

    @property
    def mails(self) -> list[Received]:
        """Give the mails that have arrived."""
        with self._arrived:
            return list(self._mails)

    def wait_for(self, number: int) -> list[Received]:
        """Wait until so many mails have arrived, and give all there are."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._mails) >= number, DEADLINE):
                raise ServiceFailed(f"{len(self._mails)} mails arrived, not {number}")
            return list(self._mails)

    def resume(self) -> None:
        """Listen, on the same port as before."""
        options: dict[str, Any] = {}
        if self._encryption == "tls":
            options = {"ssl_context": self._context}
        elif self._encryption == "starttls":
            options = {"tls_context": self._context, "require_starttls": True}
        if self._login:
            options |= {"authenticator": self._authenticate}
            options |= {"auth_require_tls": self._encryption == "starttls"}
        self._controller = Controller(
            _Handler(self._take), hostname=LOOPBACK, port=self.port, **options
        )
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _take(self, mail: Received) -> str:
        if self.answer is not None:
            return self.answer
        if self._login and mail.user is None:
            return "530 log in first"
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()
        return "250 kept"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False, auth_data=data)


class _Handler:
    """Be what aiosmtpd hands mails to."""

    def __init__(self, take: Callable[[Received], str]) -> None:
        self._take = take

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        login: object = session.auth_data
        transport = server.transport
        return self._take(
            Received(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                message=message,
                encrypted=transport is not None
                and transport.get_extra_info("sslcontext") is not None,
                user=login.login.decode() if isinstance(login, LoginPassword) else None,
            )
        )
