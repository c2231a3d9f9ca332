"""The next free network of a size: no child, no assigned address and no gateway is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from ipcraft.plugin import AddressBytes, Invalid, Statement, Transaction, given, own
from ipcraft_ipam import subnets as subnet_rows
from ipcraft_ipam.free_space import ascending, descending, roomy
from ipcraft_ipam.hierarchy import create
from ipcraft_ipam.locking import change_tree
from ipcraft_ipam.networks import BITS, Network, Span, enclosing, from_bytes, to_bytes
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import GLOBAL_VRF, addresses

_a = addresses.c
_LAST_ASSIGNED = Statement(
    select(func.max(_a.ip)).where(
        _a.organization_id == own(),
        _a.vrf_id == given("vrf_id"),
        _a.ip >= given("first", AddressBytes),
        _a.ip <= given("last", AddressBytes),
    )
)


def first_free(tx: Transaction, subnet_id: str, prefix_length: int) -> Network | None:
    """Give the lowest free network of the prefix length in a subnet, or None.

    Raises `NotFound`, and `Invalid` when the prefix length is not longer than the subnet's.
    """
    return _first_free(tx, subnet_rows.get(tx, subnet_id), prefix_length)


def take(
    tx: Transaction, subnet_id: str, prefix_length: int, values: Mapping[str, Any]
) -> tuple[Subnet, int]:
    """Create the lowest free network of the prefix length as a subnet.

    It is in the VRF of the subnet around it; a `vrf_id` in `values` must say the same. Raises what
    `first_free` raises, and `Invalid` with code ``subnet_full`` when there is none.
    """
    change_tree(tx)
    parent = subnet_rows.get(tx, subnet_id)
    if (values.get("vrf_id", parent.vrf_id) or GLOBAL_VRF) != parent.vrf_id:
        raise Invalid.field(
            "vrf_id", f"vrf_id is not the VRF of {parent.network}", code="other_vrf"
        )
    network = _first_free(tx, parent, prefix_length)
    if network is None:
        raise Invalid(
            f"Subnet {parent.network} has no free /{prefix_length} left", code="subnet_full"
        )
    return create(tx, network, {**values, "vrf_id": parent.vrf_id})


def _first_free(tx: Transaction, subnet: Subnet, prefix_length: int) -> Network | None:
    bits = BITS[subnet.network.family]
    if not subnet.network.prefix_length < prefix_length <= bits:
        raise Invalid.field(
            "prefix_length",
            f"prefix_length must be {subnet.network.prefix_length + 1} to {bits} "
            f"in {subnet.network}",
            code="invalid_prefix_length",
        )
    for span in _spans(tx, subnet, bits - prefix_length):
        candidate = _aligned(span.first, prefix_length)
        while candidate.last <= span.last:
            assigned = tx.value(
                _LAST_ASSIGNED,
                vrf_id=subnet.vrf_id,
                first=to_bytes(candidate.first),
                last=to_bytes(candidate.last),
            )
            if assigned is None:
                return candidate
            candidate = _aligned(from_bytes(assigned) + 1, prefix_length)
    return None


def _spans(tx: Transaction, subnet: Subnet, host_bits: int) -> Iterator[Span]:
    """Give the spans with room for so many host bits that no child and no gateway is in.

    Those are the free ranges; the lowest and the highest may have an address beside them that
    only a child can use.
    """
    network = subnet.network
    largest = BITS[network.family] - network.prefix_length
    start = network.first
    if _is_free_edge(tx, subnet, network.first):
        lowest = next(ascending(tx, subnet.id, start, page=1), None)
        joins = lowest is not None and lowest.span.first == network.first + 1
        span = Span(network.first, lowest.span.last if lowest and joins else network.first)
        yield span
        start = span.last + 1
    for found in roomy(tx, subnet.id, start, host_bits=host_bits, largest=largest):
        yield found.span
    if _is_free_edge(tx, subnet, network.last):
        highest = next(descending(tx, subnet.id, network.last, page=1), None)
        joins = highest is not None and highest.span.last == network.last - 1
        yield Span(highest.span.first if highest and joins else network.last, network.last)


def _is_free_edge(tx: Transaction, subnet: Subnet, address: int) -> bool:
    """Tell whether a child could have an address that is in no range: one not to be assigned."""
    if address in subnet.network.usable(is_pool=subnet.is_pool) or address == subnet.gateway:
        return False
    host = Network(address, BITS[subnet.network.family])
    home = subnet_rows.container(tx, subnet.vrf_id, host)
    return home is not None and home.id == subnet.id


def _aligned(address: int, prefix_length: int) -> Network:
    """Give the first network of the prefix length that starts at or after the address."""
    network = enclosing(address, prefix_length)
    if network.first == address:
        return network
    return Network(network.last + 1, prefix_length)
