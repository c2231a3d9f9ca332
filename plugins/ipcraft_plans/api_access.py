"""API access: which plans let programs write."""

from __future__ import annotations

from ipcraft.plugin import Application, Identity, LimitReached

_API_KEY = "api_key"


def check(app: Application, identity: Identity, action: str) -> None:
    """Raise `LimitReached` for a write with an API key where the plan has them read only."""
    if identity.scheme != _API_KEY or action == "read":
        return
    plan = app.plan(identity)
    if plan.api_access == "read-only":
        raise LimitReached(f"With the plan {plan.name} API keys can read but not write")
