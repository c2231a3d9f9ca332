"""Every id of another organization, at every place of every route that an id can be sent to.

The places are not listed anywhere: a path's variables come from the routes; as names of query
parameters and of body fields each name serves that a variable or a table's column has. To all of
them the answer must be the one to an id that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from falcon.testing import Result
from sqlalchemy import MetaData, Table, select

from ipcraft.app import Application
from ipcraft.contributions import Route
from ipcraft.data.migrations import CORE
from ipcraft.data.statements import Row, Statement
from ipcraft.http.routing import Router
from ipcraft.testing import Organization

from .feed import BODIES, MAKERS, PASSING, QUERIES, Body, Exempt

_FEED = "tests/tenancy/feed.py"
_VARIABLE = re.compile(r"\{(\w+)[^}]*\}")
_NOBODY = "01h455vb4pex5vsknk084sn02q"
_TAKING_A_BODY = ("POST", "PUT", "PATCH")
_HARMLESS = ("GET", "HEAD")
_ORDER = (*_HARMLESS, "OPTIONS", *_TAKING_A_BODY, "DELETE")


@dataclass(frozen=True, slots=True)
class Tenant:
    """Be an organization with one resource for each variable of a path."""

    organization: Organization
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """Be a request that ids can be put into."""

    method: str
    path: str
    ids: Mapping[str, str]
    body: Body | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = (self.method, self.path, self.query, self.body)
        return " ".join(str(part) for part in parts if part not in (None, {}))

    def send(self, sender: Organization) -> Result:
        """Send it as the organization's owner."""
        path = _VARIABLE.sub(lambda found: self.ids[found[1]], self.path)
        options: dict[str, Any] = {"params": self.query} if self.query else {}
        if self.body is not None:
            options["json"] = self.body
        if self.headers:
            options["headers"] = self.headers
        return sender.client.request(self.method, path, **options)


def tenant(organization: Organization) -> Tenant:
    """Give the organization one resource of each kind."""
    ids: dict[str, str] = {}
    for name, make in MAKERS.items():
        ids[name] = make(organization, ids)
    return Tenant(organization, ids)


def unfed(routes: Sequence[Route]) -> Iterator[str]:
    """Say which routes the matrix cannot use, and where to add what is missing."""
    for method, path in _operations(routes):
        for name in variables(path):
            if name not in MAKERS:
                yield (
                    f"{method} {path}: how does an organization get a {name}? "
                    f"Add it to MAKERS in {_FEED}"
                )
        if method in _TAKING_A_BODY and (method, path) not in BODIES:
            yield f"{method} {path}: what is a valid body? Add it to BODIES in {_FEED}"


def useless(routes: Sequence[Route], newcomer: Callable[[], Organization]) -> Iterator[str]:
    """Say which requests fail even for the sender's own resources, and so prove nothing."""
    for method, path in _operations(routes):
        for body in _bodies(method, path):
            own = tenant(newcomer())
            request = Request(method, path, own.ids, body, _query(method, path))
            answer = request.send(own.organization)
            if answer.status_code >= 400:
                yield f"{request}: {answer.status_code} {_text(answer)}; mend it in {_FEED}"


def writes(routes: Sequence[Route]) -> Iterator[Request]:
    """Give every request that changes something, for whoever puts ids into it."""
    for method, path in _operations(routes):
        if method not in (*_HARMLESS, "OPTIONS"):
            for body in _bodies(method, path):
                yield Request(method, path, {}, body)


def crossings(
    routes: Sequence[Route], tenants: Sequence[Tenant], names: Sequence[str]
) -> Iterator[str]:
    """Say of each request with another's id how its answer differs from that to nobody's id."""
    for sender, other in permutations(tenants, 2):
        yield from _told(routes, sender, other)
        for request, name in _foreign_paths(routes, sender, other):
            yield from _compare(request, request.ids[name], sender, expected=(404,))
    for sender, other in zip(tenants, (*tenants[1:], tenants[0]), strict=True):
        for request, identifier in _foreign_values(routes, sender, other, names):
            expected = (200, 400, 404) if request.method in _HARMLESS else (400, 404)
            yield from _compare(request, identifier, sender, expected=expected)


def names_of_ids(application: Application) -> list[str]:
    """Give every name that an id may have in a query or a body."""
    columns = {
        str(column.name)
        for table in tenant_tables(application)
        for column in table.columns
        if column.name.endswith("_id")
    }
    return sorted(columns | set(MAKERS))


def tenant_tables(application: Application) -> list[Table]:
    """Give the tenants' tables, those first that others refer to; a few tables are nobody's."""
    metadata: list[MetaData] = [CORE.metadata]
    metadata += [each.metadata for each in application.registry.migrations.values()]
    tables = [table for each in metadata for table in each.sorted_tables]
    return [table for table in tables if "organization_id" in table.c]


def everything(application: Application) -> dict[str, list[Row]]:
    """Give every row of every organization, without what changes by itself."""
    with application.storage.read_system() as tx:
        return {
            table.name: sorted(
                tx.all(Statement(select(*(c for c in table.c if c.name not in PASSING)))), key=repr
            )
            for table in tenant_tables(application)
        }


def variables(path: str) -> list[str]:
    """Give the names of a path's variables."""
    return _VARIABLE.findall(path)


def _operations(routes: Sequence[Route]) -> list[tuple[str, str]]:
    """Give method and path of what an organization can ask for, reads first."""
    operations = [
        (method, route.path)
        for route in routes
        if not route.public
        for method in Router().map_http_methods(route.resource)
    ]
    return sorted(operations, key=lambda operation: _ORDER.index(operation[0]))


def _bodies(method: str, path: str) -> Sequence[Body | None]:
    bodies = BODIES.get((method, path), ())
    if isinstance(bodies, Exempt):
        return ()
    return bodies or (None,)


def _query(method: str, path: str) -> Mapping[str, str]:
    return QUERIES.get(path, {}) if method in _HARMLESS else {}


def _told(routes: Sequence[Route], sender: Tenant, other: Tenant) -> Iterator[str]:
    """Say which route tells an organization anything of the other without being asked for it."""
    organization = other.organization
    secrets = (organization.id, organization.user_id, organization.email, *other.ids.values())
    for method, path in _operations(routes):
        if method == "GET":
            request = Request(method, path, sender.ids, query=_query(method, path))
            text = _text(request.send(sender.organization))
            yield from (f"{request} tells {secret}: {text}" for secret in secrets if secret in text)


def _foreign_paths(
    routes: Sequence[Route], sender: Tenant, other: Tenant
) -> Iterator[tuple[Request, str]]:
    """Put the other's ids at each place in a path, the sender's own at the places before it."""
    for method, path in _operations(routes):
        for number, name in enumerate(variables(path)):
            theirs = {each: other.ids[each] for each in variables(path)[number:]}
            for body in _bodies(method, path):
                yield (
                    Request(method, path, {**sender.ids, **theirs}, body, _query(method, path)),
                    name,
                )


def _foreign_values(
    routes: Sequence[Route], sender: Tenant, other: Tenant, names: Sequence[str]
) -> Iterator[tuple[Request, str]]:
    """Put each of the other's ids under each name into query and body."""
    for method, path in _operations(routes):
        for name in names:
            for identifier in other.ids.values():
                if method == "GET":
                    query = {**_query(method, path), name: identifier}
                    yield Request(method, path, sender.ids, query=query), identifier
                for body in _bodies(method, path):
                    if body is not None:
                        yield (
                            Request(method, path, sender.ids, _with(body, name, identifier)),
                            identifier,
                        )


def _with(body: Body, name: str, identifier: str) -> Body:
    if isinstance(body, list):
        return [{**item, name: identifier} for item in body]
    return {**body, name: identifier}


def _compare(
    request: Request, identifier: str, sender: Tenant, *, expected: Sequence[int]
) -> Iterator[str]:
    nobodys = f"{identifier.rpartition('_')[0]}_{_NOBODY}"
    answer = request.send(sender.organization)
    if answer.status_code not in expected:
        yield f"{request} with {identifier}: {answer.status_code} {_text(answer)}"
    unknown = _replaced(request, identifier, nobodys).send(sender.organization)
    if _comparable(answer, identifier) != _comparable(unknown, nobodys):
        yield f"{request}: {_text(answer)}, but for an id that does not exist {_text(unknown)}"


def _replaced(request: Request, identifier: str, nobodys: str) -> Request:
    """Give the same request for an id that does not exist."""

    def replace(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: nobodys if value == identifier else value for name, value in values.items()}

    body = request.body
    if body is not None:
        body = [replace(item) for item in body] if isinstance(body, list) else replace(body)
    return Request(request.method, request.path, replace(request.ids), body, replace(request.query))


def _text(answer: Result) -> str:
    """Give the body as text; one that is a file, as far as it is text."""
    return answer.content.decode(errors="replace")


def _comparable(answer: Result, identifier: str) -> tuple[int, str, str]:
    """Give an answer without what differs between any two requests."""
    text = _text(answer).replace(identifier, "the id")
    text = re.sub('"request_id":"[^"]*"', "", text)
    return answer.status_code, text, answer.headers.get("content-type", "")
