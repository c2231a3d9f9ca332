"""Histories of an inventory, compared step by step with a model of plain sets."""

from __future__ import annotations

import ipaddress
from itertools import count
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
from ipcraft.events.sequences import Sequencer
from ipcraft.testing.organizations import make_organization
from ipcraft_ipam import (
    address_lists,
    addresses,
    allocation,
    free_networks,
    kept_sums,
    subnet_lists,
)
from ipcraft_ipam.kept_sums import KeptSums
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

VRFS = 3
"""Address spaces of the same addresses: the global VRF and others."""

Place = tuple[str | None, IPNetwork]
"""A VRF and a network in it."""

SHORTEST = 26
"""Subnets are two bits shorter than the space, up to single addresses."""


class History(RuleBasedStateMachine):
    """Do to an inventory and to its model the same."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.application = application
        self.organization = make_organization(application)
        self.client = self.organization.client
        self.vrfs: list[str | None] = [None]
        self.numbers = count(1)
        self.models: dict[str | None, Model] = {None: Model()}
        self.sums = KeptSums()
        self.ids: dict[Place, str] = {}
        self.rows: dict[str, Any] = {}

    @initialize(space=st.sampled_from(SPACES), is_pool=st.booleans())
    def begin(self, space: IPNetwork, *, is_pool: bool) -> None:
        """Choose the space, and put a subnet around all of it."""
        self.space = space
        self.addresses = every(space)
        self.create(None, ModelSubnet(space, is_pool=is_pool))

    @rule(is_empty=st.booleans())
    @precondition(lambda self: len(self.vrfs) < VRFS)
    def create_vrf(self, *, is_empty: bool) -> None:
        """Make another address space, often with a subnet around all of it."""
        answer = self.post("/api/v1/vrfs", {"name": f"VRF {next(self.numbers)}"}, allowed=True)
        vrf = answer.json["id"]
        self.vrfs.append(vrf)
        self.models[vrf] = Model()
        if not is_empty:
            self.create(vrf, ModelSubnet(self.space))

    @rule(data=st.data())
    @precondition(lambda self: len(self.vrfs) > 1)
    def delete_vrf(self, data: st.DataObject) -> None:
        """Delete a VRF, if nothing is in it."""
        vrf = data.draw(st.sampled_from(self.vrfs[1:]), label="VRF")
        allowed = not self.models[vrf].subnets
        answer = self.client.delete(f"/api/v1/vrfs/{vrf}")
        self.check_answer(answer, 204 if allowed else 400)
        if allowed:
            self.vrfs.remove(vrf)
            del self.models[vrf]

    @rule(data=st.data(), is_pool=st.booleans())
    def create_subnet(self, data: st.DataObject, *, is_pool: bool) -> None:
        """Create a subnet anywhere in the space."""
        vrf = data.draw(st.sampled_from(self.vrfs), label="VRF")
        network = self.draw_network(data)
        gateway = data.draw(st.none() | st.sampled_from(self.addresses), label="gateway")
        self.create(vrf, ModelSubnet(network, gateway, is_pool))

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def delete_subnet(self, data: st.DataObject) -> None:
        """Delete a subnet with everything in it; seldom the one around all."""
        places = [each for each in self.ids if each[1] != self.space] or list(self.ids)
        vrf, network = data.draw(st.sampled_from(places), label="place")
        answer = self.client.delete(self.path((vrf, network)))
        assert answer.status_code == 204
        self.models[vrf].remove(network)
        self.ids = {
            (each, inside): identifier
            for (each, inside), identifier in self.ids.items()
            if inside in self.models[each].subnets
        }

    @rule(data=st.data(), parts=st.sampled_from([1, 2, 2, 2, 3, 4, 4, 8, 64]))
    @precondition(lambda self: self.ids)
    def split_subnet(self, data: st.DataObject, parts: int) -> None:
        """Split a subnet."""
        place, model = self.draw_place(data)
        network = place[1]
        allowed = model.may_split(network, parts)
        made = model.parts(network, parts)
        answer = self.post(f"{self.path(place)}/split", {"parts": parts}, allowed=allowed)
        if allowed:
            for part, shown in zip(made, answer.json, strict=True):
                self.add(place[0], part, shown)

    @rule(data=st.data(), changes_pool=st.booleans())
    @precondition(lambda self: self.ids)
    def change_subnet(self, data: st.DataObject, *, changes_pool: bool) -> None:
        """Give a subnet another gateway or none, or make it a pool or none."""
        place, model = self.draw_place(data)
        network = place[1]
        old = model.subnets[network]
        new = ModelSubnet(network, old.gateway, old.is_pool)
        body: dict[str, Any]
        if changes_pool:
            new.is_pool = data.draw(st.booleans(), label="is_pool")
            body = {"is_pool": new.is_pool}
        else:
            nearby = st.sampled_from(every(network)) | st.sampled_from(self.addresses)
            new.gateway = data.draw(st.none() | nearby, label="gateway")
            body = {"gateway": text(new.gateway)}
        allowed = model.may_become(new)
        answer = self.client.patch(self.path(place), json=body)
        self.check_answer(answer, 200 if allowed else 400)
        if allowed:
            model.subnets[network] = new
            assert answer.json["gateway"] == text(new.gateway)

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def assign(self, data: st.DataObject) -> None:
        """Assign a chosen address by way of any subnet."""
        place, model = self.draw_place(data)
        network = place[1]
        address = data.draw(
            st.sampled_from(every(network)) | st.sampled_from(self.addresses), label="address"
        )
        allowed = model.may_assign(network, address)
        self.post(f"{self.path(place)}/addresses", {"ip": str(address)}, allowed=allowed)
        if allowed:
            model.addresses.add(address)

    @rule(data=st.data())
    @precondition(lambda self: self.ids)
    def assign_many(self, data: st.DataObject) -> None:
        """Assign a list of addresses: all or none."""
        place, model = self.draw_place(data)
        network = place[1]
        assignable = [a for a in every(network) if model.may_assign(network, a)]
        some = st.sampled_from(assignable or every(network))
        chosen = data.draw(st.lists(some, min_size=1, max_size=6), label="addresses")
        allowed = len(set(chosen)) == len(chosen) and bool(assignable)
        body = [{"ip": str(address)} for address in chosen]
        self.post(f"{self.path(place)}/addresses", body, allowed=allowed)
        if allowed:
            model.addresses.update(chosen)

    @rule(
        data=st.data(),
        strategy=st.sampled_from(["first", "last", "random"]),
        count=st.none() | st.integers(1, 6) | st.just(33),
    )
    @precondition(lambda self: self.ids)
    def take_addresses(self, data: st.DataObject, strategy: str, count: int | None) -> None:
        """Take the next addresses: all or none."""
        place, model = self.draw_place(data)
        network = place[1]
        free = model.free(network)
        body = {"strategy": strategy} | ({} if count is None else {"count": count})
        wanted = count or 1
        allowed = len(free) >= wanted
        answer = self.post(f"{self.path(place)}/first-free", body, allowed=allowed)
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
        model.addresses.update(got)

    @rule(data=st.data())
    @precondition(lambda self: self.assigned())
    def release(self, data: st.DataObject) -> None:
        """Release an address."""
        vrf, address = data.draw(st.sampled_from(self.assigned()), label="address")
        params = {"ip": str(address)}
        everywhere = self.client.get("/api/v1/addresses", params=params).json
        assert {each["vrf_id"] for each in everywhere} == {
            each for each, other in self.assigned() if other == address
        }
        found = self.client.get("/api/v1/addresses", params={**params, "vrf_id": vrf or ""}).json
        assert found == [each for each in everywhere if each["vrf_id"] == vrf]
        answer = self.client.delete(f"/api/v1/addresses/{found[0]['id']}")
        assert answer.status_code == 204
        self.models[vrf].addresses.remove(address)

    @rule(data=st.data(), longer=st.integers(1, 5))
    @precondition(lambda self: self.ids)
    def take_subnet(self, data: st.DataObject, longer: int) -> None:
        """Take the next subnet of a size."""
        place, model = self.draw_place(data)
        network = place[1]
        prefix_length = network.prefixlen + longer
        expected = None
        if prefix_length <= network.max_prefixlen:
            expected = model.first_free_network(network, prefix_length)
        answer = self.post(
            f"{self.path(place)}/first-free-subnet",
            {"prefix_length": prefix_length},
            allowed=expected is not None,
        )
        if expected is not None:
            assert answer.json["network"] == str(expected)
            self.add(place[0], ModelSubnet(expected), answer.json)

    @rule()
    def number_events(self) -> None:
        """Give the events that happened their sequence."""
        app = self.application
        Sequencer(app.storage, sinks=[], clock=app.clock, tell=lambda: None).run()

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
        assert [(subnet.vrf_id or None, str(subnet.network)) for subnet, _ in stored] == [
            (vrf, str(network))
            for vrf in self.vrfs
            for network in sorted(
                self.models[vrf].subnets, key=lambda n: (n.network_address, n.prefixlen)
            )
        ]
        for subnet, usage in stored:
            vrf, network = subnet.vrf_id or None, ipaddress.ip_network(str(subnet.network))
            model = self.models[vrf]
            modelled = model.subnets[network]
            assert subnet.id == self.ids[vrf, network]
            parent = model.parent(network)
            assert subnet.parent_id == (self.ids[vrf, parent] if parent else "")
            assert usage.used == model.used(network)
            with self.application.storage.look(self.organization.id) as reader:
                assert self.sums.usage(reader, subnet.id) == usage
            assert usage.total == len(modelled.usable())
            free = model.free(network)
            first = allocation.first_free(tx, subnet.id)
            assert text_of(first) == text(free[0] if free else None)
            for prefix_length in range(network.prefixlen + 1, network.max_prefixlen + 1):
                next_network = free_networks.first_free(tx, subnet.id, prefix_length)
                expected = model.first_free_network(network, prefix_length)
                assert str(next_network) == str(expected)

    def check_addresses(self, tx: Transaction) -> None:
        """Compare the addresses and their homes."""
        rows = address_lists.rows(tx, {}, limit=1000)
        found = [addresses.address(*row) for row in rows]
        homes = {(each.vrf_id or None, format_address(each.ip)): each.subnet_id for each in found}
        expected = {}
        for vrf, address in self.assigned():
            home = self.models[vrf].home(address)
            assert home is not None
            expected[vrf, str(address)] = self.ids[vrf, home]
        assert homes == expected

    def create(self, vrf: str | None, subnet: ModelSubnet) -> None:
        """Create a subnet if the model allows it."""
        allowed = self.models[vrf].may_create(subnet)
        body = {
            "vrf_id": vrf,
            "network": str(subnet.network),
            "gateway": text(subnet.gateway),
            "is_pool": subnet.is_pool,
        }
        answer = self.post("/api/v1/subnets", body, allowed=allowed)
        if allowed:
            self.add(vrf, subnet, answer.json)

    def add(self, vrf: str | None, subnet: ModelSubnet, shown: dict[str, Any]) -> None:
        """Note a subnet that was made."""
        assert (shown["network"], shown["vrf_id"]) == (str(subnet.network), vrf)
        self.ids[vrf, subnet.network] = shown["id"]
        self.models[vrf].subnets[subnet.network] = subnet

    def assigned(self) -> list[tuple[str | None, Address]]:
        """Give every address that is assigned, and its VRF."""
        return [
            (vrf, address) for vrf in self.vrfs for address in sorted(self.models[vrf].addresses)
        ]

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

    def path(self, place: Place) -> str:
        """Give the path of a subnet."""
        return f"/api/v1/subnets/{self.ids[place]}"

    def draw_place(self, data: st.DataObject) -> tuple[Place, Model]:
        """Draw a subnet, and give its VRF's model too."""
        place = data.draw(st.sampled_from(list(self.ids)), label="place")
        return place, self.models[place[0]]

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
def test_every_history_is_as_modelled(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is done in whatever order, the inventory is what plain sets say."""
    monkeypatch.setattr(kept_sums, "_MANY", 0)
    monkeypatch.setattr(kept_sums, "_CHANGES_PER_COUNTER", 8)
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
