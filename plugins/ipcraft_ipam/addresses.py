"""Addresses: each one unique in its VRF, at home in the smallest subnet that contains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update

from ipcraft.plugin import (
    AddressBytes,
    Change,
    Invalid,
    NotFound,
    Reader,
    Statement,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_ipam import free_space, usage
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.free_space import FreeRange, free_range
from ipcraft_ipam.hierarchy import edge_role
from ipcraft_ipam.locking import keep_tree
from ipcraft_ipam.networks import BITS, Network, Span, format_address, from_bytes, to_bytes
from ipcraft_ipam.searchable import address_text
from ipcraft_ipam.subnets import Subnet, subnet
from ipcraft_ipam.tables import USUAL_STATUS, addresses, free_ranges, subnets

STATUSES = (USUAL_STATUS, "assigned", "reserved", "dhcp", "gateway", "deprecated", "offline")
_EDITABLE = ("hostname", "mac_address", "description", "status", "owner")
_WRITTEN = (*_EDITABLE, "updated_at", "search_text")


@dataclass(frozen=True, slots=True)
class Address:
    """Be an address as stored: `ip` a number, times in seconds since the epoch."""

    id: str
    vrf_id: str
    ip: int
    subnet_id: str
    hostname: str | None
    mac_address: str | None
    description: str | None
    status: str
    owner: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Place:
    """Say where an address would go, and what is there now."""

    target: Span
    vrf_id: str
    home: Subnet
    taken_by: str | None
    free: FreeRange | None


_a, _s, _r = addresses.c, subnets.c, free_ranges.c
COLUMNS = tuple(_a[field.name] for field in fields(Address))
_BY_ID = (_a.organization_id == own(), _a.id == given("id"))
_ip = given("ip", AddressBytes)
_HOST = max(BITS.values())
"""A prefix length that no network exceeds, of either family."""


def address(id: str, vrf_id: str, ip: bytes, *others: Any) -> Address:  # noqa: A002
    """Make an address of its row."""
    return Address(id, vrf_id, from_bytes(ip), *others)


def _place(first: bytes, last: bytes, vrf_id: str, taken_by: str | None, *others: Any) -> Place:
    *home, free_first, free_last, version = others
    free = None if free_last is None else free_range(free_first, free_last, version)
    return Place(Span(from_bytes(first), from_bytes(last)), vrf_id, subnet(*home), taken_by, free)


def _find_place() -> Statement[Place]:
    target = (
        select(_s.first, _s.last, _s.vrf_id)
        .where(_s.organization_id == own(), _s.id == given("subnet_id"))
        .cte("target")
    )
    vrf_id = select(target.c.vrf_id).correlate(None).scalar_subquery()
    home_id = subnet_rows.climb(vrf_id, _ip, _ip)
    home = subnets.alias("home")
    taken_by = (
        select(_a.id)
        .where(_a.organization_id == own(), _a.vrf_id == vrf_id, _a.ip == _ip)
        .scalar_subquery()
    )
    later = free_ranges.alias("later").c
    next_end = (
        select(func.min(later.last))
        .where(later.organization_id == own(), later.subnet_id == home_id, later.last >= _ip)
        .scalar_subquery()
    )
    is_home = and_(home.c.organization_id == own(), home.c.id == home_id)
    is_free = and_(_r.organization_id == own(), _r.subnet_id == home_id, _r.last == next_end)
    return Statement(
        select(
            target.c.first,
            target.c.last,
            target.c.vrf_id,
            taken_by,
            *(home.c[column.name] for column in subnet_rows.COLUMNS),
            _r.first,
            _r.last,
            _r.version,
        )
        .select_from(target)
        .join(home, is_home)
        .outerjoin(free_ranges, is_free),
        _place,
    )


_PLACE = _find_place()
ONE = Statement(select(*COLUMNS).where(*_BY_ID), address)
_ONE_TO_CHANGE = Statement(select(*COLUMNS).where(*_BY_ID).with_for_update(), address)
_ONE_AT_HOME_TO_CHANGE = Statement(
    select(*COLUMNS, *subnet_rows.COLUMNS)
    .join_from(
        addresses,
        subnets,
        and_(_s.organization_id == _a.organization_id, _s.id == _a.subnet_id),
    )
    .where(*_BY_ID)
    .with_for_update(of=addresses),
    lambda *row: (address(*row[: len(COLUMNS)]), subnet(*row[len(COLUMNS) :])),
)
INSERT = Statement(insert(addresses), independent=True)
UPDATE = Statement(
    update(addresses)
    .where(*_BY_ID)
    .values({name: given(f"new_{name}", _a[name].type) for name in _WRITTEN})
)
_DELETE = Statement(delete(addresses).where(*_BY_ID))


def get(tx: Reader, address_id: str) -> Address:
    """Give an address. Raises `NotFound`."""
    found = tx.one(ONE, id=address_id)
    if found is None:
        raise NotFound("Address not found")
    return found


class Creation:
    """Assign `ip` (a number) in a subnet, with the optional other fields: work to be shared.

    Its home is the smallest subnet that contains it. Raises `NotFound` for the subnet and
    `Invalid` when the address is outside it, taken, or one that its home cannot assign.
    """

    def __init__(self, subnet_id: str, values: Mapping[str, Any]) -> None:
        self._subnet_id = subnet_id
        self._values = values
        self._ip: int = values["ip"]
        self._place: Place | None = None

    @property
    def order(self) -> str:
        """Give the address in the order of addresses."""
        return to_bytes(self._ip).hex()

    def begin(self, tx: Transaction) -> None:
        """Ask for the place of the address."""
        keep_tree(tx)
        ip = to_bytes(self._ip)
        tx.ask(_PLACE, self._note, subnet_id=self._subnet_id, ip=ip, prefix_length=_HOST)

    def finish(self, tx: Transaction) -> Address:
        """Assign it."""
        ip, place = self._ip, self._place
        if place is None or ip not in place.target:
            raise _outside(tx, self._subnet_id, ip)
        if place.taken_by is not None:
            raise taken(ip, place.taken_by)
        check_assignable(place.home, ip)
        new = new_address(tx, place.home, self._values, ip=ip)
        tx.record(created(new))
        tx.write(INSERT, **row(new))
        usage.add(tx, place.vrf_id, place.home.network, 1)
        if place.free and ip in place.free.span:
            free_space.cut_one(tx, place.home.id, place.free, ip)
        return new

    def _note(self, place: Place | None) -> None:
        self._place = place


def create(tx: Transaction, subnet_id: str, values: Mapping[str, Any]) -> Address:
    """Assign `ip` in a subnet, see `Creation`."""
    return tx.perform(Creation(subnet_id, values))


def change(tx: Transaction, address_id: str, values: Mapping[str, Any]) -> Address:
    """Change the given fields of an address. Raises `NotFound`."""
    old = tx.one(_ONE_TO_CHANGE, id=address_id)
    if old is None:
        raise NotFound("Address not found")
    changed = differing(old, values)
    if not changed:
        return old
    new = replace(old, **changed, updated_at=tx.now)
    tx.record(updated(old, changed))
    tx.write(UPDATE, **new_row(new))
    return new


def differing(old: Address, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of the fields that the address has otherwise."""
    return {name: value for name, value in values.items() if getattr(old, name) != value}


def new_row(new: Address) -> dict[str, Any]:
    """Give the parameters that write the fields of an address that exists."""
    row = {f"new_{name}": getattr(new, name) for name in (*_EDITABLE, "updated_at")}
    return {"id": new.id, **row, "new_search_text": search_text(new)}


def updated(old: Address, changed: Mapping[str, Any]) -> Change:
    """Describe a change of the fields of an address."""
    before = {name: getattr(old, name) for name in changed}
    details = f"Updated address {format_address(old.ip)}"
    return _change("updated", old, details, changed, before=before)


def remove(tx: Transaction, address_id: str) -> None:
    """Release an address: it is free again from the commit on. Raises `NotFound`."""
    keep_tree(tx)
    found = tx.one(_ONE_AT_HOME_TO_CHANGE, id=address_id)
    if found is None:
        raise NotFound("Address not found")
    old, home = found
    details = f"Deleted address {format_address(old.ip)}"
    tx.record(_change("deleted", old, details, _whereabouts(old), before=_described(old)))
    if not tx.execute(_DELETE, id=address_id):
        raise NotFound("Address not found")
    usage.add(tx, old.vrf_id, home.network, -1)
    if old.ip != home.gateway and old.ip in home.network.usable(is_pool=home.is_pool):
        free_space.give_back(tx, home.id, Span(old.ip, old.ip))


def new_address(tx: Transaction, home: Subnet, values: Mapping[str, Any], *, ip: int) -> Address:
    """Make the value of a new address."""
    return Address(
        id=new_id("addr"),
        vrf_id=home.vrf_id,
        ip=ip,
        subnet_id=home.id,
        hostname=values.get("hostname"),
        mac_address=values.get("mac_address"),
        description=values.get("description"),
        status=values.get("status", USUAL_STATUS),
        owner=values.get("owner"),
        created_at=tx.now,
        updated_at=tx.now,
    )


def row(new: Address) -> dict[str, Any]:
    """Give an address as a row."""
    return {
        "id": new.id,
        "vrf_id": new.vrf_id,
        "ip": to_bytes(new.ip),
        "subnet_id": new.subnet_id,
        "hostname": new.hostname,
        "mac_address": new.mac_address,
        "description": new.description,
        "status": new.status,
        "owner": new.owner,
        "created_at": new.created_at,
        "updated_at": new.updated_at,
        "search_text": search_text(new),
    }


def search_text(new: Address) -> str | None:
    """Give what an address is found by."""
    return address_text(
        hostname=new.hostname,
        owner=new.owner,
        description=new.description,
        status=new.status,
    )


def created(new: Address) -> Change:
    """Describe the assignment of an address."""
    details = f"Created address {format_address(new.ip)}"
    return _change("created", new, details, _described(new))


def check_assignable(home: Subnet, ip: int) -> None:
    """Refuse the network, broadcast or anycast address of a subnet that is no pool."""
    if ip not in home.network.usable(is_pool=home.is_pool):
        role = edge_role(home.network, ip)
        raise Invalid.field(
            "ip",
            f"{format_address(ip)} is the {role} address of {home.network} and cannot be assigned",
            code="address_not_usable",
        )


def taken(ip: int, address_id: str) -> Invalid:
    """Make the refusal of an address that is already assigned, naming the first."""
    return Invalid.field(
        "ip", f"{format_address(ip)} is already assigned as {address_id}", code="address_taken"
    )


def outside(ip: int, network: Network) -> Invalid:
    """Make the refusal of an address that is not in the subnet."""
    return Invalid.field(
        "ip", f"{format_address(ip)} is not inside {network}", code="address_outside"
    )


def _outside(tx: Transaction, subnet_id: str, ip: int) -> Invalid:
    return outside(ip, subnet_rows.get(tx, subnet_id).network)


def _whereabouts(address: Address) -> dict[str, str | None]:
    return {
        "ip": format_address(address.ip),
        "subnet_id": address.subnet_id,
        "vrf_id": address.vrf_id or None,
    }


def _described(address: Address) -> dict[str, Any]:
    return {**_whereabouts(address), **{name: getattr(address, name) for name in _EDITABLE}}


def _change(
    verb: str,
    changed: Address,
    details: str,
    data: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Change:
    return Change(
        type=f"address.{verb}",
        resource_id=changed.id,
        label=format_address(changed.ip),
        details=details,
        data=data,
        before=before,
    )
