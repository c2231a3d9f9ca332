"""The plugin's settings."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Schema, is_id


def _is_organization(text: str) -> None:
    if not is_id(text, "org"):
        raise ValidationError("Not the id of an organization, such as org_01jx....")


class Settings(Schema):
    """Read ``[plugins.slack]``."""

    urls = fields.Dict(
        keys=fields.String(validate=_is_organization),
        values=fields.String(validate=validate.Length(min=1, max=2_048)),
        required=True,
        validate=validate.Length(min=1),
        metadata={
            "secret": True,
            "description": "The incoming webhook of each organization's own chat, by its id.",
        },
    )
    event_types = fields.List(
        fields.String(validate=validate.Length(min=1, max=100)),
        load_default=lambda: ["*"],
        validate=validate.Length(min=1),
        metadata={"description": "What is said: event types, or patterns such as `subnet.*`."},
    )
