"""Every request that an application answers to somebody with credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipcraft.http.routing import Router
from ipcraft.plugin import Application, Route

_VARIABLE = re.compile(r"\{[^}]*\}")
_NOBODYS = "usr_01jx0000000000000000000000"


@dataclass(frozen=True, slots=True)
class Request:
    """Be one method of one route, with an id of nothing for each variable of its path."""

    method: str
    path: str
    action: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def requests_to(app: Application) -> list[Request]:
    """Give each method of each route that is not public."""
    return [
        Request(method, _VARIABLE.sub(_NOBODYS, route.path), route.action(method))
        for route in app.routes
        if not route.public
        for method in methods(route)
    ]


def methods(route: Route) -> list[str]:
    """Give the methods that the route's resource answers."""
    return sorted(Router().map_http_methods(route.resource))
