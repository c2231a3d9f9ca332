"""Believe a trusted reverse proxy who sends a request."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, AuthBackend, Schema, hookimpl
from ipcraft_proxy_auth.authentication import ProxyBackend
from ipcraft_proxy_auth.schemas import NAME, Settings

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let the proxy, its headers and what its groups mean be set."""
    return Settings


@hookimpl
def ipcraft_auth_backends(app: Application) -> Sequence[AuthBackend]:
    """Recognize whom the proxy names."""
    return [ProxyBackend(app, app.section(NAME))]
