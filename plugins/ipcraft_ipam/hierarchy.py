"""The tree of subnets: where a new one goes, and what moves into it.

Two CIDR networks are equal, nested or disjoint, so within a VRF the subnets form a tree: a
subnet's parent is the smallest one that contains it, an address's home likewise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, func, insert, literal, select, update

from ipcraft.plugin import AddressBytes, Change, Invalid, Statement, Transaction, given, new_id, own
from ipcraft_ipam import free_space, references, usage
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.free_space import FreeRange, free_range
from ipcraft_ipam.locking import change_tree, changed_networks
from ipcraft_ipam.networks import IPV4, Network, Span, format_address, to_bytes
from ipcraft_ipam.searchable import subnet_text
from ipcraft_ipam.subnets import Subnet, container
from ipcraft_ipam.tables import GLOBAL_VRF, NO_PARENT, addresses, free_ranges, subnets

_s, _a, _r = subnets.c, addresses.c, free_ranges.c
_CHILD, _ADDRESS, _FREE = 0, 1, 2

INSERT = Statement(insert(subnets))

_inside = {
    "first": given("first", AddressBytes),
    "last": given("last", AddressBytes),
    "parent_id": given("parent_id"),
}
_children_inside = (
    _s.organization_id == own(),
    _s.vrf_id == given("vrf_id"),
    _s.first >= _inside["first"],
    _s.first <= _inside["last"],
    _s.last <= _inside["last"],
    _s.parent_id == _inside["parent_id"],
)
_addresses_inside = (
    _a.organization_id == own(),
    _a.vrf_id == given("vrf_id"),
    _a.ip >= _inside["first"],
    _a.ip <= _inside["last"],
    _a.subnet_id == _inside["parent_id"],
)


_next_free = select(func.min(_r.last)).where(
    _r.organization_id == own(), _r.subnet_id == _inside["parent_id"], _r.last >= _inside["last"]
)


def _content(kind: int, first: bytes, last: bytes, version: int) -> tuple[int, FreeRange]:
    return kind, free_range(first, last, version)


_CONTENT = Statement(
    select(literal(_CHILD, Integer()), _s.first, _s.last, literal(0, Integer()))
    .where(*_children_inside)
    .union_all(
        select(literal(_ADDRESS, Integer()), _a.ip, _a.ip, literal(0, Integer())).where(
            *_addresses_inside
        ),
        select(literal(_FREE, Integer()), _r.first, _r.last, _r.version).where(
            _r.organization_id == own(),
            _r.subnet_id == _inside["parent_id"],
            _r.last >= _inside["first"],
            _r.last <= func.coalesce(_next_free.scalar_subquery(), _inside["last"]),
            _r.first <= _inside["last"],
        ),
    ),
    _content,
)
_ADOPT_CHILDREN = Statement(
    update(subnets).where(*_children_inside).values(parent_id=given("new_parent_id"))
)
_ADOPT_ADDRESSES = Statement(
    update(addresses).where(*_addresses_inside).values(subnet_id=given("new_parent_id"))
)


class Creation:
    """Create a subnet under its smallest container, and move into it what lies inside.

    Gives it with the number of addresses in it, those of its new descendants included. It is work
    to be shared, with others that change the tree.

    `values`: the optional `vrf_id`, `vlan_id`, `section_id`, `name`, `description`, `gateway` (a
    number), `is_pool`. Raises `Invalid` when the network exists in its VRF, the gateway is outside,
    VRF, VLAN or folder are unknown, or an address would become the network, broadcast or anycast
    address.
    """

    order = ""
    """All want the same lock, so any order will do."""

    def __init__(self, network: Network, values: Mapping[str, Any]) -> None:
        self._network = network
        self._values = values
        self._vrf_id = _vrf_of(values)
        self._parent: Subnet | None = None
        self._known = 0
        """How often the transaction had changed the tree when the parent was asked for."""

    def begin(self, tx: Transaction) -> None:
        """Ask for the parent."""
        change_tree(tx)
        self._known = len(changed_networks(tx))
        subnet_rows.ask_container(tx, self._note, vrf_id=self._vrf_id, network=self._network)

    def finish(self, tx: Transaction) -> tuple[Subnet, int]:
        """Create it."""
        parent = self._parent
        if any(self._is_in(*place) for place in changed_networks(tx)[self._known :]):
            parent = container(tx, self._vrf_id, self._network)
        return _create(tx, self._network, self._values, parent)

    def _note(self, parent: Subnet | None) -> None:
        self._parent = parent

    def _is_in(self, vrf_id: str, network: Network) -> bool:
        return vrf_id == self._vrf_id and network.span.covers(self._network.span)


def create(tx: Transaction, network: Network, values: Mapping[str, Any]) -> tuple[Subnet, int]:
    """Create a subnet, see `Creation`."""
    change_tree(tx)
    return _create(tx, network, values, container(tx, _vrf_of(values), network))


def _create(
    tx: Transaction, network: Network, values: Mapping[str, Any], parent: Subnet | None
) -> tuple[Subnet, int]:
    subnet = new_subnet(tx, network, values, parent)
    _check(tx, subnet, parent)
    content = _content_of(tx, subnet)
    tx.record(created(subnet))
    moved, adopts = _move_in(tx, subnet, parent, content)
    tx.write(INSERT, **row(subnet))
    changed_networks(tx).append((subnet.vrf_id, subnet.network))
    return subnet, subnet_rows.used(tx, subnet) if adopts else moved


def _vrf_of(values: Mapping[str, Any]) -> str:
    return values.get("vrf_id") or GLOBAL_VRF


def check_gateway(network: Network, gateway: int | None) -> None:
    """Refuse a gateway that is not inside the network."""
    if gateway is not None and gateway not in network.span:
        raise Invalid.field(
            "gateway",
            f"gateway {format_address(gateway)} is not inside {network}",
            code="gateway_outside",
        )


def refuse_edges(network: Network, taken: Span, *, is_pool: bool) -> None:
    """Refuse that an assigned address becomes one that its subnet cannot assign."""
    if taken.first not in network.usable(is_pool=is_pool):
        role = edge_role(network, taken.first)
        raise Invalid.field(
            "network",
            f"address {format_address(taken.first)} is assigned and would become "
            f"the {role} address of {network}",
            code="address_on_edge",
        )


def edge_role(network: Network, address: int) -> str:
    """Say what an address is that its subnet cannot assign."""
    if address == network.last:
        return "broadcast"
    return "network" if network.family == IPV4 else "subnet-router anycast"


def row(subnet: Subnet) -> dict[str, Any]:
    """Give a subnet as a row."""
    network = subnet.network
    return {
        "id": subnet.id,
        "vrf_id": subnet.vrf_id,
        "first": to_bytes(network.first),
        "last": to_bytes(network.last),
        "prefix_length": network.prefix_length,
        "parent_id": subnet.parent_id,
        "section_id": subnet.section_id,
        "vlan_id": subnet.vlan_id,
        "name": subnet.name,
        "description": subnet.description,
        "gateway": None if subnet.gateway is None else to_bytes(subnet.gateway),
        "is_pool": subnet.is_pool,
        "created_at": subnet.created_at,
        "updated_at": subnet.updated_at,
        "search_text": subnet_text(name=subnet.name, description=subnet.description),
    }


def created(subnet: Subnet) -> Change:
    """Describe the creation of a subnet."""
    gateway = subnet.gateway
    return Change(
        type="subnet.created",
        resource_id=subnet.id,
        label=str(subnet.network),
        details=f"Created subnet {subnet.network}",
        data={
            "network": str(subnet.network),
            "name": subnet.name,
            "description": subnet.description,
            "section_id": subnet.section_id,
            "vrf_id": subnet.vrf_id or None,
            "vlan_id": subnet.vlan_id,
            "gateway": None if gateway is None else format_address(gateway),
            "is_pool": subnet.is_pool,
        },
    )


def new_subnet(
    tx: Transaction, network: Network, values: Mapping[str, Any], parent: Subnet | None
) -> Subnet:
    """Make the value of a new subnet."""
    return Subnet(
        id=new_id("sub"),
        vrf_id=_vrf_of(values),
        network=network,
        parent_id=parent.id if parent else NO_PARENT,
        section_id=values.get("section_id"),
        vlan_id=values.get("vlan_id"),
        name=values.get("name"),
        description=values.get("description"),
        gateway=values.get("gateway"),
        is_pool=values.get("is_pool", False),
        created_at=tx.now,
        updated_at=tx.now,
    )


def _check(tx: Transaction, subnet: Subnet, parent: Subnet | None) -> None:
    network = subnet.network
    if parent and parent.network == network:
        raise Invalid.field(
            "network", f"Subnet overlaps with existing subnet {network}", code="subnet_overlap"
        )
    check_gateway(network, subnet.gateway)
    references.require(
        tx, section_id=subnet.section_id, vrf_id=subnet.vrf_id or None, vlan_id=subnet.vlan_id
    )


def _content_of(tx: Transaction, subnet: Subnet) -> list[tuple[int, FreeRange]]:
    """Give what lies inside, which an address must not be at the edge of."""
    content = tx.all(_CONTENT, **_place(subnet))
    for kind, old in content:
        if kind == _ADDRESS:
            refuse_edges(subnet.network, old.span, is_pool=subnet.is_pool)
    return content


def _place(subnet: Subnet) -> dict[str, Any]:
    return {
        "vrf_id": subnet.vrf_id,
        "first": to_bytes(subnet.network.first),
        "last": to_bytes(subnet.network.last),
        "parent_id": subnet.parent_id,
    }


def _move_in(
    tx: Transaction,
    subnet: Subnet,
    parent: Subnet | None,
    content: Sequence[tuple[int, FreeRange]],
) -> tuple[int, bool]:
    """Take the space from the parent, with the subnets and addresses in it.

    Tell how many addresses moved, and whether subnets did.
    """
    network, where = subnet.network, _place(subnet)
    taken = sum(kind == _ADDRESS for kind, _ in content)
    for kind, old in content:
        if kind == _FREE:
            remaining = list(free_space.without(old.span, [network.span]))
            free_space.replace(tx, subnet.parent_id, old, remaining)
    adopts = any(kind == _CHILD for kind, _ in content)
    if adopts:
        tx.write(_ADOPT_CHILDREN, **where, new_parent_id=subnet.id)
    if taken and parent:
        tx.write(_ADOPT_ADDRESSES, **where, new_parent_id=subnet.id)
        usage.add(tx, subnet.vrf_id, parent.network, -taken)
        usage.add(tx, subnet.vrf_id, network, taken)
    holes = sorted(old.span for kind, old in content if kind != _FREE)
    free_space.store(tx, subnet.id, _free(subnet, holes))
    return taken, adopts


def _free(subnet: Subnet, holes: list[Span]) -> list[Span]:
    assignable = free_space.assignable(
        subnet.network, is_pool=subnet.is_pool, gateway=subnet.gateway
    )
    return [left for span in assignable for left in free_space.without(span, holes)]
