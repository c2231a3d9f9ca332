"""Route distinguishers: each of the three kinds, in one spelling."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.errors import Invalid
from ipcraft_ipam.route_distinguishers import parse_route_distinguisher

MOST_16, MOST_32 = 65535, 4294967295


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("65000:100", "65000:100"),
        ("0:0", "0:0"),
        (f"{MOST_16}:{MOST_32}", f"{MOST_16}:{MOST_32}"),
        (f"{MOST_32}:{MOST_16}", f"{MOST_32}:{MOST_16}"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
        ("0065000:007", "65000:7"),
        ("1.10:5", "65546:5"),
        ("0.65000:70000", "65000:70000"),
    ],
)
def test_a_route_distinguisher_is_kept_in_one_spelling(written: str, kept: str) -> None:
    """AS numbers of 16 and of 32 bits and IPv4 addresses, without leading zeros and dots."""
    assert parse_route_distinguisher(written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "65000",
        "65000:",
        ":100",
        "65000:-1",
        "65000: 1",
        " 65000:1",
        "65000:1\n",
        "65000:1:1",
        "a:1",
        "\uff16\uff15\uff10\uff10\uff10:1",
        f"{MOST_16}:{MOST_32 + 1}",
        f"{MOST_16 + 1}:{MOST_16 + 1}",
        f"{MOST_32 + 1}:1",
        "192.0.2.256:1",
        "192.0.2.1:65536",
        "192.0.2:1",
        "65536.1:1",
        "1.65536:1",
        "2001:db8::1:1",
    ],
)
def test_what_is_no_route_distinguisher_is_refused(text: str) -> None:
    """The refusal names the field and has a code of its own."""
    with pytest.raises(Invalid, match="is not a route distinguisher") as refusal:
        parse_route_distinguisher(text)
    assert refusal.value.code == "invalid_rd"
    assert list(refusal.value.fields or {}) == ["rd"]


@given(st.integers(0, MOST_32), st.integers(0, MOST_16))
def test_every_administrator_is_read_and_read_again(administrator: int, number: int) -> None:
    """As a number, with a dot or as an address; what is kept reads as itself."""
    dotted = f"{administrator >> 16}.{administrator & MOST_16}"
    address = str(ipaddress.IPv4Address(administrator))
    plain = f"{administrator}:{number}"
    assert parse_route_distinguisher(plain) == plain
    assert parse_route_distinguisher(f"{dotted}:{number}") == plain
    assert parse_route_distinguisher(f"{address}:{number}") == f"{address}:{number}"
