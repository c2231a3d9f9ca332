"""Periods: which organization has had which plan, from when until when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, insert, null, or_, select, union_all, update

from ipcraft.plugin import (
    Change,
    Row,
    Seconds,
    Statement,
    Storage,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_accounts import list_organizations, organizations
from ipcraft_invoice.tables import closed, periods

_PREFIX = "bill"


@dataclass(frozen=True, slots=True)
class Period:
    """Be a time on a plan, in seconds since the epoch; one that goes on has no end yet."""

    organization_id: str
    organization: str
    plan: str
    began_at: int
    ended_at: int | None


_p, _c, _o = periods.c, closed.c, organizations.c
_OWN = _p.organization_id == own()
_OPEN = Statement(select(_p.plan).where(_OWN, _p.ended_at.is_(None)), str)
_BEGIN = Statement(insert(periods))
_END = Statement(
    update(periods).where(_OWN, _p.ended_at.is_(None)).values(ended_at=given("now", Seconds))
)
_ALL_OWN: Statement[Row] = Statement(
    select(_p.id, _p.plan, _p.began_at, _p.ended_at).where(_OWN).order_by(_p.began_at)
)
_CLOSE = Statement(insert(closed))
_START, _STOP = given("start", BigInteger()), given("stop", BigInteger())
# The first query of a union names its columns.
_WHOSE, _FROM = _p.organization_id.label("whose"), _p.began_at.label("since")
_BETWEEN = Statement(
    union_all(
        select(_WHOSE, _o.name, _p.plan, _FROM, _p.ended_at)
        .join_from(periods, organizations, _o.organization_id == _p.organization_id)
        .where(_p.began_at < _STOP, or_(_p.ended_at.is_(null()), _p.ended_at > _START)),
        select(_c.organization, _c.name, _c.plan, _c.began_at, _c.ended_at).where(
            _c.began_at < _STOP, _c.ended_at > _START
        ),
    ).order_by("whose", "since"),
    Period,
)


def follow(change: Change, tx: Transaction) -> None:
    """Write down what a change means for the plan of its organization."""
    if change.type == "organization.deleted":
        _close(tx, name=change.label)
    elif change.resource_type == "organization" and "plan" in change.data:
        tx.write(_END, now=tx.now)
        _begin(tx, change.data["plan"])


def begin_all(storage: Storage) -> None:
    """Let the plan of each organization count from now on, unless one counts already."""
    for organization in list_organizations(storage):
        storage.transact(organization.id, lambda tx, plan=organization.plan: _begin_first(tx, plan))


def between(storage: Storage, start: int, stop: int) -> list[Period]:
    """Give the periods of all organizations that touch this time, by organization and time."""
    with storage.read_system() as tx:
        return tx.all(_BETWEEN, start=start, stop=stop)


def _begin_first(tx: Transaction, plan: str) -> None:
    tx.lock("invoice", "periods")
    if tx.one(_OPEN) is None:
        _begin(tx, plan)


def _begin(tx: Transaction, plan: str) -> None:
    tx.write(_BEGIN, id=new_id(_PREFIX), plan=plan, began_at=tx.now, ended_at=None)


def _close(tx: Transaction, *, name: str) -> None:
    for identifier, plan, began_at, ended_at in tx.all(_ALL_OWN):
        tx.write(
            _CLOSE,
            id=identifier,
            organization=tx.organization_id,
            name=name,
            plan=plan,
            began_at=began_at,
            ended_at=tx.now if ended_at is None else ended_at,
        )
