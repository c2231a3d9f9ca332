"""Addresses over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import (
    Application,
    Identity,
    Invalid,
    Page,
    Reader,
    Row,
    load,
    load_one_or_many,
    send_list,
    stream_list,
)
from ipcraft_ipam import address_lists, addresses, bulk, subnets
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.fields import parse_mac_address
from ipcraft_ipam.networks import parse_address
from ipcraft_ipam.representation import address_object, listed_address
from ipcraft_ipam.resources.filters import given_filters
from ipcraft_ipam.resources.paging import PAGE_SIZE, pages
from ipcraft_ipam.schemas import AddressChange, NewAddress

_NEW = NewAddress()
_CHANGE = AddressChange()


class SubnetAddressesResource:
    """List and assign the addresses of a subnet."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """List all addresses in the subnet's network, those of its descendants included."""
        identity = req.context.identity
        page, filters = Page.of(req), _filters(req)
        if page.limit is None:
            with self._app.look(identity) as reader:
                subnet = subnets.get(reader, subnet_id)
            within = {"vrf_id": subnet.vrf_id, "within": subnet.network.span}
            _stream(self._app, identity, resp, filters={**filters, **within})
            return
        with self._app.look(identity) as reader:
            rows, total = address_lists.page_of_subnet(
                reader, subnet_id, filters, limit=page.limit, offset=page.offset
            )
        send_list(req, resp, rows=list(map(listed_address, rows)), page=page, total=total)

    def on_post(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Assign an address, or all of a list."""
        values = load_one_or_many(req, _NEW)
        identity = req.context.identity
        resp.status = falcon.HTTP_201
        if isinstance(values, list):
            made = self._app.transact(identity, lambda tx: bulk.create_many(tx, subnet_id, values))
            resp.media = [address_object(address) for address in made]
        else:
            made_one = self._app.transact(
                identity, lambda tx: addresses.create(tx, subnet_id, values)
            )
            resp.media = address_object(made_one)


class AddressesResource:
    """Find addresses in the whole organization."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the addresses that match every given filter, all without one."""
        identity = req.context.identity
        page, filters = Page.of(req), _filters(req)
        if page.limit is None:
            _stream(self._app, identity, resp, filters=filters)
            return
        with self._app.look(identity) as reader:
            rows, total = address_lists.page_of(
                reader, filters, limit=page.limit, offset=page.offset
            )
        send_list(req, resp, rows=list(map(listed_address, rows)), page=page, total=total)


class AddressResource:
    """Show, change and release one address."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
        """Show the address."""
        with self._app.look(req.context.identity) as reader:
            address = addresses.get(reader, address_id)
        resp.media = address_object(address)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
        """Change the given fields."""
        values = load(req, _CHANGE)
        address = self._app.transact(
            req.context.identity, lambda tx: addresses.change(tx, address_id, values)
        )
        resp.media = address_object(address)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
        """Release the address."""
        self._app.transact(req.context.identity, lambda tx: addresses.remove(tx, address_id))
        resp.status = falcon.HTTP_204


def _stream(
    app: Application, identity: Identity, resp: falcon.Response, *, filters: Mapping[str, Any]
) -> None:
    def read(tx: Reader, after: Row | None) -> list[Row]:
        return address_lists.rows(tx, filters, after=after or address_lists.START, limit=PAGE_SIZE)

    place = address_lists.place
    stream_list(resp, pages(app, identity, read=read, place=place, show=listed_address))


def _filters(req: falcon.Request) -> dict[str, Any]:
    filters = given_filters(req, address_lists.EQUAL)
    if "mac_address" in filters:
        filters["mac_address"] = parse_mac_address(filters["mac_address"])
    if filters.get("status", STATUSES[0]) not in STATUSES:
        raise Invalid.field("status", f"status must be one of {', '.join(STATUSES)}")
    ip = req.get_param("ip")
    if ip is not None:
        filters["ip"] = parse_address(ip)
    return filters
