"""Which event types are said."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ipcraft.plugin import Application, EventType, StartError, did_you_mean


def matching_types(app: Application, patterns: Sequence[str]) -> frozenset[str]:
    """Give the names of the event types that match one of the patterns.

    ``*`` leaves out what is about people, keys and webhooks. Raises `StartError` for a pattern
    that nothing matches.
    """
    types = app.registry.named("ipcraft_event_types", kind=EventType).values()
    found: set[str] = set()
    for pattern in patterns:
        names = {each.name for each in types if fnmatchcase(each.name, pattern)}
        if not names:
            hint = did_you_mean(pattern, sorted({each.name for each in types}))
            raise StartError(f'[plugins.slack] event_types: nothing matches "{pattern}"{hint}')
        found |= {each.name for each in types if not each.internal} if pattern == "*" else names
    return frozenset(found)
