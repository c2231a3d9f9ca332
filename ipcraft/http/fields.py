"""Fields of bodies and queries that marshmallow has not, or reads in more ways than one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


class Time(fields.Field[int]):
    """Read a time of RFC 3339 into whole seconds since the epoch."""

    def __init__(self, **options: Any) -> None:
        shown = {"type": "string", "format": "date-time", "examples": ["2026-03-01T12:00:00Z"]}
        super().__init__(**{**options, "metadata": {**shown, **options.get("metadata", {})}})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            try:
                return int(datetime.fromisoformat(value.upper()).astimezone(UTC).timestamp())
            except (ValueError, OverflowError):
                pass
        raise ValidationError("must be a time such as 2026-03-01T12:00:00Z")
