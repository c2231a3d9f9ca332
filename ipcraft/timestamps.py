"""Times as the API shows them: UTC, RFC 3339, whole seconds. Stored as seconds since the epoch."""

from __future__ import annotations

import time
from functools import lru_cache


@lru_cache(maxsize=4096)
def rfc3339(seconds: int) -> str:
    """Format seconds since the epoch: ``2026-03-01T12:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
