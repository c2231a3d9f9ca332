"""How many addresses a subnet has: counted at its own addresses, summed over its descendants.

A counter has slots. A writer adds to one that no other writer holds, or starts a new one, so
writers of one subnet never wait for each other's commits; the count is the sum. There are never
more slots than there were writers at the same moment.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import BigInteger, FromClause, ScalarSelect, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ipcraft.plugin import AddressBytes, Statement, Transaction, given, own
from ipcraft_ipam.networks import Network, to_bytes
from ipcraft_ipam.tables import subnet_usage, subnets

_u = subnet_usage.c
_counter = (
    _u.organization_id == own(),
    _u.vrf_id == given("vrf_id"),
    _u.first == given("first", AddressBytes),
    _u.last == given("last", AddressBytes),
)
_idle_slot = (
    select(_u.slot)
    .where(*_counter)
    .order_by(_u.slot)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_added = insert(subnet_usage).values(
    slot=func.coalesce(_idle_slot, given("fresh_slot", BigInteger())),
    used=given("used", BigInteger()),
    **{name: given(name, _u[name].type) for name in ("organization_id", "vrf_id", "first", "last")},
)
ADD = Statement(
    _added.on_conflict_do_update(
        index_elements=list(subnet_usage.primary_key),
        set_={"used": _u.used + _added.excluded.used},
    ),
    independent=True,
)
_inside = (
    _u.organization_id == own(),
    _u.vrf_id == given("vrf_id"),
    _u.first >= given("first", AddressBytes),
    _u.first <= given("last", AddressBytes),
    _u.last <= given("last", AddressBytes),
)
_sum = cast(func.coalesce(func.sum(_u.used), 0), BigInteger)
USED_IN = Statement(select(_sum).where(*_inside))
FORGET = Statement(delete(subnet_usage).where(*_inside))
_SLOTS = 1 << 31


@dataclass(frozen=True, slots=True)
class Usage:
    """Say how much of a subnet is used: address records, usable addresses, and their ratio."""

    used: int
    total: int

    @property
    def utilization(self) -> float:
        """Give used / total, 0 to 1, rounded to 3 decimals."""
        return utilization(self.used, self.total)


def utilization(used: int, total: int) -> float:
    """Give used / total, 0 to 1, rounded to 3 decimals."""
    return round(min(used / total, 1.0), 3)


def used_within(of: FromClause = subnets) -> ScalarSelect[int]:
    """Sum the counters of a row of subnets and of all its descendants, in one index range."""
    return (
        select(_sum)
        .where(
            _u.organization_id == own(),
            _u.vrf_id == of.c.vrf_id,
            _u.first >= of.c.first,
            _u.first <= of.c.last,
            _u.last <= of.c.last,
        )
        .correlate(of)
        .scalar_subquery()
    )


def used_anywhere(*, in_one_vrf: bool) -> ScalarSelect[int]:
    """Sum all counters of the organization, or of the VRF that is `given` as ``vrf_id``."""
    vrf = (_u.vrf_id == given("vrf_id"),) if in_one_vrf else ()
    return select(_sum).where(_u.organization_id == own(), *vrf).scalar_subquery()


def add(tx: Transaction, vrf_id: str, network: Network, count: int) -> None:
    """Count addresses that come to (or, negative, leave) their home."""
    if count:
        tx.write(
            ADD,
            vrf_id=vrf_id,
            first=to_bytes(network.first),
            last=to_bytes(network.last),
            fresh_slot=secrets.randbelow(_SLOTS),
            used=count,
        )


def forget(tx: Transaction, vrf_id: str, network: Network) -> None:
    """Drop the counters of a network and of all inside it."""
    tx.write(FORGET, vrf_id=vrf_id, first=to_bytes(network.first), last=to_bytes(network.last))
