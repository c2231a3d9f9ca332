"""Histories of an inventory, compared step by step with a model of plain sets."""

from __future__ import annotations

import ipaddress
from typing import Any

import falcon.testing
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ipcraft.app import Application
from ipcraft.data.transactions import Transaction
from ipcraft.testing.organizations import make_organization
from ipcraft_ipam import address_lists, addresses, allocation, free_networks, subnet_lists
from ipcraft_ipam.networks import format_address
from ipcraft_ipam.verification import verify

from .inventory_model import Address, IPNetwork, Model, ModelSubnet, every
from .rows import inventory_rows

SPACES: tuple[IPNetwork, ...] = (
    ipaddress.ip_network("10.0.0.0/27"),
    ipaddress.ip_network("255.255.255.224/27"),
    ipaddress.ip_network("fd00::/123"),
    ipaddress.ip_network("::/123"),
)
"""Small networks, two of them at the ends of what there is."""

SHORTEST = 26
"""Subnets are two bits shorter than the space, up to single addresses."""


class History(RuleBasedStateMachine):
    """Do to an inventory and to its model the same."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.application = application
        self.organization = make_organization(application)
        self.client = self.organization.client
        self.model = Model()
        self.ids: dict[IPNetwork, str] = {}
        self.rows: dict[str, Any] = {}

    @initialize(space=st.sampled_from(SPACES), is_pool=st.booleans())
    def begin(self, space: IPNetwork, *, is_pool: bool) -> None:
        """Choose the space, and put a subnet around all of it."""
        self.space = space
        self.addresses = every(space)
        self.create(self.subnet(space, gateway=None, is_pool=is_pool))

    @rule(data=st.data(), is_pool=st.booleans())
    def create_subnet(self, data: st.DataObject, *, is_pool: bool) -> None:
        """Create a subnet anywhere in the space."""
        network = self.draw_network(data)
        gateway = data.draw(st.none() | st.sampled_from(self.addresses), label="gateway")
        self.create(self.subnet(network, gateway=gateway, is_pool=is_pool))

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def delete_subnet(self, data: st.DataObject) -> None:
        """Delete a subnet with everything in it; seldom the one around all."""
        networks = [each for each in self.ids if each != self.space] or list(self.ids)
        network = data.draw(st.sampled_from(networks), label="network")
        answer = self.client.delete(f"/api/v1/subnets/{self.ids[network]}")
        assert answer.status_code == 204
        self.model.remove(network)
        self.ids = {each: self.ids[each] for each in self.model.subnets}

    @rule(data=st.data(), parts=st.sampled_from([1, 2, 2, 2, 3, 4, 4, 8, 64]))
    @precondition(lambda self: self.ids)
    def split_subnet(self, data: st.DataObject, parts: int) -> None:
        """Split a subnet."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        allowed = self.model.may_split(network, parts)
        made = self.model.parts(network, parts)
        answer = self.post(f"{self.path(network)}/split", {"parts": parts}, allowed=allowed)
        if allowed:
            for part, shown in zip(made, answer.json, strict=True):
                self.add(part, shown)

    @rule(data=st.data(), changes_pool=st.booleans())
    @precondition(lambda self: self.ids)
    def change_subnet(self, data: st.DataObject, *, changes_pool: bool) -> None:
        """Give a subnet another gateway or none, or make it a pool or none."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        old = self.model.subnets[network]
        new = ModelSubnet(network, old.gateway, old.is_pool)
        body: dict[str, Any]
        if changes_pool:
            new.is_pool = data.draw(st.booleans(), label="is_pool")
            body = {"is_pool": new.is_pool}
        else:
            nearby = st.sampled_from(every(network)) | st.sampled_from(self.addresses)
            new.gateway = data.draw(st.none() | nearby, label="gateway")
            body = {"gateway": text(new.gateway)}
        allowed = self.model.may_become(new)
        answer = self.client.patch(self.path(network), json=body)
        self.check_answer(answer, 200 if allowed else 400)
        if allowed:
            self.model.subnets[network] = new
            assert answer.json["gateway"] == text(new.gateway)

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def assign(self, data: st.DataObject) -> None:
        """Assign a chosen address by way of any subnet."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        address = data.draw(
            st.sampled_from(every(network)) | st.sampled_from(self.addresses), label="address"
        )
        allowed = self.model.may_assign(network, address)
        self.post(f"{self.path(network)}/addresses", {"ip": str(address)}, allowed=allowed)
        if allowed:
            self.model.addresses.add(address)

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def assign_many(self, data: st.DataObject) -> None:
        """Assign a list of addresses: all or none."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        assignable = [a for a in every(network) if self.model.may_assign(network, a)]
        some = st.sampled_from(assignable or every(network))
        chosen = data.draw(st.lists(some, min_size=1, max_size=6), label="addresses")
        allowed = len(set(chosen)) == len(chosen) and bool(assignable)
        body = [{"ip": str(address)} for address in chosen]
        self.post(f"{self.path(network)}/addresses", body, allowed=allowed)
        if allowed:
            self.model.addresses.update(chosen)

    @rule(
        data=st.data(),
        strategy=st.sampled_from(["first", "last", "random"]),
        count=st.none() | st.integers(1, 6) | st.just(33),
    )
    @precondition(lambda self: self.ids)
    def take_addresses(self, data: st.DataObject, strategy: str, count: int | None) -> None:
        """Take the next addresses: all or none."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        free = self.model.free(network)
        body = {"strategy": strategy} | ({} if count is None else {"count": count})
        wanted = count or 1
        allowed = len(free) >= wanted
        answer = self.post(f"{self.path(network)}/first-free", body, allowed=allowed)
        if not allowed:
            assert answer.json["code"] == "subnet_full"
            return
        shown = answer.json if count else [answer.json]
        got = [ipaddress.ip_address(each["ip"]) for each in shown]
        assert len(set(got)) == wanted
        if strategy == "random":
            assert set(got) <= set(free)
        else:
            assert got == (free if strategy == "first" else free[::-1])[:wanted]
        self.model.addresses.update(got)

    @rule(data=st.data())
    @precondition(lambda self: self.model.addresses)
    def release(self, data: st.DataObject) -> None:
        """Release an address."""
        address = data.draw(st.sampled_from(sorted(self.model.addresses)), label="address")
        found = self.client.get("/api/v1/addresses", params={"ip": str(address)}).json
        assert len(found) == 1
        answer = self.client.delete(f"/api/v1/addresses/{found[0]['id']}")
        assert answer.status_code == 204
        self.model.addresses.remove(address)

    @rule(data=st.data(), longer=st.integers(1, 5))
    @precondition(lambda self: self.ids)
    def take_subnet(self, data: st.DataObject, longer: int) -> None:
        """Take the next subnet of a size."""
        network = data.draw(st.sampled_from(list(self.ids)), label="network")
        prefix_length = network.prefixlen + longer
        expected = None
        if prefix_length <= network.max_prefixlen:
            expected = self.model.first_free_network(network, prefix_length)
        answer = self.post(
            f"{self.path(network)}/first-free-subnet",
            {"prefix_length": prefix_length},
            allowed=expected is not None,
        )
        if expected is not None:
            assert answer.json["network"] == str(expected)
            self.add(ModelSubnet(expected), answer.json)

    @invariant()
    def inventory_is_as_modelled(self) -> None:
        """Parents, homes, usage and what is free are the model's; nothing drifts."""
        with self.application.storage.read(self.organization.id) as tx:
            rows = inventory_rows(tx)
            if rows == self.rows:
                return
            self.check_subnets(tx)
            self.check_addresses(tx)
            assert list(verify(tx)) == []
            self.rows = rows

    def check_subnets(self, tx: Transaction) -> None:
        """Compare the subnets, their usage and what is free in them."""
        stored = list(subnet_lists.walk(tx, {}, size=3))
        assert [str(subnet.network) for subnet, _ in stored] == [
            str(network)
            for network in sorted(
                self.model.subnets, key=lambda n: (n.network_address, n.prefixlen)
            )
        ]
        for subnet, usage in stored:
            network = ipaddress.ip_network(str(subnet.network))
            modelled = self.model.subnets[network]
            assert subnet.id == self.ids[network]
            parent = self.model.parent(network)
            assert subnet.parent_id == (self.ids[parent] if parent else "")
            assert usage.used == self.model.used(network)
            assert usage.total == len(modelled.usable())
            free = self.model.free(network)
            first = allocation.first_free(tx, subnet.id)
            assert text_of(first) == text(free[0] if free else None)
            for prefix_length in range(network.prefixlen + 1, network.max_prefixlen + 1):
                next_network = free_networks.first_free(tx, subnet.id, prefix_length)
                expected = self.model.first_free_network(network, prefix_length)
                assert str(next_network) == str(expected)

    def check_addresses(self, tx: Transaction) -> None:
        """Compare the addresses and their homes."""
        rows = address_lists.rows(tx, {}, limit=1000)
        found = [addresses.address(*row) for row in rows]
        homes = {format_address(each.ip): each.subnet_id for each in found}
        expected = {}
        for address in self.model.addresses:
            home = self.model.home(address)
            assert home is not None
            expected[str(address)] = self.ids[home]
        assert homes == expected

    def create(self, subnet: ModelSubnet) -> None:
        """Create a subnet if the model allows it."""
        allowed = self.model.may_create(subnet)
        body = {
            "network": str(subnet.network),
            "gateway": text(subnet.gateway),
            "is_pool": subnet.is_pool,
        }
        answer = self.post("/api/v1/subnets", body, allowed=allowed)
        if allowed:
            self.add(subnet, answer.json)

    def add(self, subnet: ModelSubnet, shown: dict[str, Any]) -> None:
        """Note a subnet that was made."""
        assert shown["network"] == str(subnet.network)
        self.ids[subnet.network] = shown["id"]
        self.model.subnets[subnet.network] = subnet

    def post(self, path: str, body: object, *, allowed: bool) -> falcon.testing.Result:
        """Send a POST that is allowed, or refused without a trace."""
        answer = self.client.post(path, json=body)
        self.check_answer(answer, 201 if allowed else 400)
        return answer

    def check_answer(self, answer: falcon.testing.Result, status: int) -> None:
        """Check the status; a refusal changes no row."""
        assert answer.status_code == status, answer.text
        if status == 400:
            with self.application.storage.read(self.organization.id) as tx:
                assert inventory_rows(tx) == self.rows

    def path(self, network: IPNetwork) -> str:
        """Give the path of a subnet."""
        return f"/api/v1/subnets/{self.ids[network]}"

    def subnet(self, network: IPNetwork, *, gateway: Address | None, is_pool: bool) -> ModelSubnet:
        """Make a subnet of the model."""
        return ModelSubnet(network, gateway, is_pool)

    def draw_network(self, data: st.DataObject) -> IPNetwork:
        """Draw a network in the space, or one around it."""
        address = data.draw(st.sampled_from(self.addresses), label="address")
        prefix_length = data.draw(
            st.integers(self.space.prefixlen - 1, self.space.max_prefixlen), label="prefix length"
        )
        return ipaddress.ip_network((address, prefix_length), strict=False)


def text(address: Address | None) -> str | None:
    """Write an address of the model."""
    return None if address is None else str(address)


def text_of(number: int | None) -> str | None:
    """Write an address of the inventory."""
    return None if number is None else format_address(number)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_every_history_is_as_modelled(application: Application) -> None:
    """Whatever is done in whatever order, the inventory is what plain sets say."""
    embedded = application.storage.name == "sqlite"
    run_state_machine_as_test(
        lambda: History(application),  # type: ignore[arg-type]  # Hypothesis takes any callable
        settings=settings(
            max_examples=40 if embedded else 12,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],  # pyright: ignore[reportArgumentType] # a metaclass iterates
        ),
    )
