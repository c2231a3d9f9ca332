"""Bodies about API keys."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema, Time
from ipcraft_accounts import ROLES

LONGEST_NAME = 255
"""Characters of a key's name."""


class CreateKey(Schema):
    """Read the body of a key's creation."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_NAME),
        metadata={"examples": ["Ansible automation"]},
    )
    role = fields.String(load_default="editor", validate=validate.OneOf(ROLES))
    expires_at = Time(
        load_default=None, allow_none=True, metadata={"examples": ["2036-03-01T12:00:00Z"]}
    )
