"""The next address and the next subnet over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import Application, Invalid, Transaction, load
from ipcraft_ipam import allocation, free_networks
from ipcraft_ipam.networks import format_address
from ipcraft_ipam.representation import address_object, subnet_object
from ipcraft_ipam.schemas import NextAddresses, NextSubnet
from ipcraft_ipam.strategies import AllocationStrategy, named
from ipcraft_ipam.subnets import Subnet

_NEXT = NextAddresses()
_NEXT_SUBNET = NextSubnet()


class FirstFreeResource:
    """Look at the next free address, or take it."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._strategies: Mapping[str, AllocationStrategy] = app.registry.named(
            "ipcraft_allocation_strategies", kind=AllocationStrategy, app=app
        )

    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show the lowest free address, or null."""
        with self._app.look(req.context.identity) as reader:
            ip = allocation.first_free(reader, subnet_id)
        resp.media = {"ip": None if ip is None else format_address(ip)}

    def on_post(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Take the next address, or with `count` so many of them."""
        fields = load(req, _NEXT, optional=True)
        strategy = named(self._strategies, fields.pop("strategy", "first"))
        count = fields.pop("count", None)
        taken = self._app.transact(
            req.context.identity,
            lambda tx: allocation.take(tx, subnet_id, fields, strategy=strategy, count=count or 1),
        )
        objects = [address_object(address) for address in taken]
        resp.status = falcon.HTTP_201
        resp.media = objects[0] if count is None else objects


class FirstFreeSubnetResource:
    """Look at the next free network of a size, or take it."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show the lowest free network of `prefix_length`, or null."""
        prefix_length = _prefix_length(req)
        with self._app.read(req.context.identity) as tx:
            network = free_networks.first_free(tx, subnet_id, prefix_length)
        resp.media = {"network": None if network is None else str(network)}

    def on_post(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Create the lowest free network of `prefix_length` as a subnet."""
        fields = load(req, _NEXT_SUBNET)
        prefix_length = fields.pop("prefix_length")

        def take(tx: Transaction) -> tuple[Subnet, int]:
            return free_networks.take(tx, subnet_id, prefix_length, fields)

        subnet, used = self._app.transact(req.context.identity, take)
        resp.status = falcon.HTTP_201
        resp.media = subnet_object(subnet, subnet.usage(used))


def _prefix_length(req: falcon.Request) -> int:
    text: Any = req.get_param("prefix_length")
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise Invalid.field(
            "prefix_length", "prefix_length must be an integer, like ?prefix_length=26"
        )
    return int(text)
