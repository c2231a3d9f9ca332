"""The tools over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from math import ceil
from typing import Any

import falcon

from ipcraft.plugin import Application, operation
from ipcraft_nettools.calls import Asker
from ipcraft_nettools.running import Runner
from ipcraft_nettools.tools import NetworkTool


class Tool:
    """Answer ``/api/v1/tools/NAME``."""

    def __init__(self, app: Application, runner: Runner, tool: NetworkTool) -> None:
        self._app = app
        self._runner = runner
        self._tool = tool
        self.on_get = operation(
            summary=tool.summary,
            query=tool.parameters(),
            answers={200: tool.answer},
            errors={502: "Others did not answer, or in no way that can be understood."},
        )(self._run)

    def _run(self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any]) -> None:
        """Run the tool.

        An answer that holds for a while says so to caches.
        """
        asker = _asker(req, self._app.settings.trusted_proxies)
        answer = self._runner.answer(self._tool, query, asker)
        resp.data = answer.data
        resp.content_type = falcon.MEDIA_JSON
        if answer.until is None:
            resp.cache_control = ["no-store"]
        else:
            left = max(ceil(answer.until - self._app.clock()), 0)
            resp.cache_control = ["private", f"max-age={left}"]


def _asker(req: falcon.Request, proxies: Sequence[IPv4Network | IPv6Network]) -> Asker:
    return Asker(
        req.context.client_address,
        {name.title(): value for name, value in req.headers.items()},
        proxied=_is_within(req.remote_addr, proxies),
    )


def _is_within(text: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)
