"""What an operator has set, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ipcraft.plugin import Application, StartError

CALLBACK = "/api/v1/auth/oidc/callback"
"""The path the issuer sends people back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Hold the settings of `schemas.Settings`, and our own address. The secret is not shown."""

    public_url: str
    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    organization: str
    roles: Mapping[str, str]
    default_role: str | None
    groups_claim: str
    scopes: tuple[str, ...]
    require_verified_email: bool
    clock_skew: int

    @classmethod
    def of(cls, app: Application) -> Configuration:
        """Read the application's settings. Raises `StartError` without a public URL."""
        section: dict[str, Any] = dict(app.section("oidc"))
        if app.settings.public_url is None:
            raise StartError(
                "IPCRAFT_PUBLIC_URL is not set: the issuer sends people back to "
                f"that URL with {CALLBACK} at its end"
            )
        section["scopes"] = tuple(dict.fromkeys(("openid", *section["scopes"])))
        return cls(public_url=app.settings.public_url, **section)

    @property
    def redirect_uri(self) -> str:
        """Give the URL the issuer sends people back to: never one that a request claims."""
        return self.public_url + CALLBACK

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach us by https alone."""
        return self.public_url.startswith("https:")
