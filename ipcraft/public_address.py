"""Where people reach this installation: the configured public URL, whatever a request says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipcraft.errors import Unavailable

if TYPE_CHECKING:
    from ipcraft.app import Application

_served: str | None = None


def remember_served(url: str) -> None:
    """Note the address that ``ipcraft serve`` serves, for who has not configured any other."""
    global _served
    _served = url


def known_public_url(app: Application) -> str | None:
    """Give the public URL, without a slash at its end, or None."""
    return app.settings.public_url or _served


def public_url(app: Application) -> str:
    """Give the public URL likewise: the base of every link that leads here.

    Raises `Unavailable` when none is known.
    """
    url = known_public_url(app)
    if url is None:
        raise Unavailable(
            "Links cannot be made: the operator has to set IPCRAFT_PUBLIC_URL",
            code="no_public_url",
        )
    return url
