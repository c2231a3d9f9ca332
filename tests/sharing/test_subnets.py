"""Subnets that several requests create in one transaction: one tree, as if one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from ipcraft.data.shared_transactions import SharedTransactions
from ipcraft.plugin import Application, Identity, LimitReached, Transaction
from ipcraft.testing import Organization, make_organization
from ipcraft_ipam import addresses, hierarchy, removal, splitting, subnets
from ipcraft_ipam.networks import parse_address, parse_network
from ipcraft_ipam.verification import verify

from .gathering import Gathering, refusals, results, sender

FREE = 100
"""Subnets that the plan `free` includes."""
NESTED = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24")


@dataclass
class Changing:
    """Do something else to a subnet, as a plugin's hook may."""

    change: Callable[[Transaction], object]
    order: str = ""

    def begin(self, tx: Transaction) -> None:
        """Ask nothing."""

    def finish(self, tx: Transaction) -> None:
        """Do it."""
        self.change(tx)


@pytest.fixture(autouse=True)
def truth(way: Gathering, identity: Identity) -> Iterator[None]:
    """Recount everything after each test."""
    yield
    with way.app.read(identity) as tx:
        assert list(verify(tx)) == []


def creations(*networks: str, **values: Any) -> dict[str, hierarchy.Creation]:
    """Create subnets of these networks."""
    return {
        str(number): hierarchy.Creation(parse_network(network), values)
        for number, network in enumerate(networks)
    }


def parents(way: Gathering, identity: Identity, networks: Sequence[str]) -> list[str | None]:
    """Give the network of the parent of each subnet."""
    with way.app.read(identity) as tx:
        found = {network: subnets.container(tx, "", parse_network(network)) for network in networks}
        of_id = {subnet.id: network for network, subnet in found.items() if subnet}
        return [of_id.get(subnet.parent_id) if subnet else "?" for subnet in found.values()]


def codes(sent: Any) -> list[str | None]:
    """Give the code of each refusal, None for what was done."""
    return [getattr(error, "code", None) for error in refusals(sent)]


def test_they_are_created_in_one_transaction(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """Beside each other, each gets its own."""
    networks = [f"10.0.{number}.0/24" for number in range(6)]
    sent = way.together(identity, creations(*networks))
    assert [str(subnet.network) for subnet, _ in results(sent)] == networks
    assert transactions == [1, 1]  # the one that was held, and the one for all


@pytest.mark.parametrize("networks", list(permutations(NESTED)))
def test_they_are_nested_in_each_other(
    way: Gathering, identity: Identity, transactions: list[int], networks: Sequence[str]
) -> None:
    """Whichever comes first, and without another transaction."""
    results(way.together(identity, creations(*networks)))
    assert parents(way, identity, NESTED) == [None, *NESTED[:-1]]
    assert transactions == [1, 1]


@pytest.mark.parametrize("is_split", [True, False])
def test_they_know_what_else_has_changed(
    way: Gathering,
    identity: Identity,
    transactions: list[int],
    is_split: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Their parent may have been split or deleted, in the same transaction."""
    outer, inner, new = NESTED
    results(way.together(identity, creations(outer, inner)))
    with way.app.read(identity) as tx:
        found = subnets.container(tx, "", parse_network(inner))
    assert found is not None
    subnet_id = found.id

    def change(tx: Transaction) -> None:
        if is_split:
            splitting.split(tx, subnet_id, 2)
        else:
            removal.remove(tx, subnet_id)

    transactions.clear()
    sent = way.together(identity, {"change": Changing(change), **creations(new)})
    _, (subnet, _) = results(sent)
    with way.app.read(identity) as tx:
        parent = subnets.get(tx, subnet.parent_id)
    assert str(parent.network) == ("10.1.0.0/17" if is_split else outer)
    assert transactions == [1, 1]


def test_a_network_is_created_once(way: Gathering, identity: Identity) -> None:
    """The others are told that it exists."""
    sent = way.together(identity, creations(*["10.0.0.0/24"] * 3, "10.0.1.0/24"))
    assert codes(sent) == [None, "subnet_overlap", "subnet_overlap", None]


def test_each_vrf_has_a_tree_of_its_own(
    way: Gathering, identity: Identity, organization: Organization
) -> None:
    """A network of another VRF contains nothing here."""
    vrf_id = organization.client.post("/api/v1/vrfs", json={"name": "blue"}).json["id"]
    blue = hierarchy.Creation(parse_network("10.0.0.0/8"), {"vrf_id": vrf_id})
    sent = way.together(identity, {"blue": blue, **creations("10.1.0.0/16")})
    assert [subnet.parent_id for subnet, _ in results(sent)] == ["", ""]


def test_they_share_the_addresses_that_are_there(way: Gathering, identity: Identity) -> None:
    """Each gets its own; one of which an address would become the edge is refused alone."""
    hosts = ("10.0.0.9", "10.0.1.9", "10.0.2.255")

    def fill(tx: Any) -> None:
        root, _ = hierarchy.create(tx, parse_network("10.0.0.0/16"), {})
        for host in hosts:
            addresses.create(tx, root.id, {"ip": parse_address(host)})

    way.app.transact(identity, fill)
    networks = ("10.0.0.0/24", "10.0.2.0/24", "10.0.1.0/24", "10.0.0.8/29")
    sent = way.together(identity, creations(*networks))
    assert codes(sent) == [None, "address_on_edge", None, None]
    done = [each.result() for each in sent.values() if each.exception() is None]
    assert [used for _, used in done] == [1, 1, 1]


def test_a_plan_holds(way: Gathering, application: Application) -> None:
    """As many are created as the plan includes, and the others are told so."""
    identity = sender(make_organization(application, plan="free"))
    networks = [parse_network(f"10.0.{number}.0/24") for number in range(FREE - 3)]

    def fill(tx: Any) -> None:
        for network in networks:
            hierarchy.create(tx, network, {})

    way.app.transact(identity, fill)
    sent = way.together(identity, creations(*(f"10.1.{number}.0/24" for number in range(5))))
    refused = [error for error in refusals(sent) if error is not None]
    assert [type(error) for error in refused] == [LimitReached] * 2


def test_no_address_comes_or_goes_beside_them(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes an address is told where by a tree that nobody in his transaction changes."""
    lines: list[str] = []
    run = SharedTransactions.run

    def noted(self: SharedTransactions, *arguments: Any, line: str) -> Any:
        lines.append(line)
        return run(self, *arguments, line=line)

    monkeypatch.setattr(SharedTransactions, "run", noted)
    path = "/api/v1/subnets"
    subnet = organization.client.post(path, json={"network": "10.0.0.0/24"}).json
    organization.client.post(f"{path}/{subnet['id']}/first-free", json={})
    of_subnets, of_addresses = lines
    assert of_subnets != of_addresses


def test_over_http(organization: Organization) -> None:
    """A request that shares a transaction answers as one that does not."""
    path, body = "/api/v1/subnets", {"network": "10.0.0.0/24", "name": "office"}
    made = organization.client.post(path, json=body)
    assert (made.status_code, made.json["name"], made.json["utilization"]) == (201, "office", 0)
    again = organization.client.post(path, json=body)
    assert (again.status_code, again.json["code"]) == (400, "subnet_overlap")
