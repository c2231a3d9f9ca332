"""The next subnet of a size: shown by GET, taken by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .answers import created, found, gone, refused, refused_field
from .inventory import Resource, add_section, add_subnet, add_subnets, children, subnet_of

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def path_of(subnet: Resource) -> str:
    """Give the path of the subnet's next subnet."""
    return f"/api/v1/subnets/{subnet['id']}/first-free-subnet"


def next_subnet(org: Org, subnet: Resource, prefix_length: int) -> str | None:
    """Ask which network of the size is the next."""
    answer = found(org.get(path_of(subnet), params={"prefix_length": prefix_length}))
    network: str | None = answer["network"]
    return network


NEXT: tuple[tuple[str, list[str], int, str | None], ...] = (
    ("10.0.1.0/24", [], 26, "10.0.1.0/26"),
    ("10.0.1.0/24", ["10.0.1.0/26"], 26, "10.0.1.64/26"),
    ("10.0.1.0/24", ["10.0.1.64/26"], 26, "10.0.1.0/26"),
    ("10.0.1.0/24", ["10.0.1.0/28"], 26, "10.0.1.64/26"),
    ("10.0.1.0/24", ["10.0.1.0/28"], 28, "10.0.1.16/28"),
    ("10.0.1.0/24", ["10.0.1.128/25"], 25, "10.0.1.0/25"),
    ("10.0.1.0/24", ["10.0.1.0/32"], 32, "10.0.1.1/32"),
    ("10.0.1.0/24", ["10.0.1.7/32", "10.0.1.136/29"], 25, None),
    ("10.0.1.0/24", ["10.0.1.0/25", "10.0.1.128/25"], 32, None),
    ("10.0.1.0/24", ["10.0.1.0/25", "10.0.1.0/26"], 26, "10.0.1.128/26"),
    ("10.0.0.0/8", ["10.0.0.0/9"], 16, "10.128.0.0/16"),
    ("10.0.0.0/8", [], 32, "10.0.0.0/32"),
    ("2001:db8::/32", [], 48, "2001:db8::/48"),
    ("2001:db8::/32", ["2001:db8::/48"], 48, "2001:db8:1::/48"),
    ("2001:db8::/32", ["2001:db8::/64"], 128, "2001:db8:0:1::/128"),
)


@pytest.mark.parametrize(("network", "taken", "prefix_length", "expected"), NEXT)
def test_the_next_subnet_is_the_lowest_that_fits(
    org: Org, network: str, taken: list[str], prefix_length: int, expected: str | None
) -> None:
    """The lowest aligned network of the size that touches no child is shown, or null."""
    subnet = add_subnet(org, network)
    add_subnets(org, taken)
    assert next_subnet(org, subnet, prefix_length) == expected


@pytest.mark.parametrize(("network", "taken", "prefix_length", "expected"), NEXT)
def test_what_is_shown_is_what_is_taken(
    org: Org, network: str, taken: list[str], prefix_length: int, expected: str | None
) -> None:
    """POST takes the network that GET shows."""
    subnet = add_subnet(org, network)
    add_subnets(org, taken)
    response = org.post(path_of(subnet), json={"prefix_length": prefix_length})
    if expected is None:
        refused(response)
    else:
        assert created(response)["network"] == expected


def test_the_answer_is_the_network_alone(org: Org) -> None:
    """GET answers `{"network": ...}`."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_subnet(org, "10.0.1.0/26")
    answer = found(org.get(path_of(subnet), params={"prefix_length": 26}))
    assert answer == {"network": "10.0.1.64/26"}


def test_showing_takes_nothing(org: Org) -> None:
    """GET twice shows the same network."""
    subnet = add_subnet(org, "10.0.1.0/24")
    assert next_subnet(org, subnet, 26) == next_subnet(org, subnet, 26) == "10.0.1.0/26"
    assert children(org, subnet) == []


def test_subnets_are_taken_one_after_the_other(org: Org) -> None:
    """Taken networks follow each other until the subnet is full."""
    subnet = add_subnet(org, "10.0.1.0/24")
    body = {"prefix_length": 26}
    taken = [created(org.post(path_of(subnet), json=body))["network"] for _ in range(4)]
    assert taken == ["10.0.1.0/26", "10.0.1.64/26", "10.0.1.128/26", "10.0.1.192/26"]
    assert children(org, subnet) == taken
    refused(org.post(path_of(subnet), json=body))
    assert children(org, subnet) == taken


def test_a_taken_subnet_has_the_fields_given(org: Org) -> None:
    """The body takes the fields of create-subnet; the answer is the subnet."""
    section = add_section(org, "Production")
    fields = {"name": "Web servers", "description": "Web tier", "section_id": section["id"]}
    parent = add_subnet(org, "10.0.1.0/24")
    made = created(org.post(path_of(parent), json={"prefix_length": 26, "is_pool": True, **fields}))
    assert {name: made[name] for name in fields} == fields
    assert made["is_pool"] is True
    assert subnet_of(org, made)["network"] == made["network"]


def test_a_subnet_of_a_deleted_child_is_next_again(org: Org) -> None:
    """Deleting a child frees its network."""
    made = add_subnets(org, ["10.0.1.0/24", "10.0.1.0/26", "10.0.1.64/26"])
    gone(org.delete(f"/api/v1/subnets/{made['10.0.1.0/26']['id']}"))
    assert next_subnet(org, made["10.0.1.0/24"], 26) == "10.0.1.0/26"


@pytest.mark.parametrize(
    ("network", "prefix_length"),
    [
        ("10.0.1.0/24", 33),
        ("10.0.1.0/24", 129),
        ("10.0.1.0/24", -1),
        ("2001:db8::/64", 129),
        ("10.0.1.0/24", 10**30),
    ],
)
def test_a_prefix_length_out_of_range_is_refused(
    org: Org, network: str, prefix_length: int
) -> None:
    """No network of the family is that small, or that large."""
    subnet = add_subnet(org, network)
    shown = org.get(path_of(subnet), params={"prefix_length": prefix_length})
    refused_field(shown, "prefix_length")
    taken = org.post(path_of(subnet), json={"prefix_length": prefix_length})
    refused_field(taken, "prefix_length")
    assert children(org, subnet) == []


@pytest.mark.parametrize("prefix_length", ["", "small", "26.0", "0x1a", "/26", "2 6"])
def test_a_prefix_length_of_no_form_is_refused(org: Org, prefix_length: str) -> None:
    """The parameter is a whole number."""
    subnet = add_subnet(org, "10.0.1.0/24")
    response = org.get(path_of(subnet), params={"prefix_length": prefix_length})
    refused_field(response, "prefix_length")


def test_the_prefix_length_is_required(org: Org) -> None:
    """Without the parameter there is nothing to look for."""
    refused_field(org.get(path_of(add_subnet(org, "10.0.1.0/24"))), "prefix_length")


@pytest.mark.parametrize("value", ["26", 26.5, True, None, [26]])
def test_a_prefix_length_of_a_wrong_type_is_refused(org: Org, value: object) -> None:
    """In a body the prefix length is a JSON integer."""
    subnet = add_subnet(org, "10.0.1.0/24")
    refused_field(org.post(path_of(subnet), json={"prefix_length": value}), "prefix_length")


@pytest.mark.parametrize("prefix_length", [24, 16, 0])
def test_nothing_larger_than_a_part_is_taken(org: Org, prefix_length: int) -> None:
    """The subnet itself and what is larger cannot be taken out of it."""
    subnet = add_subnet(org, "10.0.1.0/24")
    refused(org.post(path_of(subnet), json={"prefix_length": prefix_length}))
    assert children(org, subnet) == []


def test_the_network_cannot_be_given(org: Org) -> None:
    """Who takes the next network does not name it."""
    body = {"prefix_length": 26, "network": "10.0.1.0/26"}
    subnet = add_subnet(org, "10.0.1.0/24")
    refused_field(org.post(path_of(subnet), json=body), "network")
