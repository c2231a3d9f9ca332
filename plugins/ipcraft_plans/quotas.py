"""Quotas: no more is made than the plan includes, whoever makes it at the same moment.

The first of a transaction's changes that makes a thing of a kind waits for all others of the
organization that do so, counts what there is, and notes what is left; those after it take from
that note. So a list of 10,000 is counted once. Where there is no limit, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipcraft.plugin import Application, Change, LimitReached, Plan, Transaction
from ipcraft_plans.catalogue import catalogue, check_plan
from ipcraft_plans.usage import used

_MAKES: Mapping[str, str] = {
    "user.created": "users",
    "invitation.created": "users",
    "folder.created": "sections",
    "subnet.created": "subnets",
    "address.created": "addresses",
}
_NOUNS: Mapping[str, str] = {"sections": "folders"}
_NAMES_PLAN = ("organization.created", "organization.updated")
_PLAN = "plans.name"
_UNLIMITED = -1


def check(change: Change, tx: Transaction, app: Application) -> None:
    """Raise `LimitReached` for one too many, and `Invalid` for a plan that does not exist."""
    resource = _MAKES.get(change.type)
    if resource is not None:
        _take(tx, app, resource)
    elif change.type in _NAMES_PLAN and "plan" in change.data:
        name = change.data["plan"]
        check_plan(app, name)
        tx.notes[_PLAN] = name


def _take(tx: Transaction, app: Application, resource: str) -> None:
    note = f"plans.{resource}"
    left = tx.notes.get(note)
    if left is None:
        left = _left(tx, app, resource)
    if left == 0:
        raise _exceeded(_plan(tx, app), resource)
    if left != _UNLIMITED:
        left -= 1
    tx.notes[note] = left


def _left(tx: Transaction, app: Application, resource: str) -> int:
    most = _plan(tx, app).limits.get(resource)
    if most is None:
        return _UNLIMITED
    tx.lock("plan", resource)
    return max(most - used(tx, resource), 0)


def _plan(tx: Transaction, app: Application) -> Plan:
    """Give the plan; one that this transaction has given itself counts already."""
    given = tx.notes.get(_PLAN)
    return app.plan_of(tx) if given is None else catalogue(app)[given]


def _exceeded(plan: Plan, resource: str) -> LimitReached:
    most, noun = plan.limits[resource], _NOUNS.get(resource, resource)
    return LimitReached(
        f"The plan {plan.name} includes {most} {noun}, and this request would exceed them"
    )
