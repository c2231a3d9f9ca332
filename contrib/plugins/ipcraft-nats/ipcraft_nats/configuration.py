"""What an operator has set, checked and typed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from ipcraft.plugin import Application, StartError


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Hold the settings of `schemas.Settings`. Secrets are not shown."""

    servers: tuple[str, ...]
    user: str | None
    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    tls: ssl.SSLContext
    stream: str
    create_stream: bool
    subject: str
    timeout: float

    @classmethod
    def of(cls, app: Application) -> Configuration:
        """Read the application's settings. Raises `StartError` for a file that will not do."""
        section: dict[str, Any] = dict(app.section("nats"))
        section["servers"] = tuple(section["servers"])
        return cls(tls=_tls(section.pop("ca_file"), section.pop("certificate_file")), **section)

    @property
    def insists_on_tls(self) -> bool:
        """Tell whether nothing may be said in the clear."""
        return any(url.startswith("tls:") for url in self.servers)


def _tls(ca_file: str | None, certificate_file: str | None) -> ssl.SSLContext:
    setting, path = "ca_file", ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate_file is not None:
            setting, path = "certificate_file", certificate_file
            context.load_cert_chain(certificate_file)
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"[plugins.nats] {setting}: {path} cannot be used: {reason}") from error
    return context
