"""The strategy and the route, through the API."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ipcraft.testing import Client, Organization

LARGEST_IPV6_COUNT = 2**64 - 1


@pytest.fixture
def client(organization: Organization) -> Client:
    """Give a client that may write."""
    return organization.client


def test_an_empty_subnet_is_begun_in_its_middle(client: Client) -> None:
    """The first address has half the subnet on either side."""
    subnet = _subnet(client, "10.0.0.0/24")
    assert _take(client, subnet) == "10.0.0.127"


def test_many_at_once_halve_the_gaps(client: Client) -> None:
    """With `count`, each address goes into what is the widest gap after the one before."""
    subnet = _subnet(client, "10.0.0.0/24")
    assert _take(client, subnet, count=3) == ["10.0.0.127", "10.0.0.191", "10.0.0.63"]


def test_one_by_one_keeps_room(client: Client) -> None:
    """Seven addresses of a /24 are at least 31 apart, whoever takes them."""
    subnet = _subnet(client, "10.0.0.0/24")
    taken = sorted(int(_take(client, subnet).rpartition(".")[2]) for _ in range(7))
    assert min(after - before for before, after in itertools.pairwise(taken)) >= 31


def test_the_gateway_is_passed_over(client: Client) -> None:
    """The middle of the subnet stays its gateway's."""
    subnet = _subnet(client, "10.0.0.0/29", gateway="10.0.0.3")
    assert _take(client, subnet, count=5) == [
        "10.0.0.5",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.4",
        "10.0.0.6",
    ]


def test_every_address_is_found(client: Client) -> None:
    """A subnet with more gaps than are compared is filled to its last address, none twice."""
    subnet = _subnet(client, "10.0.0.0/24")
    taken = [_take(client, subnet) for _ in range(100)]
    for _ in range(7):
        taken += _take(client, subnet, count=22)
    assert len(set(taken)) == 254
    answer = _post(client, subnet, {"strategy": "sparse"})
    assert (answer.status_code, answer.json["code"]) == (400, "subnet_full")


def test_a_huge_subnet_has_a_middle(client: Client) -> None:
    """An IPv6 subnet costs no more than another."""
    subnet = _subnet(client, "2001:db8::/64")
    assert _take(client, subnet) == "2001:db8:0:0:8000::"


def test_gaps_are_what_is_free(client: Client) -> None:
    """The route lists the spans between the addresses, the gateway and the subnet's ends."""
    subnet = _subnet(client, "10.0.0.0/28", gateway="10.0.0.1")
    _take(client, subnet)
    assert client.get(_gaps(subnet)).json == [
        {"first": "10.0.0.2", "last": "10.0.0.7", "size": 6},
        {"first": "10.0.0.9", "last": "10.0.0.14", "size": 6},
    ]


def test_gaps_go_on_from_an_address(client: Client) -> None:
    """`start` leaves out what lies below, also of the span it is in."""
    subnet = _subnet(client, "10.0.0.0/28")
    assert client.get(_gaps(subnet), params={"start": "10.0.0.9"}).json == [
        {"first": "10.0.0.9", "last": "10.0.0.14", "size": 6}
    ]


def test_a_gap_may_be_larger_than_a_machine_word(client: Client) -> None:
    """The size of an IPv6 gap is exact."""
    subnet = _subnet(client, "2001:db8::/64")
    assert client.get(_gaps(subnet)).json == [
        {
            "first": "2001:db8::1",
            "last": "2001:db8::ffff:ffff:ffff:ffff",
            "size": LARGEST_IPV6_COUNT,
        }
    ]


def test_a_start_that_is_no_address_is_refused(client: Client) -> None:
    """The refusal names the parameter."""
    subnet = _subnet(client, "10.0.0.0/28")
    answer = client.get(_gaps(subnet), params={"start": "here"})
    assert answer.status_code == 400
    assert answer.json["fields"] == {"start": ["'here' is not an IPv4 or IPv6 address"]}


def test_gaps_of_no_subnet_are_not_found(client: Client) -> None:
    """An unknown subnet answers 404."""
    assert client.get(_gaps("sub_01jx0000000000000000000000")).status_code == 404


def _subnet(client: Client, network: str, **fields: str) -> str:
    answer = client.post("/api/v1/subnets", json={"network": network, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def _take(client: Client, subnet: str, count: int | None = None) -> Any:
    counted = {} if count is None else {"count": count}
    answer = _post(client, subnet, {"strategy": "sparse", **counted})
    assert answer.status_code == 201, answer.text
    return answer.json["ip"] if count is None else [each["ip"] for each in answer.json]


def _post(client: Client, subnet: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/subnets/{subnet}/first-free", json=body)


def _gaps(subnet: str) -> str:
    return f"/api/v1/subnets/{subnet}/gaps"
