"""Collections of resources: the same five things for each kind, and what only some can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from ipcraft.client.answers import Answer
from ipcraft.client.connection import Connection
from ipcraft.client.errors import RequestRefused
from ipcraft.client.objects import Address, Subnet, Usage

R = TypeVar("R")

PAGE_SIZE = 1000
"""How much of a list is asked for at once."""

_PRECONDITION_FAILED = 412


class Collection(Generic[R]):
    """Be the resources of one kind. Fields and filters are those of the API's reference.

    `params` go with each write. Everything raises `RequestRefused` and `Unreachable`.
    """

    def __init__(
        self, connection: Connection, path: str, *, params: Mapping[str, str] | None = None
    ) -> None:
        self._connection = connection
        self._path = path
        self._params = params

    def each(self, **filters: Any) -> Iterator[R]:
        """Give every resource that the filters match, asking for a page at a time."""
        yield from pages(self._connection, self._path, filters)

    def find(self, **filters: Any) -> R | None:
        """Give the first resource that the filters match, or None."""
        params = {**filters, "limit": 1}
        found: list[R] = self._connection.send("GET", self._path, params=params).body
        return found[0] if found else None

    def get(self, resource_id: str) -> R:
        """Give one resource."""
        return cast("R", self.look(resource_id).body)

    def look(self, resource_id: str) -> Answer:
        """Give one resource as the body of its answer, which has its tag."""
        return self._connection.send("GET", self._one(resource_id))

    def create(self, **fields: Any) -> R:
        """Create a resource."""
        return cast("R", self._write("POST", self._path, json=fields).body)

    def update(self, resource_id: str, *, tag: str | None = None, **fields: Any) -> R:
        """Change the given fields; with a tag only if the resource is still what has it."""
        answer = self._write("PATCH", self._one(resource_id), json=fields, tag=tag)
        return cast("R", answer.body)

    def edit(self, resource_id: str, change: Callable[[R], Mapping[str, Any]]) -> R:
        """Change a resource by what is in it: `change` gives the fields to change.

        It is called again when somebody else changed the resource meanwhile. Without fields
        nothing is changed.

        >>> ipam.sections.edit(folder_id, lambda now: {"sort_order": now["sort_order"] + 1})
        ... # doctest: +SKIP
        """
        while True:
            found = self.look(resource_id)
            fields = change(found.body)
            if not fields:
                return cast("R", found.body)
            try:
                return self.update(resource_id, tag=found.tag, **fields)
            except RequestRefused as refusal:
                if refusal.status != _PRECONDITION_FAILED:
                    raise

    def delete(self, resource_id: str, *, tag: str | None = None) -> None:
        """Delete a resource; with a tag only if it is still what has it."""
        self._write("DELETE", self._one(resource_id), tag=tag)

    def _one(self, resource_id: str, *more: str) -> str:
        return "/".join([self._path, *(quote(part, safe="") for part in (resource_id, *more))])

    def _write(self, method: str, path: str, *, json: Any = None, tag: str | None = None) -> Answer:
        headers = {} if tag is None else {"If-Match": tag}
        return self._connection.send(method, path, json=json, params=self._params, headers=headers)


class Subnets(Collection[Subnet]):
    """Be the subnets, with what is taken from them."""

    def create_many(self, subnets: Sequence[Mapping[str, Any]]) -> list[Subnet]:
        """Create up to 10,000 subnets, all or none."""
        made: list[Subnet] = self._write("POST", self._path, json=list(subnets)).body
        return made

    def split(self, subnet_id: str, parts: int) -> list[Subnet]:
        """Split a subnet into equal parts, its new children."""
        path = self._one(subnet_id, "split")
        made: list[Subnet] = self._write("POST", path, json={"parts": parts}).body
        return made

    def usage(self, subnet_id: str) -> Usage:
        """Tell how much of a subnet is used."""
        usage: Usage = self._connection.send("GET", self._one(subnet_id, "usage")).body
        return usage

    def first_free(self, subnet_id: str) -> str | None:
        """Show the lowest free address; it may be gone the next moment, see `take_next`."""
        answer = self._connection.send("GET", self._one(subnet_id, "first-free"))
        ip: str | None = answer.body["ip"]
        return ip

    def take_next(self, subnet_id: str, **fields: Any) -> Address:
        """Take the next free address, with the fields of an address and a `strategy`."""
        path = self._one(subnet_id, "first-free")
        taken: Address = self._write("POST", path, json=fields).body
        return taken

    def take_many(self, subnet_id: str, count: int, **fields: Any) -> list[Address]:
        """Take up to 256 free addresses, all or none."""
        path = self._one(subnet_id, "first-free")
        taken: list[Address] = self._write("POST", path, json={**fields, "count": count}).body
        return taken

    def take_subnet(self, subnet_id: str, prefix_length: int, **fields: Any) -> Subnet:
        """Create the lowest free network of this size as a subnet."""
        path = self._one(subnet_id, "first-free-subnet")
        body = {**fields, "prefix_length": prefix_length}
        made: Subnet = self._write("POST", path, json=body).body
        return made


class Addresses(Collection[Address]):
    """Be the addresses. A new one is assigned in a subnet."""

    def of(self, subnet_id: str, **filters: Any) -> Iterator[Address]:
        """Give the addresses in a subnet's network, those of its descendants too."""
        yield from pages(self._connection, _in(subnet_id), filters)

    def assign(self, subnet_id: str, ip: str, **fields: Any) -> Address:
        """Assign an address."""
        body = {**fields, "ip": ip}
        made: Address = self._write("POST", _in(subnet_id), json=body).body
        return made

    def assign_many(self, subnet_id: str, addresses: Sequence[Mapping[str, Any]]) -> list[Address]:
        """Assign up to 10,000 addresses, all or none."""
        made: list[Address] = self._write("POST", _in(subnet_id), json=list(addresses)).body
        return made


def pages(connection: Connection, path: str, filters: Mapping[str, Any]) -> Iterator[Any]:
    """Give what a list holds, and ask for its next page when the last one is used up."""
    params: Mapping[str, Any] | None = {"limit": PAGE_SIZE, **filters}
    following: str | None = path
    while following is not None:
        answer = connection.send("GET", following, params=params)
        yield from answer.body
        following, params = answer.next, None


def _in(subnet_id: str) -> str:
    return f"/api/v1/subnets/{quote(subnet_id, safe='')}/addresses"
