"""The grammar: what terms are, and what each may mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.plugin import Invalid
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.search import parse
from ipcraft_ipam.search.grammar import LONGEST


def meanings(query: str) -> list[list[str]]:
    """Give the sentences of each term's readings."""
    return [[each.sentence for each in term.readings] for term in parse(query, statuses=STATUSES)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Web", ['any text contains "web"']),
        ("10.0.1.7", ["the address 10.0.1.7 and the subnets that contain it",
                      'any text contains "10.0.1.7"']),
        ("fe80::1", ["the address fe80::1 and the subnets that contain it",
                     'any text contains "fe80::1"']),
        ("10.0.1.0/24", ["everything in 10.0.1.0/24", 'any text contains "10.0.1.0/24"']),
        ("10.0.1.7/24", ["everything in 10.0.1.0/24", 'any text contains "10.0.1.7/24"']),
        ("10.0.1.", ["everything in 10.0.1.0/24", 'any text contains "10.0.1."']),
        ("10.0", ["everything in 10.0.0.0/16", 'any text contains "10.0"']),
        ("2001:db8", ["everything in 2001:db8::/32", 'any text contains "2001:db8"']),
        ("10.0.1.256", ['any text contains "10.0.1.256"']),
        ("001A.2b3c.4d5e", ["the MAC address is 00:1A:2B:3C:4D:5E",
                            'any text contains "001a.2b3c.4d5e"']),
        ("00-1a-2b", ["the MAC address begins with 00:1A:2B", 'any text contains "00-1a-2b"']),
        ("activ", ['any text contains "activ"', "addresses whose status is active"]),
        ('"10.0.1.7"', ['any text contains "10.0.1.7"']),
        ('"two words', ['any text contains "two words"']),
        ("hostname:Web", ['hostname contains "web"']),
        ('OWNER:"Net Ops"', ['owner contains "net ops"']),
        ("status:dhcp", ['status is "dhcp"']),
        ("status:active", ["addresses whose status is active"]),
        ("in:10.0.0.0/8", ["everything in 10.0.0.0/8"]),
        ("ip:10.0.0.1", ["addresses in 10.0.0.1/32"]),
        ("network:10.0.0.0/8", ["the subnet 10.0.0.0/8"]),
        ("mac:001a2", ["the MAC address begins with 00:1A:2"]),
        ("free:>50", ["subnets whose number of free addresses is >50"]),
        ("vlan:0120", ['in the VLAN "120"']),
        ('vlan:"120"', ['in the VLAN "120"']),
        ("vlan:Guests", ['in the VLAN "guests"']),
        ("vrf:65000:1", ['in the VRF "65000:1"']),
        ("section:DMZ", ['in the folder "dmz"']),
        ('folder:"Head Office"', ['in the folder "head office"']),
        ("https://x", ['any text contains "https://x"']),
    ],
)  # fmt: skip
def test_a_term_may_mean(query: str, expected: list[str]) -> None:
    """Each term has these readings."""
    assert meanings(query) == [expected]


def test_terms_stand_apart() -> None:
    """Spaces part terms, except in quotes."""
    terms = parse('a  "b c" hostname:"d e"\tf', statuses=STATUSES)
    assert [term.text for term in terms] == ["a", '"b c"', 'hostname:"d e"', "f"]


def test_a_field_that_nearly_is_one_is_a_text_with_a_hint() -> None:
    """Who mistypes a field is told."""
    [term] = parse("hostnam:web", statuses=STATUSES)
    assert term.hint == 'did you mean "hostname"?'


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("", "say what to search for"),
        (' "" ', "say what to search for"),
        ("x" * (LONGEST + 1), "at most 1,000 characters"),
        ("x " * 17, "at most 16 terms"),
        ("a\0b", "NUL"),
        ("hostname:", "after hostname:"),
        ("vlan:", "after vlan:"),
        ("status:activ", 'did you mean "active"'),
        ("in:web", "10.0.0.0/8"),
        ("network:10.0.0.0", "10.0.0.0/8"),
        ("mac:xyz", "00:1A:2B:3C:4D:5E"),
        ("free:many", ">50"),
        ("free:" + "9" * 41, ">50"),
    ],
)
def test_what_cannot_be_meant_is_refused(query: str, complaint: str) -> None:
    """The sentence says what is wrong, and with which field of the request."""
    with pytest.raises(Invalid, match=complaint) as refusal:
        parse(query, statuses=STATUSES)
    assert set(refusal.value.fields or {}) == {"q"}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(query: str) -> None:
    """Whatever is typed has a meaning, or is refused in words."""
    try:
        terms = parse(query, statuses=STATUSES)
    except Invalid:
        return
    assert all(term.readings for term in terms)
