"""Subnets over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from ipcraft.plugin import (
    Application,
    Body,
    Page,
    Paging,
    Reader,
    Row,
    Transaction,
    operation,
    send_list,
    stream_list,
)
from ipcraft_ipam import editing, hierarchy, removal, splitting, subnet_lists, subnets
from ipcraft_ipam.bulk import with_index
from ipcraft_ipam.kept_sums import KeptSums
from ipcraft_ipam.networks import Network
from ipcraft_ipam.representation import (
    ParentObject,
    SubnetObject,
    UsageObject,
    listed_subnet,
    parent_object,
    subnet_object,
    usage_object,
)
from ipcraft_ipam.resources.paging import PAGE_SIZE, pages
from ipcraft_ipam.schemas import NewSubnet, Split, SubnetChange, SubnetsQuery
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.usage import Usage

_TREE = "ipam.tree"
"""The line of those who change the tree, which no address may come or go beside."""


class SubnetsResource:
    """List and create subnets."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(query=SubnetsQuery(), page=Paging(), answers={200: list[SubnetObject]})
    def on_get(
        self, req: falcon.Request, resp: falcon.Response, *, query: dict[str, Any], page: Page
    ) -> None:
        """List the subnets by address, with their utilization."""
        identity = req.context.identity
        contains, filters = query.pop("contains", None), query
        if contains is not None:
            self._send_containing(req, resp, contains, filters=filters, page=page)
        elif page.limit is None:

            def read(tx: Reader, after: Row | None) -> list[Row]:
                return subnet_lists.rows(tx, filters, after=after, limit=PAGE_SIZE)

            place = subnet_lists.place
            stream_list(
                resp, pages(self._app, identity, read=read, place=place, show=listed_subnet)
            )
        else:
            with self._app.look(identity) as reader:
                rows, total = subnet_lists.page_of(
                    reader, filters, limit=page.limit, offset=page.offset
                )
            send_list(req, resp, rows=list(map(listed_subnet, rows)), page=page, total=total)

    def _send_containing(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        network: Network,
        *,
        filters: dict[str, Any],
        page: Page,
    ) -> None:
        with self._app.read(req.context.identity) as tx:
            ids = subnets.containing(tx, network, vrf_id=filters.get("vrf_id"))
            found = [subnets.get_with_usage(tx, subnet_id) for subnet_id in ids]
        found.sort(key=lambda row: (row[0].vrf_id, row[0].network))
        rows = [row for row in found if subnet_lists.matches(row[0], filters)]
        end = None if page.limit is None else page.offset + page.limit
        shown = [_object(row) for row in rows[page.offset : end]]
        send_list(req, resp, rows=shown, page=page, total=len(rows))

    @operation(body=Body(NewSubnet(), many=True), answers={201: SubnetObject | list[SubnetObject]})
    def on_post(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        *,
        body: dict[str, Any] | list[dict[str, Any]],
    ) -> None:
        """Create a subnet, or all of a list."""
        identity = req.context.identity
        resp.status = falcon.HTTP_201
        if isinstance(body, list):
            made = self._app.transact(identity, lambda tx: _create_many(tx, body))
            resp.media = [_object(row) for row in made]
        else:
            creation = hierarchy.Creation(body.pop("network"), body)
            subnet, used = self._app.transact_shared(identity, creation, line=_TREE)
            resp.media = subnet_object(subnet, subnet.usage(used))


class SubnetResource:
    """Show, change and delete one subnet."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(answers={200: ParentObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show the subnet and its children."""
        with self._app.read(req.context.identity) as tx:
            subnet, usage = subnets.get_with_usage(tx, subnet_id)
            children = subnets.children(tx, subnet_id)
        resp.media = parent_object(subnet, usage, children)

    @operation(body=SubnetChange(), answers={200: SubnetObject})
    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, body: dict[str, Any]
    ) -> None:
        """Change the given fields."""

        def change(tx: Transaction) -> tuple[Subnet, Usage]:
            editing.change(tx, subnet_id, body)
            return subnets.get_with_usage(tx, subnet_id)

        resp.media = _object(self._app.transact(req.context.identity, change))

    @operation(answers={204: None})
    def on_delete(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Delete the subnet with everything in it."""
        self._app.transact(req.context.identity, lambda tx: removal.remove(tx, subnet_id))
        resp.status = falcon.HTTP_204


class SplitResource:
    """Split a subnet."""

    def __init__(self, app: Application) -> None:
        self._app = app

    @operation(body=Split(), answers={201: list[SubnetObject]})
    def on_post(
        self, req: falcon.Request, resp: falcon.Response, subnet_id: str, *, body: dict[str, Any]
    ) -> None:
        """Split the subnet into equal parts, its new children."""

        def split(tx: Transaction) -> list[tuple[Subnet, Usage]]:
            splitting.split(tx, subnet_id, body["parts"])
            return subnets.children_with_usage(tx, subnet_id)

        resp.status = falcon.HTTP_201
        made = self._app.transact(req.context.identity, split)
        resp.media = [_object(row) for row in made]


class UsageResource:
    """Tell how much of a subnet is used."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._sums = KeptSums()

    @operation(answers={200: UsageObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show used and usable addresses and their ratio."""
        with self._app.look(req.context.identity) as reader:
            usage = self._sums.usage(reader, subnet_id)
        resp.media = usage_object(usage)


def create(tx: Transaction, values: Mapping[str, Any]) -> tuple[Subnet, Usage]:
    """Create one subnet of a loaded body."""
    fields = dict(values)
    network: Network = fields.pop("network")
    subnet, used = hierarchy.create(tx, network, fields)
    return subnet, subnet.usage(used)


def _create_many(tx: Transaction, items: list[dict[str, Any]]) -> list[tuple[Subnet, Usage]]:
    return [with_index(index, create, tx, item) for index, item in enumerate(items)]


def _object(row: tuple[Subnet, Usage]) -> SubnetObject:
    return subnet_object(*row)
