"""Settings of webhooks, and bodies about them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from ipcraft.plugin import Schema
from ipcraft_webhooks.retries import SCHEDULE

LONGEST_URL = 2_048
"""Characters of a URL."""

LONGEST_DESCRIPTION = 1_000
"""Characters of a description."""

LONGEST_OVERLAP = 7 * 86_400
"""Seconds that a replaced secret may go on signing."""

_LONGEST_PAUSE = 7 * 86_400
_MOST_TYPES = 200
_LONGEST_TYPE = 100


class WebhookSettings(Schema):
    """Read ``[plugins.webhooks]``."""

    retry_schedule = fields.List(
        fields.Float(validate=validate.Range(min=0, max=_LONGEST_PAUSE)),
        load_default=SCHEDULE,
        metadata={
            "description": "Seconds between the attempts of a delivery that fails. "
            "There is one attempt more than there are pauses."
        },
    )
    concurrency = fields.Integer(
        load_default=64,
        validate=validate.Range(min=4, max=1_000),
        metadata={"description": "Deliveries that one process makes at the same moment."},
    )


class _Distinct(fields.List[str]):
    """Read a list without its repetitions."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


class WebhookBody(Schema):
    """Read a webhook; ``is_active`` is for a PATCH."""

    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_URL),
        metadata={"format": "uri", "examples": ["https://example.com/webhooks/ipcraft"]},
    )
    description = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=LONGEST_DESCRIPTION),
        metadata={"examples": ["CMDB sync"]},
    )
    event_types = _Distinct(
        fields.String(validate=validate.Length(max=_LONGEST_TYPE)),
        load_default=list,
        validate=validate.Length(max=_MOST_TYPES),
        metadata={
            "description": "None is all of them.",
            "examples": [["subnet.created", "subnet.deleted"]],
        },
    )
    is_active = fields.Boolean(load_default=True)


class RotateBody(Schema):
    """Read how long the replaced secret goes on signing."""

    overlap_seconds = fields.Integer(
        load_default=0, validate=validate.Range(min=0, max=LONGEST_OVERLAP)
    )


class EmptyBody(Schema):
    """Read a body in which there is nothing to say."""
