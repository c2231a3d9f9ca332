"""People: what the issuer's claims make of somebody here."""

from __future__ import annotations

from dataclasses import dataclass

from ipcraft.plugin import Forbidden
from ipcraft_accounts import ROLES
from ipcraft_oidc.configuration import Configuration
from ipcraft_oidc.id_tokens import Claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Be somebody the issuer vouches for."""

    subject: str
    """Who it is, whatever else changes."""
    email: str
    name: str | None
    role: str


def person_of(claims: Claims, configuration: Configuration) -> Person:
    """Give the person of whom these are the claims.

    Raises `Forbidden` without an address, without one that the issuer verified where it must
    have, and without a role.
    """
    name = claims.get("name")
    return Person(
        subject=claims["sub"],
        email=_email(claims, verified=configuration.require_verified_email),
        name=name if isinstance(name, str) and name.isprintable() else None,
        role=_role(claims, configuration),
    )


def _email(claims: Claims, *, verified: bool) -> str:
    email = claims.get("email")
    if not isinstance(email, str):
        raise Forbidden(
            "The issuer does not tell your email address; ask who runs it to release the claim",
            code="no_email",
        )
    if verified and claims.get("email_verified") is not True:
        raise Forbidden(
            "The issuer has not verified your email address; verify it there, then sign in again",
            code="email_not_verified",
        )
    return email


def _role(claims: Claims, configuration: Configuration) -> str:
    """Give the highest role of the person's groups."""
    groups = claims.get(configuration.groups_claim)
    names = groups if isinstance(groups, list) else [groups]
    given = {configuration.roles.get(name) for name in names if isinstance(name, str)}
    role = next((role for role in reversed(ROLES) if role in given), configuration.default_role)
    if role is None:
        raise Forbidden(
            "None of your groups has a role here; ask an admin of your organization", code="no_role"
        )
    return role
