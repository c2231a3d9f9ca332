"""Who may read the metrics: who has the token, and who asks from a network that is named."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import falcon

from ipcraft.config import NetworkAddresses
from ipcraft.errors import Forbidden, Unauthenticated
from ipcraft.http.client_addresses import parsed

_FORWARDING = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Access:
    """Let scrapers in and nobody else.

    A proxy on this machine that is not among the trusted ones would make all the world seem to be
    this machine: a request that says it was forwarded comes from no network.
    """

    networks: Sequence[NetworkAddresses]
    token: str | None

    def check(self, req: falcon.Request) -> None:
        """Raise `Unauthenticated` for a wrong token, `Forbidden` for who has none to show."""
        credentials = req.get_header("Authorization")
        if self.token is not None and credentials is not None:
            if not self._is_token(credentials):
                raise Unauthenticated("This is not the token for the metrics")
        elif not self._is_near(req):
            raise Forbidden(
                "The metrics are not for your address: "
                "the settings metrics_networks and metrics_token say who may read them"
            )

    def _is_token(self, credentials: str) -> bool:
        scheme, given = credentials[: len(_SCHEME)], credentials[len(_SCHEME) :].strip()
        token = (self.token or "").encode()
        return scheme.lower() == _SCHEME and hmac.compare_digest(given.encode(), token)

    def _is_near(self, req: falcon.Request) -> bool:
        client: str = req.context.client_address
        if client == req.env.get("REMOTE_ADDR") and any(map(req.get_header, _FORWARDING)):
            return False
        address = parsed(client)
        return address is not None and any(address in network for network in self.networks)
