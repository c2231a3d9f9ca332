"""Bodies about API keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Schema
from ipcraft_accounts import ROLES

LONGEST_NAME = 255
"""Characters of a key's name."""

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


class Time(fields.Field[int]):
    """Read a time of RFC 3339 into whole seconds since the epoch."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            try:
                return int(datetime.fromisoformat(value.upper()).astimezone(UTC).timestamp())
            except (ValueError, OverflowError):
                pass
        raise ValidationError("must be a time such as 2026-03-01T12:00:00Z")


class CreateKey(Schema):
    """Read the body of a key's creation."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_NAME))
    role = fields.String(load_default="editor", validate=validate.OneOf(ROLES))
    expires_at = Time(load_default=None, allow_none=True)
