"""The change: what a write did, said once, for activity, events and webhooks alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Describe one change of one resource.

    `type` is a declared event type such as ``subnet.created``; `label` names the resource
    to a person (``10.0.1.0/24``); `details` is the activity log's sentence; `data` holds
    the changed fields as the API shows them, and `before` what was in them, where that matters.
    """

    type: str
    resource_id: str
    label: str
    details: str
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None

    @property
    def resource_type(self) -> str:
        """Give the kind of resource: ``subnet`` of ``subnet.created``."""
        return self.type.partition(".")[0]
