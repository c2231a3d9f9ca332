"""Settings of the account at Stripe."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from ipcraft.plugin import Schema

API_BASE = "https://api.stripe.com"
"""Where Stripe's API is."""

_MOST_PRICES = 100
_LONGEST_GRACE = 365


def _prices(plan: str) -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.Length(min=1, max=255)),
        load_default=tuple,
        validate=validate.Length(max=_MOST_PRICES),
        metadata={
            "description": f"Ids of the recurring prices that stand for the plan `{plan}`. The "
            "first is sold; with the others those who bought at an older price keep the plan."
        },
    )


class StripeSettings(Schema):
    """Read ``[plugins.stripe]``."""

    api_key = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "secret": True,
            "description": "The secret or restricted key, `sk_...` or `rk_...`. Without it nothing "
            "is sold, and there are no routes for that.",
        },
    )
    api_base = fields.String(
        load_default=API_BASE,
        validate=validate.Regexp(
            r"https?://[^/?#\s]+$", error="Not an http:// or https:// URL of nothing but a host."
        ),
        metadata={"description": "Where the API is."},
    )
    webhook_secret = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "secret": True,
            "description": "The signing secret of the endpoint `/api/v1/billing/webhook`, "
            "`whsec_...`.",
        },
    )
    price_pro = _prices("pro")
    price_teams = _prices("teams")
    unpaid_plan = fields.String(
        load_default="free",
        validate=validate.Length(min=1),
        metadata={"description": "The plan of who has paid and pays no more."},
    )
    grace_days = fields.Float(
        load_default=14.0,
        validate=validate.Range(min=0, max=_LONGEST_GRACE),
        metadata={"description": "Days for which a plan goes on after a payment has failed."},
    )
    return_url = fields.String(
        load_default=None,
        validate=validate.Regexp(r"https?://\S+$", error="Not an http:// or https:// URL."),
        metadata={
            "description": "Where Stripe's pages lead back to; the public URL unless it is set."
        },
    )

    @validates_schema
    def whole(self, section: dict[str, Any], **_: Any) -> None:
        """Refuse a key that cannot be used for want of the rest."""
        if section["api_key"] is None:
            return
        if section["webhook_secret"] is None:
            raise ValidationError("missing, and needed with api_key", "webhook_secret")
        if not section["price_pro"] and not section["price_teams"]:
            raise ValidationError("missing, and nothing can be sold without a price", "price_pro")
        if doubled := set(section["price_pro"]) & set(section["price_teams"]):
            raise ValidationError(f"{min(doubled)} stands for another plan, too", "price_teams")
