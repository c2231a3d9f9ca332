"""Let people sign in with their password in an LDAP directory."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, RateLimit, Route, Schema, hookimpl
from ipcraft_ldap.resources import SignInResource
from ipcraft_ldap.schemas import Settings

API = 1


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let the directory, and what its groups mean, be set."""
    return Settings


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the sign-in, to everybody and not too fast: passwords can be guessed."""
    attempts = Settings.of(app)["attempts_per_minute"]
    limit = RateLimit(name="ldap", requests=attempts, seconds=60)
    return [Route("/api/v1/auth/ldap", SignInResource(app), public=True, limit=limit)]
