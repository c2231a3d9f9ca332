"""Routes: every plugin's and the core's own, on one Falcon app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from falcon.routing import CompiledRouter

from ipcraft.contributions import Route

Serve = Callable[[dict[str, Any]], dict[str, Any]]
"""Give the responders of a route, by method, with what goes around them."""


class Router(CompiledRouter):
    """Route as Falcon does, and answer HEAD wherever GET is (RFC 9110, section 9.1)."""

    def map_http_methods(
        self, resource: object, *, serve: Serve | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Give the resource's responders; HEAD is GET's unless it has its own.

        With `serve` each is served as that says.
        """
        methods: dict[str, Any] = super().map_http_methods(resource, **kwargs)
        if "GET" in methods:
            methods.setdefault("HEAD", methods["GET"])
        return serve(methods) if serve else methods

    def refusal(self, route: Route) -> str | None:
        """Add a route; return why it cannot be served, or None."""
        if not route.path.startswith("/"):
            return "which does not start with a slash"
        if not self.map_http_methods(route.resource):
            return f"whose resource {type(route.resource).__name__} has no on_get, on_post or other"
        try:
            self.add_route(route.path, route.resource)
        except (TypeError, ValueError) as error:
            return f"which cannot be served: {error}"
        return None
