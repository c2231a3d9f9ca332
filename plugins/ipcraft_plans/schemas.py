"""Settings of the plans, and bodies about what is bought: the catalogue is read row by row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from ipcraft.plugin import Schema
from ipcraft_plans.catalogue import ROWS, SHIPPED, Row, plan

_UNLIMITED = "unlimited"
_LONGEST_NAME = 64


class Limit(fields.Field[int | None]):
    """Read a number, or the word for none."""

    def _deserialize(self, value: object, attr: object, data: object, **_: Any) -> int | None:
        if value == _UNLIMITED:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValidationError(f'must be an integer from 0 on, or "{_UNLIMITED}"')
        return value


class PlanRow(Schema):
    """Read one plan: those rows of it that are given."""

    users = Limit()
    sections = Limit()
    subnets = Limit()
    addresses = Limit()
    api_access = fields.String(validate=validate.OneOf(["read-only", "read-write"]))
    rate_limit = Limit()
    activity_days = Limit()


class PlansSettings(Schema):
    """Read ``[plugins.plans]``."""

    catalogue = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[a-z][a-z0-9_-]{0,31}$")),
        values=fields.Nested(PlanRow),
        load_default=dict,
        metadata={
            "description": "The plans, `[plugins.plans.catalogue.NAME]` each. Of `free`, `pro`, "
            "`teams` and `enterprise` only the rows that differ are named; a plan of another name "
            'names all. A limit is a number or `"unlimited"`. The variable holds JSON.'
        },
    )

    billing_provider = fields.String(
        load_default=None,
        validate=validate.Length(min=1),
        metadata={
            "description": "Who takes the money, of those that plugins give, such as `stripe`; "
            "the last one where none is named."
        },
    )

    @post_load
    def complete(self, section: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Lay what is given over what is shipped."""
        given: Mapping[str, Row] = section["catalogue"]
        rows = {
            name: {**SHIPPED.get(name, {}), **given.get(name, {})}
            for name in dict.fromkeys((*SHIPPED, *given))
        }
        for name, row in rows.items():
            missing = [key for key in ROWS if key not in row]
            if missing:
                sentence = f"a plan that is not shipped names every row: {', '.join(missing)}"
                raise ValidationError({"catalogue": {name: [sentence]}})
        plans = {name: plan(name, row) for name, row in rows.items()}
        return {**section, "catalogue": MappingProxyType(plans)}


class CheckoutBody(Schema):
    """Read which plan is wanted."""

    plan = fields.String(load_default="pro", validate=validate.Length(max=_LONGEST_NAME))


class PortalBody(Schema):
    """Read a body in which there is nothing to say."""
