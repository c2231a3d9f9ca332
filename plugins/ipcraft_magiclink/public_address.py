"""Where links lead: to the configured public URL, whatever a request says."""

from __future__ import annotations

from ipcraft.plugin import Application, Unavailable

VERIFY = "/api/v1/auth/verify"
"""The path that a link leads to."""

_served: str | None = None


def remember_served(url: str) -> None:
    """Note the address that ``ipcraft serve`` serves, for who has not configured any other."""
    global _served
    _served = url


def known_url(app: Application) -> str | None:
    """Give the public URL, without a slash at its end, or None."""
    return app.settings.public_url or _served


def public_url(app: Application) -> str:
    """Give the public URL likewise. Raises `Unavailable` when none is known."""
    url = known_url(app)
    if url is None:
        raise Unavailable(
            "Links cannot be sent: the operator has to set IPCRAFT_PUBLIC_URL",
            code="no_public_url",
        )
    return url


def verify_url(base: str, token: str) -> str:
    """Give the link of a token below a public URL."""
    return f"{base}{VERIFY}?token={token}"
