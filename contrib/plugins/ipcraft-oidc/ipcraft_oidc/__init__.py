"""Let people sign in at an OpenID Connect issuer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import (
    Application,
    Change,
    HealthCheck,
    Migrations,
    RateLimit,
    Route,
    Schema,
    Transaction,
    hookimpl,
)
from ipcraft_oidc.client import Client
from ipcraft_oidc.configuration import CALLBACK, Configuration
from ipcraft_oidc.issuer import Issuer
from ipcraft_oidc.resources import LOGIN, CallbackResource, LoginResource
from ipcraft_oidc.schemas import Settings
from ipcraft_oidc.subjects import unlink
from ipcraft_oidc.tables import metadata

API = 1

_LIMIT = RateLimit(name="oidc", requests=60, seconds=60)


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Let the issuer, the client and the roles be set."""
    return Settings


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the table of who is who at the issuer."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve the way to the issuer and the way back."""
    client = Client(Configuration.of(app), clock=app.clock)
    return [
        Route(LOGIN, LoginResource(app, client), public=True, limit=_LIMIT),
        Route(CALLBACK, CallbackResource(app, client), public=True, limit=_LIMIT),
    ]


@hookimpl
def ipcraft_health_checks(app: Application) -> Sequence[HealthCheck]:
    """Say when nobody new can sign in; who is signed in stays so."""
    issuer = Issuer(Configuration.of(app).issuer, clock=app.clock)
    return [HealthCheck("oidc", issuer.check, required=False)]


@hookimpl
def ipcraft_before_change(change: Change, tx: Transaction) -> None:
    """Forget who a deleted user was at the issuer, before the row that this refers to goes."""
    if change.type == "user.deleted":
        unlink(tx, change.resource_id)
