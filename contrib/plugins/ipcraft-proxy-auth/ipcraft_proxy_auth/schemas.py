"""The plugin's settings."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from ipcraft.plugin import Schema
from ipcraft_accounts import ROLES

NAME = "proxy-auth"
"""The plugin's name."""

Network = IPv4Network | IPv6Network

_ROLE = validate.OneOf(ROLES)
_HEADER = validate.Regexp(r"[A-Za-z0-9-]+$", error="Not the name of a header.")


class NetworkField(fields.Field[Network]):
    """Read a network; an address is the network of it alone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Network:
        if not isinstance(value, str):
            raise ValidationError("Not a network such as 10.0.0.0/24.")
        try:
            return ip_network(value)
        except ValueError as error:
            raise ValidationError(f"Not a network: {error}.") from error


class Settings(Schema):
    """Read ``[plugins.proxy-auth]``."""

    trusted_networks = fields.List(
        NetworkField(), required=True, validate=validate.Length(min=1, error="Names no network.")
    )
    user_header = fields.String(load_default="Remote-User", validate=_HEADER)
    email_header = fields.String(load_default="Remote-Email", validate=_HEADER)
    email_domain = fields.String(
        load_default=None,
        validate=validate.Regexp(r"[^@\s]+$", error="Not a domain such as example.com."),
    )
    name_header = fields.String(load_default="Remote-Name", validate=_HEADER)
    groups_header = fields.String(load_default="Remote-Groups", validate=_HEADER)
    groups_separator = fields.String(load_default=",", validate=validate.Length(equal=1))
    organization = fields.String(required=True, validate=validate.Length(min=1))
    roles = fields.Dict(
        keys=fields.String(), values=fields.String(validate=_ROLE), load_default=dict
    )
    default_role = fields.String(load_default=None, validate=_ROLE)

    @validates_schema
    def check(self, section: Mapping[str, Any], **_: Any) -> None:
        """Refuse settings that let nobody in."""
        if not (section["roles"] or section["default_role"]):
            raise ValidationError("Without roles or a default_role nobody gets in.", "roles")
