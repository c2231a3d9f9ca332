"""The plugin's settings, and the body that signs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from ipcraft.plugin import Application, Schema
from ipcraft_accounts import ROLES

NAME = "ldap"
"""The plugin's name."""

_ROLE = validate.OneOf(ROLES)
_NOT_EMPTY = validate.Length(min=1)


class Settings(Schema):
    """Read ``[plugins.ldap]``."""

    url = fields.String(
        required=True,
        validate=validate.Regexp(
            r"ldaps?://[^/?#@\s]+/?$",
            error="Not ldaps://HOST or ldap://HOST, with :PORT where it is another.",
        ),
    )
    start_tls = fields.Boolean(load_default=True)
    ca_file = fields.String(load_default=None)
    timeout = fields.Float(load_default=1.5, validate=validate.Range(min=0.1, max=30))
    bind_dn = fields.String(load_default=None)
    bind_password = fields.String(load_default=None, metadata={"secret": True})
    user_base = fields.String(load_default=None)
    user_filter = fields.String(load_default="(uid={username})")
    user_dn = fields.String(load_default=None)
    email_attribute = fields.String(load_default="mail", validate=_NOT_EMPTY)
    name_attribute = fields.String(load_default="cn", validate=_NOT_EMPTY)
    group_base = fields.String(load_default=None)
    group_filter = fields.String(load_default="(member={dn})")
    group_attribute = fields.String(load_default="cn", validate=_NOT_EMPTY)
    organization = fields.String(required=True, validate=_NOT_EMPTY)
    roles = fields.Dict(
        keys=fields.String(), values=fields.String(validate=_ROLE), load_default=dict
    )
    default_role = fields.String(load_default=None, validate=_ROLE)
    attempts_per_minute = fields.Integer(load_default=30, validate=validate.Range(min=1))

    @classmethod
    def of(cls, app: Application) -> Mapping[str, Any]:
        """Give the section of an application."""
        return app.section(NAME)

    @validates_schema
    def check(self, section: Mapping[str, Any], **_: Any) -> None:
        """Refuse settings that do not go together."""
        if (section["user_base"] is None) == (section["user_dn"] is None):
            raise ValidationError("Either user_base or user_dn must be set.", "user_base")
        if bool(section["bind_dn"]) != bool(section["bind_password"]):
            raise ValidationError("bind_dn and bind_password go together.", "bind_password")
        for key in ("user_filter", "user_dn"):
            if "{username}" not in (section[key] or "{username}"):
                raise ValidationError("Does not contain {username}.", key)
        if not (section["roles"] or section["default_role"]):
            raise ValidationError("Without roles or a default_role nobody gets in.", "roles")
        if section["roles"] and section["group_base"] is None:
            raise ValidationError("Needed to find the groups that roles names.", "group_base")


class Credentials(Schema):
    """Read who signs in."""

    username = fields.String(
        required=True, validate=validate.Length(min=1, max=256), metadata={"examples": ["ada"]}
    )
    # An empty one is no malformed request but a wrong password.
    password = fields.String(required=True, validate=validate.Length(max=1024))
