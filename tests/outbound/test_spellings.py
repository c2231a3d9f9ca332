"""However an address is written, it is that address."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.outbound.client import Outbound
from ipcraft.outbound.failures import Refused
from ipcraft.outbound.guard import Guard
from ipcraft.outbound.hosts import read_host
from ipcraft.outbound.targets import read_url

ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)
BASES: tuple[Callable[[int], str], ...] = (
    str,
    lambda number: f"0{number:o}",
    lambda number: f"000{number:o}",
    lambda number: f"0x{number:x}",
    lambda number: f"0X{number:X}",
    lambda number: f"0x000{number:x}",
)
DIGITS = (
    "0123456789",
    "".join(map(chr, range(0xFF10, 0xFF1A))),  # full-width
    "\u24ea" + "".join(map(chr, range(0x2460, 0x2469))),  # circled
    "".join(map(chr, range(0x1D7CE, 0x1D7D8))),  # mathematical, bold
    "\u2070\u00b9\u00b2\u00b3" + "".join(map(chr, range(0x2074, 0x207A))),  # superscript
)
DOTS = ".\u3002\uff0e\uff61"

outbound = Outbound(Guard())


@st.composite
def spelled(draw: st.DrawFn) -> tuple[IPv4Address, str]:
    """Draw an address and one of its spellings."""
    address = draw(ADDRESSES)
    if draw(st.booleans()):
        number = int(address)
        mapped = draw(st.sampled_from([f"{address}", f"{number >> 16:x}:{number & 0xFFFF:X}"]))
        return address, f"[::ffff:{mapped}]"
    leading = draw(st.integers(0, 3))
    numbers = [*address.packed[:leading], int.from_bytes(address.packed[leading:], "big")]
    text = ".".join(draw(st.sampled_from(BASES))(number) for number in numbers)
    text += draw(st.sampled_from(["", "."]))
    digits = draw(st.sampled_from(DIGITS))
    text = text.translate(str.maketrans(DIGITS[0], digits))
    return address, text.replace(".", draw(st.sampled_from(DOTS)))


def refusal(url: str) -> str | None:
    """Give what is said against a URL."""
    try:
        outbound.check(url)
    except Refused as error:
        return error.reason
    return None


@given(spelled())
def test_every_spelling_is_the_address(pair: tuple[IPv4Address, str]) -> None:
    """Decimal, octal, hexadecimal, short, mixed, mapped, in digits and dots of other scripts."""
    address, text = pair
    assert read_url(f"http://{text}/").host.address == address


@given(spelled())
def test_every_spelling_gets_the_same_verdict(pair: tuple[IPv4Address, str]) -> None:
    """With the same words."""
    address, text = pair
    assert refusal(f"http://{text}/") == refusal(f"http://{address}/")


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_ipv6_addresses_are_read_in_every_form(address: IPv6Address) -> None:
    """Compressed, exploded, in capitals."""
    forms = (address.compressed, address.exploded, address.exploded.upper())
    assert len({read_host(form) for form in forms}) == 1


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a refusal comes of it, and what is read is the same when read again."""
    for url in (text, f"http://{text}", f"http://{text}/", f"http://[{text}]/"):
        try:
            target = read_url(url)
        except Refused:
            continue
        assert target.authority.isascii()
        assert target.path.isascii()
        assert not set(target.authority + target.path) & set("\r\n\t \\@")
        again = read_url(f"{target.scheme}://{target.authority}{target.path}")
        assert (again.host.name, again.port, again.path) == (
            target.host.name,
            target.port,
            target.path,
        )


@pytest.mark.parametrize(
    ("text", "name", "absolute"),
    [
        ("Example.COM", "example.com", False),
        ("example.com.", "example.com", True),
        ("Bücher.example", "xn--bcher-kva.example", False),
        ("bücher。example。", "xn--bcher-kva.example", True),
        ("faß.example", "xn--fa-hia.example", False),
    ],
)
def test_names_are_read_as_the_dns_has_them(text: str, name: str, *, absolute: bool) -> None:
    """In lower case and ASCII; a dot at the end says that the name is complete."""
    host = read_host(text)
    assert (host.name, host.absolute, host.address) == (name, absolute, None)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://example.com", "example.com", "/"),
        ("http://example.com:80/a", "example.com", "/a"),
        ("https://example.com:443?b", "example.com", "/?b"),
        ("https://EXAMPLE.com:80/a?b#c", "example.com:80", "/a?b"),
        ("http://[2606:4700:0::1]:8080/", "[2606:4700::1]:8080", "/"),
        ("https://[::ffff:8.8.8.8]/", "8.8.8.8", "/"),
        ("https://0x8.8.8.8:8443/%2e%2e/", "8.8.8.8:8443", "/%2e%2e/"),
        ("https://example.com#@127.0.0.1/", "example.com", "/"),
    ],
)
def test_what_is_asked_of_whom(url: str, authority: str, path: str) -> None:
    """The header Host has the host as it was read, and the port if it is not the scheme's."""
    target = read_url(url)
    assert (target.authority, target.path) == (authority, path)
