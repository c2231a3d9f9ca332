"""Addresses over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import (
    Application,
    Body,
    Identity,
    Page,
    Paging,
    Reader,
    Row,
    operation,
    send_list,
    stream_list,
)
from ipcraft_ipam import address_lists, addresses, bulk, subnets
from ipcraft_ipam.representation import AddressObject, address_object, listed_address
from ipcraft_ipam.resources.paging import PAGE_SIZE, pages
from ipcraft_ipam.schemas import AddressChange, AddressesQuery, NewAddress


class SubnetAddressesResource:
    """List and assign the addresses of a subnet."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=AddressesQuery(), page=Paging(), answers={200: list[AddressObject]})
    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        subnet_id: str,
        *,
        query: dict[str, Any],
        page: Page,
    ) -> None:
        """List all addresses in the subnet's network, those of its descendants included."""
        identity = req.context.identity
        if page.limit is None:
            with self._app.look(identity) as reader:
                subnet = subnets.get(reader, subnet_id)
            if query.setdefault("vrf_id", subnet.vrf_id) != subnet.vrf_id:
                stream_list(resp, iter(()))
            else:
                filters = {**query, "within": subnet.network.span}
                _stream(self._app, identity, resp, filters=filters)
            return
        with self._app.look(identity) as reader:
            rows, total = address_lists.page_of_subnet(
                reader, subnet_id, query, limit=page.limit, offset=page.offset
            )
        send_list(req, resp, rows=list(map(listed_address, rows)), page=page, total=total)

    @operation(
        body=Body(NewAddress(), many=True),
        answers={201: AddressObject | list[AddressObject]},
    )
    def on_post(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        subnet_id: str,
        *,
        body: dict[str, Any] | list[dict[str, Any]],
    ) -> None:
        """Assign an address, or all of a list."""
        identity = req.context.identity
        resp.status = falcon.HTTP_201
        if isinstance(body, list):
            made = self._app.transact(identity, lambda tx: bulk.create_many(tx, subnet_id, body))
            resp.media = [address_object(address) for address in made]
        else:
            made_one = self._app.transact_shared(identity, addresses.Creation(subnet_id, body))
            resp.media = address_object(made_one)


class AddressesResource:
    """Find addresses in the whole organization."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=AddressesQuery(), page=Paging(), answers={200: list[AddressObject]})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any], page: Page
    ) -> None:
        """List the addresses that match every given filter, all without one."""
        identity = req.context.identity
        if page.limit is None:
            _stream(self._app, identity, resp, filters=query)
            return
        with self._app.look(identity) as reader:
            rows, total = address_lists.page_of(reader, query, limit=page.limit, offset=page.offset)
        send_list(req, resp, rows=list(map(listed_address, rows)), page=page, total=total)


class AddressResource:
    """Show, change and release one address."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: AddressObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
        """Show the address."""
        with self._app.look(req.context.identity) as reader:
            address = addresses.get(reader, address_id)
        resp.media = address_object(address)

    @operation(body=AddressChange(), answers={200: AddressObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, address_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields."""
        address = self._app.transact(
            req.context.identity, lambda tx: addresses.change(tx, address_id, body)
        )
        resp.media = address_object(address)

    @operation(answers={204: None})
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
