"""Search: what `q` matches, and the shape of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .answers import found, refused_field
from .inventory import add_address, add_subnet

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org


def search(org: Org, query: str, **parameters: str) -> dict[str, Any]:
    """Search."""
    answer: dict[str, Any] = found(org.get("/api/v1/search", params={"q": query, **parameters}))
    return answer


def test_the_answer_has_the_documented_shape(org: Org) -> None:
    """Subnets with id, network, name; addresses with id, ip, hostname; keys of ours beside them."""
    subnet = add_subnet(org, "10.0.1.0/24", name="Web servers")
    address = add_address(org, subnet, "10.0.1.10", hostname="web-01.prod")
    answer = search(org, "web")
    [shown_subnet], [shown_address] = answer["subnets"], answer["addresses"]
    assert {name: shown_subnet[name] for name in ("id", "network", "name")} == {
        "id": subnet["id"], "network": "10.0.1.0/24", "name": "Web servers",
    }  # fmt: skip
    assert {name: shown_address[name] for name in ("id", "ip", "hostname")} == {
        "id": address["id"], "ip": "10.0.1.10", "hostname": "web-01.prod",
    }  # fmt: skip
    assert [term["term"] for term in answer["interpretation"]] == ["web"]


def test_any_substring_of_any_text_is_found(org: Org) -> None:
    """Of name, hostname, description, owner and status, in any case."""
    subnet = add_subnet(org, "10.0.1.0/24", name="Head Office")
    address = add_address(
        org, subnet, "10.0.1.10",
        hostname="Printer-7.example", description="Dritter Stock, Gäste", owner="Net Ops",
        status="reserved",
    )  # fmt: skip
    for query in ("inter-7", "gäste", "GÄSTE", "t op", "reserv", "PRINTER", "7"):
        found_ids = [each["id"] for each in search(org, f'"{query}"')["addresses"]]
        assert found_ids == [address["id"]], query
    assert [each["id"] for each in search(org, '"d off"')["subnets"]] == [subnet["id"]]


def test_at_most_limit_of_each_kind_are_given(org: Org) -> None:
    """50 without a limit."""
    subnet = add_subnet(org, "10.0.0.0/16")
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    bodies = [{"ip": f"10.0.1.{n}", "hostname": f"web-{n}"} for n in range(1, 61)]
    assert org.post(path, json=bodies).status_code == 201
    assert len(search(org, "web")["addresses"]) == 50
    assert len(search(org, "web", limit="7")["addresses"]) == 7
    assert len(search(org, "10.0.0.0/16", limit="60")["addresses"]) == 60


@pytest.mark.parametrize("query", ["", "x" * 1_001, "a " * 500])
def test_a_search_without_a_query_or_with_a_huge_one_is_refused(org: Org, query: str) -> None:
    """400, naming the parameter."""
    refused_field(org.get("/api/v1/search", params={"q": query}), "q")


def test_another_organization_finds_nothing(org: Org, other: Org) -> None:
    """Neither by text nor by address."""
    subnet = add_subnet(org, "10.0.1.0/24", name="Web")
    add_address(org, subnet, "10.0.1.10", hostname="web-01")
    for query in ("web", "w", "10.0.1.10", "10.0.1.0/24", "active"):
        answer = search(other, query)
        assert answer["subnets"] == answer["addresses"] == [], query
