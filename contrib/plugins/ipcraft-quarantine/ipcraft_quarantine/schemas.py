"""The plugin's settings."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema

TEN_YEARS = 10 * 365 * 24


class Settings(Schema):
    """Read ``[plugins.quarantine]``."""

    hours = fields.Integer(load_default=24, validate=validate.Range(min=1, max=TEN_YEARS))
