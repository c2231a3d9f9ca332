"""Accounts: organizations, their users, and what each role may do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import Application, EventType, Identity, Migrations, Route, hookimpl
from ipcraft_accounts.organizations import (
    Organization,
    change_plan,
    create_organization,
    find_organization,
    list_organizations,
    plan_name,
    plan_name_of,
)
from ipcraft_accounts.resources import Me
from ipcraft_accounts.roles import ROLES, exceeds, may
from ipcraft_accounts.tables import metadata, organizations, users
from ipcraft_accounts.users import User, find_owner

API = 1

__all__ = [
    "API",
    "ROLES",
    "Organization",
    "User",
    "change_plan",
    "create_organization",
    "exceeds",
    "find_organization",
    "find_owner",
    "list_organizations",
    "metadata",
    "organizations",
    "plan_name",
    "plan_name_of",
    "users",
]


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of organizations and users."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare what happens to organizations and users."""
    return [
        EventType("organization.created", "An organization was created."),
        EventType("organization.updated", "An organization got another plan."),
        EventType("user.created", "A user joined the organization."),
    ]


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve who the sender is."""
    return [Route("/api/v1/auth/me", Me(app))]


@hookimpl
def ipcraft_authorize(identity: Identity, action: str) -> bool:
    """Refuse what is above the identity's role."""
    return may(identity.role, action)
