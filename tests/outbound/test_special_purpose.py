"""Our table says what the registries say, at every edge, and finds every embedded address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.outbound.failures import Refused
from ipcraft.outbound.guard import Guard
from ipcraft.outbound.special_purpose import (
    SPECIAL_NETWORKS,
    Address,
    SpecialNetwork,
    embedded,
    plain,
    special_network,
)

LAST = {4: 2**32 - 1, 6: 2**128 - 1}
IPV4 = st.integers(0, LAST[4]).map(IPv4Address)


def smallest(address: Address) -> SpecialNetwork:
    """Find the smallest network of the table that an address is in, by looking at all."""
    return max(
        (each for each in SPECIAL_NETWORKS if address in each.network),
        key=lambda each: each.network.prefixlen,
    )


def is_good(address: Address) -> bool:
    """Tell the guard's verdict, without anything allowed."""
    try:
        Guard().refuse_address(address)
    except Refused:
        return False
    return True


def by_the_table(address: Address) -> bool:
    """Tell the table's verdict, embedded addresses included."""
    address = plain(address)
    return all(smallest(each).reachable for each in (address, *embedded(address)))


def edges(special: SpecialNetwork) -> list[Address]:
    """Give the first and the last address of a network, and their neighbours outside."""
    first, last = int(special.network[0]), int(special.network[-1])
    kind = IPv4Address if special.network.version == 4 else IPv6Address
    numbers = (first - 1, first, last, last + 1)
    return [kind(each) for each in numbers if 0 <= each <= LAST[special.network.version]]


@pytest.mark.parametrize("special", SPECIAL_NETWORKS, ids=lambda each: str(each.network))
def test_edges_are_judged_by_the_table(special: SpecialNetwork) -> None:
    """The first and the last address of a network, and the neighbours of both."""
    for address in edges(special):
        assert special_network(address) == smallest(address)
        assert is_good(address) is by_the_table(address), address


@pytest.mark.parametrize(
    "special",
    [each for each in SPECIAL_NETWORKS if not each.reachable],
    ids=lambda each: str(each.network),
)
def test_what_is_not_reachable_is_refused_to_its_ends(special: SpecialNetwork) -> None:
    """Of each such network, the first and the last address, unless a smaller one is reachable."""
    for address in (special.network[0], special.network[-1]):
        if special_network(address) == special:
            assert not is_good(address)


@given(IPV4 | st.integers(0, LAST[6]).map(IPv6Address))
def test_any_address_is_judged_by_the_table(address: Address) -> None:
    """However unlikely it is."""
    assert is_good(address) is by_the_table(address)


def test_no_network_is_in_the_table_twice() -> None:
    """Each has one line."""
    networks = [each.network for each in SPECIAL_NETWORKS]
    assert len(networks) == len(set(networks))


@pytest.mark.parametrize("form", [
    "::{hex}",
    "::ffff:0:{hex}",
    "2002:{hex}::1",
    "2001:0:{hex}::1",
    "64:ff9b::{hex}",
    "64:ff9b:1::{hex}",
    "2606:4700::5efe:{hex}",
    "2606:4700::200:5efe:{hex}",
    "2606:4700::300:5efe:{hex}",
])  # fmt: skip
@given(address=IPV4.filter(lambda each: int(each) > 2**24))
def test_embedded_addresses_are_found(form: str, address: IPv4Address) -> None:
    """In compatible, translated, 6to4, Teredo (server), NAT64 and ISATAP addresses."""
    number = int(address)
    text = f"{number >> 16:x}:{number & 0xFFFF:x}"
    assert address in embedded(IPv6Address(form.format(hex=text)))


@given(IPV4)
def test_a_teredo_clients_address_is_inverted(address: IPv4Address) -> None:
    """RFC 4380, section 4."""
    found = embedded(IPv6Address(0x2001_0000 << 96 | 0x08080808 << 64 | ~int(address) & LAST[4]))
    assert found == tuple(dict.fromkeys([IPv4Address("8.8.8.8"), address]))


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b:1:a00:0:100::",  # 10.0.0.1 behind 48 bits
        "64:ff9b:1:a:0:1::",  # behind 56 bits
        "64:ff9b:1:0:a:0:100:0",  # behind 64 bits
        "64:ff9b:1::a00:1",  # behind 96 bits
    ],
)
def test_a_local_translators_address_is_read_in_every_form(address: str) -> None:
    """RFC 6052, section 2.2: with a prefix of 48, 56, 64 and 96 bits."""
    assert IPv4Address("10.0.0.1") in embedded(IPv6Address(address))


@pytest.mark.parametrize(
    ("address", "good"),
    [("64:ff9b:1::8.8.8.8", True), ("64:ff9b:1::10.0.0.1", False), ("64:ff9b:1::0.0.0.0", False)],
)
def test_what_hides_in_an_allowed_network_is_judged(address: str, *, good: bool) -> None:
    """Who allows a translator's network does not allow what it translates to."""
    guard = Guard([ip_network("64:ff9b:1::/48")])
    if good:
        guard.refuse_address(ip_address(address))
    else:
        with pytest.raises(Refused):
            guard.refuse_address(ip_address(address))


def test_allowed_networks_hold_for_each_spelling() -> None:
    """A mapped address is the IPv4 address; what embeds it is something else."""
    guard = Guard([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "64:ff9b::10.1.2.3"):
        guard.refuse_address(ip_address(address))
    for address in ("192.168.0.1", "::10.1.2.3", "2002:a01:203::1", "fe80::1", "127.0.0.1"):
        with pytest.raises(Refused):
            guard.refuse_address(ip_address(address))


def test_a_refusal_says_what_the_address_is() -> None:
    """The registry's name of the network, and of what is embedded, too."""
    with pytest.raises(Refused, match=r"10\.0\.0\.1 is not globally reachable \(private\)"):
        Guard().refuse_address(IPv4Address("10.0.0.1"))
    with pytest.raises(Refused, match=r"leads to 127\.0\.0\.1, .* \(loopback\)"):
        Guard().refuse_address(IPv6Address("64:ff9b::7f00:1"))
