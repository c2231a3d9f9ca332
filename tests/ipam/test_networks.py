"""Networks as numbers, compared with the standard library's."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.plugin import Invalid
from ipcraft_ipam.networks import (
    BITS,
    Network,
    Span,
    enclosing,
    format_address,
    from_bytes,
    parse_address,
    parse_network,
    to_bytes,
)

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

addresses = st.ip_addresses()


@st.composite
def networks(draw: st.DrawFn, *, spare_bits: int | None = None) -> IPNetwork:
    """Draw a network of either family, with at most so many host bits."""
    address = draw(addresses)
    bits = address.max_prefixlen
    shortest = 0 if spare_bits is None else bits - spare_bits
    return ipaddress.ip_network((address, draw(st.integers(shortest, bits))), strict=False)


def network_of(network: IPNetwork) -> Network:
    """Read a network of the standard library as ours."""
    return parse_network(str(network))


def test_an_address_is_read_as_it_is_written() -> None:
    """What is formatted is parsed again to the same number."""

    @given(addresses)
    def holds(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        number = parse_address(str(address))
        assert parse_address(format_address(number)) == number
        assert ipaddress.ip_address(format_address(number)) == address

    holds()


def test_an_ipv4_address_is_written_dotted() -> None:
    """IPv4 is written as the standard library writes it."""

    @given(st.ip_addresses(v=4))
    def holds(address: ipaddress.IPv4Address) -> None:
        assert format_address(parse_address(str(address))) == str(address)

    holds()


def test_an_ipv6_address_is_written_as_rfc_5952_says() -> None:
    """Zeros are compressed once, digits are lower case, leading zeros are gone."""
    for text, written in (
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("fe80:0:0:1::", "fe80:0:0:1::"),
    ):
        assert format_address(parse_address(text)) == written


def test_an_address_is_stored_and_found_again() -> None:
    """Bytes and number are the same address."""

    @given(addresses)
    def holds(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        number = parse_address(str(address))
        stored = to_bytes(number)
        assert stored == bytes((address.version,)) + address.packed
        assert from_bytes(stored) == number

    holds()


def test_stored_addresses_sort_as_addresses_do() -> None:
    """The order of the bytes is the order of the addresses, IPv4 first."""

    @given(st.lists(addresses, min_size=2, max_size=8))
    def holds(some: list[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
        expected = sorted(some, key=lambda address: (address.version, int(address)))
        stored = sorted(to_bytes(parse_address(str(address))) for address in some)
        assert [from_bytes(each) for each in stored] == [
            parse_address(str(address)) for address in expected
        ]

    holds()


@pytest.mark.parametrize("lowest", ["0.0.0.0", "::"])
def test_the_place_below_a_family_sorts_below_it(lowest: str) -> None:
    """The neighbour below the lowest address is a place, though no address."""
    first = parse_address(lowest)
    below = to_bytes(first - 1)
    assert below < to_bytes(first)
    assert from_bytes(below) == first - 1


def test_a_network_is_read_as_it_is_written() -> None:
    """CIDR text, first, last, size and family agree with the standard library."""

    @given(networks())
    def holds(network: IPNetwork) -> None:
        ours = network_of(network)
        assert ipaddress.ip_network(str(ours)) == network
        assert network_of(ipaddress.ip_network(str(ours))) == ours
        assert ours.size == network.num_addresses
        assert ours.family == network.version
        assert ours.prefix_length == network.prefixlen
        assert ours.first == parse_address(str(network.network_address))
        assert ours.last == parse_address(str(network.broadcast_address))

    holds()


def test_the_usable_addresses_are_the_standard_librarys_hosts() -> None:
    """IPv4 leaves out network and broadcast address, /31 and /32 nothing; IPv6 the anycast one."""

    @given(networks(spare_bits=5))
    def holds(network: IPNetwork) -> None:
        usable = network_of(network).usable(is_pool=False)
        hosts = [parse_address(str(host)) for host in network.hosts()]
        if isinstance(network, ipaddress.IPv6Network) and network.prefixlen <= 126:
            # hosts() leaves out the subnet-router anycast address only.
            assert len(hosts) == network.num_addresses - 1
        assert list(range(usable.first, usable.last + 1)) == hosts

    holds()


def test_every_address_of_a_pool_is_usable() -> None:
    """A pool has no network and no broadcast address."""

    @given(networks())
    def holds(network: IPNetwork) -> None:
        ours = network_of(network)
        assert ours.usable(is_pool=True) == ours.span

    holds()


def test_parts_are_the_standard_librarys_subnets() -> None:
    """A split gives the networks of the longer prefix, in order."""

    @given(networks(), st.integers(1, 5))
    def holds(network: IPNetwork, bits: int) -> None:
        bits = min(bits, network.max_prefixlen - network.prefixlen)
        parts = [str(part) for part in network_of(network).split(1 << bits)]
        assert parts == [str(network_of(part)) for part in network.subnets(prefixlen_diff=bits)]

    holds()


def test_host_bits_are_refused_with_the_network_meant() -> None:
    """The network that was probably meant is in the message."""

    @given(networks(), st.data())
    def holds(network: IPNetwork, data: st.DataObject) -> None:
        ours = network_of(network)
        address = data.draw(st.integers(ours.first, ours.last))
        text = f"{format_address(address)}/{ours.prefix_length}"
        if address == ours.first:
            assert parse_network(text) == ours
            return
        with pytest.raises(Invalid, match="host bits") as refused:
            parse_network(text)
        assert str(ours) in refused.value.message

    holds()


def test_an_address_is_in_the_network_that_encloses_it() -> None:
    """`enclosing` is the standard library's supernet of an address."""

    @given(addresses, st.data())
    def holds(address: ipaddress.IPv4Address | ipaddress.IPv6Address, data: st.DataObject) -> None:
        prefix_length = data.draw(st.integers(0, BITS[address.version]))
        expected = ipaddress.ip_network((address, prefix_length), strict=False)
        number = parse_address(str(address))
        assert enclosing(number, prefix_length) == network_of(expected)
        assert number in enclosing(number, prefix_length).span

    holds()


def test_two_networks_are_equal_nested_or_disjoint() -> None:
    """Covering and intersecting agree with the standard library."""

    @given(networks(), networks())
    def holds(one: IPNetwork, other: IPNetwork) -> None:
        ours, theirs = network_of(one), network_of(other)
        covers = one.version == other.version and one.supernet_of(other)  # type: ignore[arg-type]
        assert ours.span.covers(theirs.span) is covers
        shared = ours.span.intersection(theirs.span)
        assert (shared is None) is not one.overlaps(other)
        assert shared in (None, ours.span, theirs.span)

    holds()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "10.0.0.1 ",
        "10.0.0",
        "010.0.0.1",
        "10.0.0.256",
        "::1%eth0",
        "::g",
        "1",
        "\u0661.0.0.1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Neither short forms, nor spaces, nor zones, nor digits of other scripts."""
    with pytest.raises(Invalid) as refused:
        parse_address(text)
    assert refused.value.fields


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/٨",
        "/8",
    ],
)
def test_what_is_no_network_is_refused(text: str) -> None:
    """Neither netmasks, nor signs, nor too long prefixes."""
    with pytest.raises(Invalid) as refused:
        parse_network(text)
    assert refused.value.fields


def test_a_span_knows_its_size_and_its_addresses() -> None:
    """Both ends count."""
    assert Span(5, 5).size == 1
    assert Span(5, 7).size == 3
    assert [address in Span(5, 7) for address in (4, 5, 7, 8)] == [False, True, True, False]


def test_a_span_knows_the_largest_network_in_it() -> None:
    """A network of so many host bits fits in, at its own place, and none of one more."""

    def fits(span: Span, bits: int) -> bool:
        size = 1 << bits
        first = -(-span.first // size) * size
        return first + size - 1 <= span.last

    @given(st.integers(0, 2**12), st.integers(0, 2**12), st.sampled_from([0, 4 << 32, 6 << 128]))
    def holds(one: int, other: int, base: int) -> None:
        span = Span(base + min(one, other), base + max(one, other))
        assert fits(span, span.host_bits)
        assert not fits(span, span.host_bits + 1)

    holds()
