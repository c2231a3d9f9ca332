"""The next address and the next subnet over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import Application, Body, Transaction, operation
from ipcraft_ipam import allocation, free_networks
from ipcraft_ipam.networks import format_address
from ipcraft_ipam.representation import (
    AddressObject,
    FreeAddressObject,
    FreeNetworkObject,
    SubnetObject,
    address_object,
    subnet_object,
)
from ipcraft_ipam.schemas import NextAddresses, NextSubnet, NextSubnetQuery
from ipcraft_ipam.strategies import AllocationStrategy, named
from ipcraft_ipam.subnets import Subnet


class FirstFreeResource:
    """Look at the next free address, or take it."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._strategies: Mapping[str, AllocationStrategy] = app.registry.named(
            "ipcraft_allocation_strategies", kind=AllocationStrategy, app=app
        )

    @operation(answers={200: FreeAddressObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show the lowest free address, or null."""
        with self._app.look(req.context.identity) as reader:
            ip = allocation.first_free(reader, subnet_id)
        resp.media = {"ip": None if ip is None else format_address(ip)}

    @operation(
        body=Body(NextAddresses(), optional=True),
        answers={201: AddressObject | list[AddressObject]},
    )
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, body: dict[str, Any]
    ) -> None:
        """Take the next address, or with `count` so many of them."""
        strategy = named(self._strategies, body.pop("strategy", "first"))
        count = body.pop("count", None)
        taking = allocation.Taking(subnet_id, body, strategy=strategy, count=count or 1)
        taken = self._app.transact_shared(req.context.identity, taking)
        objects = [address_object(address) for address in taken]
        resp.status = falcon.HTTP_201
        resp.media = objects[0] if count is None else objects


class FirstFreeSubnetResource:
    """Look at the next free network of a size, or take it."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=NextSubnetQuery(), answers={200: FreeNetworkObject})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, query: dict[str, Any]
    ) -> None:
        """Show the lowest free network of `prefix_length`, or null."""
        with self._app.read(req.context.identity) as tx:
            network = free_networks.first_free(tx, subnet_id, query["prefix_length"])
        resp.media = {"network": None if network is None else str(network)}

    @operation(body=NextSubnet(), answers={201: SubnetObject})
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, body: dict[str, Any]
    ) -> None:
        """Create the lowest free network of `prefix_length` as a subnet."""
        prefix_length = body.pop("prefix_length")

        def take(tx: Transaction) -> tuple[Subnet, int]:
            return free_networks.take(tx, subnet_id, prefix_length, body)

        subnet, used = self._app.transact(req.context.identity, take)
        resp.status = falcon.HTTP_201
        resp.media = subnet_object(subnet, subnet.usage(used))
