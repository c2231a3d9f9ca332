"""The plugin's settings."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema

_PRICE = validate.Regexp(r"[0-9]{1,9}(\.[0-9]{2})?$", error="Not an amount such as 29.00.")


class InvoiceSettings(Schema):
    """Read ``[plugins.invoice]``."""

    contact_url = fields.String(
        required=True,
        validate=validate.Regexp(
            r"(https?://\S+|mailto:\S+@\S+)$", error="Not an https://, http:// or mailto: URL."
        ),
    )
    currency = fields.String(load_default="EUR", validate=validate.Regexp(r"[A-Z]{3}$"))
    prices = fields.Dict(
        keys=fields.String(validate=validate.Length(min=1)),
        values=fields.String(validate=_PRICE),
        required=True,
        validate=validate.Length(min=1),
    )
