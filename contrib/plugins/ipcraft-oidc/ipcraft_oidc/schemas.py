"""The plugin's settings, and the queries that browsers come with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate, validates_schema

from ipcraft.plugin import Query, Schema
from ipcraft_accounts import ROLES

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that may be asked without TLS: nobody is between them and us."""

_SOME_TEXT = validate.Length(min=1, max=255)
_A_ROLE = validate.OneOf(ROLES)


def is_safe(url: str) -> bool:
    """Tell whether nobody on the way can read or change what is sent to this URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _is_issuer(url: str) -> None:
    if not is_safe(url) or set("?#@ ") & set(url):
        raise ValidationError("Not an https:// URL without a query, as the issuer spells it.")


class Settings(Schema):
    """Read ``[plugins.oidc]``."""

    issuer = fields.String(
        required=True,
        validate=_is_issuer,
        metadata={"description": "The issuer's URL, as in its discovery document."},
    )
    client_id = fields.String(
        required=True,
        validate=_SOME_TEXT,
        metadata={"description": "What the issuer calls this installation."},
    )
    client_secret = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={"secret": True, "description": "The secret the issuer gave to this client."},
    )
    organization = fields.String(
        required=True,
        validate=_SOME_TEXT,
        metadata={"description": "Id or name of the organization that people belong to."},
    )
    roles = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=_A_ROLE),
        load_default=dict,
        metadata={"description": "The role of each group of the issuer; the highest counts."},
    )
    default_role = fields.String(
        load_default=None,
        validate=_A_ROLE,
        metadata={"description": "The role of who is in none of these groups; none: no entry."},
    )
    groups_claim = fields.String(
        load_default="groups",
        validate=_SOME_TEXT,
        metadata={"description": "The claim that lists a person's groups."},
    )
    scopes = fields.List(
        fields.String(validate=validate.Regexp(r"[!#-\[\]-~]+\Z", error="Not a scope.")),
        load_default=lambda: ["email", "profile"],
        metadata={"description": "What is asked for beside openid."},
    )
    require_verified_email = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the issuer must say that it verified the address."},
    )
    clock_skew = fields.Integer(
        load_default=60,
        validate=validate.Range(min=0, max=300),
        metadata={"description": "Seconds by which the issuer's clock may differ from ours."},
    )

    @validates_schema
    def _let_somebody_in(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("roles") and data.get("default_role") is None:
            raise ValidationError("Without roles and default_role nobody gets in.", "roles")


class LoginQuery(Query):
    """Read where to go on after the sign-in."""

    next = fields.String(
        load_default="/",
        metadata={"description": "A path of this server.", "examples": ["/subnets"]},
    )


class CallbackQuery(Query):
    """Read what the issuer sends, each at most once (RFC 6749, section 3.1)."""

    state = fields.String()
    code = fields.String()
    iss = fields.String()
    error = fields.String()
