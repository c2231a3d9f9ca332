"""Hooks that the plans offer to other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipcraft.plugin import Application, hookspec

if TYPE_CHECKING:
    from ipcraft_plans.providers import BillingProvider


@hookspec
def ipcraft_billing_providers(app: Application) -> Sequence[BillingProvider]:
    """Give ways to pay for a plan: what ``POST /api/v1/billing/checkout`` and ``portal`` lead to.

    Called once at boot. The setting `billing_provider` names one of all plugins'. Unless it does,
    the last one counts: a plugin that cannot be used as the settings are, for example for want of
    a key, gives none. Without any provider the two routes do not exist.

    >>> class Counter:
    ...     name = "counter"
    ...     plans = ("pro", "teams")
    ...
    ...     def checkout(self, identity, plan):
    ...         return f"https://example.com/counter?plan={plan}"
    ...
    ...     def portal(self, identity):
    ...         return "https://example.com/counter"
    >>> [Counter().checkout(None, "pro")]
    ['https://example.com/counter?plan=pro']
    """
    raise NotImplementedError
