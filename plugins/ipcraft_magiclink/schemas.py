"""Bodies of the sign-in."""

from __future__ import annotations

from marshmallow import fields

from ipcraft.plugin import Schema


class AddressBody(Schema):
    """Read the address that a link goes to."""

    email = fields.String(required=True)


class TokenBody(Schema):
    """Read the token of a link."""

    token = fields.String(required=True)
