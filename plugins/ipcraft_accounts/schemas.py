"""Bodies about people and organizations."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Invalid, Schema
from ipcraft_accounts.organizations import LONGEST_NAME as LONGEST_ORGANIZATION_NAME
from ipcraft_accounts.roles import ROLES
from ipcraft_accounts.users import LONGEST_NAME, normalize_email


class Address(fields.Field[str]):
    """Read an email address into its stored form."""

    def __init__(self, **options: Any) -> None:
        shown = {"type": "string", "format": "email", "examples": ["john@example.com"]}
        super().__init__(**options, metadata=shown)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        try:
            return normalize_email(value)
        except Invalid as error:
            raise ValidationError(error.message) from error


class Name(fields.String):
    """Read a name; blanks around it do not count."""

    def __init__(self, example: str, *, longest: int) -> None:
        super().__init__(
            required=True,
            validate=validate.Length(min=1, max=longest),
            metadata={"examples": [example]},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        return text.strip() if text else text


class UserBody(Schema):
    """Read the changes of a user."""

    name = Name("John Smith", longest=LONGEST_NAME)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class InvitationBody(Schema):
    """Read a new invitation."""

    email = Address(required=True)
    role = fields.String(load_default="viewer", validate=validate.OneOf(ROLES))


class OrganizationBody(Schema):
    """Read the name of an organization."""

    name = Name("John Smith's Org", longest=LONGEST_ORGANIZATION_NAME)


class Confirmation(Schema):
    """Read the name that confirms a deletion."""

    name = fields.String(required=True, metadata={"examples": ["John Smith's Org"]})
