"""Times as the API shows them: UTC, RFC 3339, whole seconds. Stored as seconds since the epoch."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

Timestamp = Annotated[
    str, Meta(examples=["2026-03-01T12:00:00Z"], extra_json_schema={"format": "date-time"})
]
"""The type of a time that an answer shows."""


@lru_cache(maxsize=4096)
def rfc3339(seconds: int) -> Timestamp:
    """Format seconds since the epoch: ``2026-03-01T12:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
