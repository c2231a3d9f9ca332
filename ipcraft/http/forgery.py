"""Cross-site request forgery: writes that another site makes a browser send.

Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

import falcon

from ipcraft.contributions import Identity
from ipcraft.errors import Forbidden

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

HEADER = "X-Requested-With"
"""The header that no other site can make a browser send without asking us first."""

VALUE = "XMLHttpRequest"
"""What the header says."""

_PORTS = {"http": 80, "https": 443}

Host = tuple[str, int | None]


class ForgeryGuard:
    """Refuse a write whose proof a browser sent by itself, unless it comes from our own pages.

    An ``Origin`` must be the public URL's or, where that is not known, of the request's host.
    """

    __slots__ = ("_host", "_scheme")

    def __init__(self, public_url: str | None) -> None:
        parts = urlsplit(public_url) if public_url else None
        self._scheme = parts.scheme if parts else None
        self._host = _host(parts, parts.scheme) if parts else None

    def check(self, req: falcon.Request, identity: Identity) -> None:
        """Raise `Forbidden` for a write that may be forged."""
        if not identity.ambient or req.method in SAFE_METHODS:
            return
        origin = req.get_header("Origin")
        if origin is not None and not self._is_ours(origin, req):
            raise Forbidden(
                f"This request comes from {origin[:200]!r}, which is not where IPCraft is served",
                code="foreign_origin",
            )
        if req.get_header(HEADER) != VALUE:
            raise Forbidden(
                f"A {req.method} with a session cookie needs the header `{HEADER}: {VALUE}`",
                code="csrf",
            )

    def _is_ours(self, origin: str, req: falcon.Request) -> bool:
        try:
            parts = urlsplit(origin)
            came_from = _host(parts, parts.scheme)
            if self._host is not None:
                return parts.scheme == self._scheme and came_from == self._host
            served = _host(urlsplit(f"//{req.get_header('Host') or ''}"), parts.scheme)
        except ValueError:
            return False
        return parts.scheme in _PORTS and came_from is not None and came_from == served


def _host(parts: SplitResult, scheme: str) -> Host | None:
    """Give host and port; the port that the scheme implies is spelled out."""
    return (parts.hostname, parts.port or _PORTS.get(scheme)) if parts.hostname else None
