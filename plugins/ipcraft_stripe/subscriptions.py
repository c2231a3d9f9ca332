"""Subscriptions: what they are worth, decided from what is true now and from nothing else.

Which event told of it, and after which other, does not matter: two that change places end alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

PAID = frozenset({"active", "trialing"})
"""Statuses of a subscription that gives its plan."""

OWED = frozenset({"past_due", "unpaid"})
"""Statuses of one whose payment has failed: it gives its plan as long as there is grace."""

_KEPT = PAID | OWED | {"paused"}
"""Statuses of what can become good again, so that nobody should buy it a second time."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Be what a customer subscribes to; `plan` is None for what is no plan of ours."""

    id: str
    status: str
    plan: str | None

    @property
    def is_kept(self) -> bool:
        """Tell whether it is one of ours, and is or can become good."""
        return self.plan is not None and self.status in _KEPT


@dataclass(frozen=True, slots=True)
class Truth:
    """Be what Stripe has of a customer at one moment."""

    subscriptions: tuple[Subscription, ...] = ()
    deleted: bool = False

    @property
    def kept(self) -> tuple[Subscription, ...]:
        """Give the subscriptions that stand in the way of another one."""
        return tuple(each for each in self.subscriptions if each.is_kept)


@dataclass(frozen=True, slots=True)
class Standing:
    """Be what an organization is entitled to; `plan` is None when it pays for nothing."""

    plan: str | None
    subscriptions: int
    grace_until: int | None


def standing(
    truth: Truth, *, rank: Callable[[str], int], now: int, grace: int, grace_until: int | None
) -> Standing:
    """Judge what is true now. `grace_until` is the end of a grace that has begun already.

    Of several subscriptions the largest plan counts.
    """
    paid = _plans(truth.kept, PAID)
    owed = _plans(truth.kept, OWED)
    until = (now + grace if grace_until is None else grace_until) if owed else None
    if until is not None and now < until:
        paid += owed
    return Standing(max(paid, key=rank, default=None), len(truth.kept), until)


def _plans(subscriptions: Iterable[Subscription], statuses: frozenset[str]) -> list[str]:
    return [each.plan for each in subscriptions if each.plan and each.status in statuses]
