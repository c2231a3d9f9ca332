"""API access: which plans let programs write."""

from __future__ import annotations

from ipcraft.plugin import Application, Identity, LimitReached
from ipcraft_plans.providers import CHECKOUT, PORTAL

_API_KEY = "api_key"
_PAYING = frozenset({CHECKOUT, PORTAL})


def check(app: Application, identity: Identity, action: str, *, target: str) -> None:
    """Raise `LimitReached` for a write with an API key where the plan has them read only.

    Asking where to pay is none: an answer 402 to that would go round in a circle.
    """
    if identity.scheme != _API_KEY or action == "read" or target in _PAYING:
        return
    plan = app.plan(identity)
    if plan.api_access == "read-only":
        raise LimitReached(f"With the plan {plan.name} API keys can read but not write")
