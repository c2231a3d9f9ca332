"""Bodies of the sign-in."""

from __future__ import annotations

from marshmallow import fields

from ipcraft.plugin import Query, Schema


class AddressBody(Schema):
    """Read the address that a link goes to."""

    email = fields.String(
        required=True, metadata={"format": "email", "examples": ["john@example.com"]}
    )


class TokenBody(Schema):
    """Read the token of a link."""

    token = fields.String(required=True)


class FormBody(TokenBody):
    """Describe the form of our page: the token, and what shows that the page was ours."""

    proof = fields.String(required=True)


class TokenQuery(Query):
    """Read the token of a link."""

    token = fields.String(metadata={"description": "It stands in the link; without it: 400."})
