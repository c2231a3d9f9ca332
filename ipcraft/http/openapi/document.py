"""The document: every route with every method, and the parts they share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ipcraft.contributions import Route
from ipcraft.http.errors import ErrorObject
from ipcraft.http.openapi import conventions
from ipcraft.http.openapi.examples import example_of
from ipcraft.http.openapi.inputs import VERSION, body_schemas, page_parameters, query_parameters
from ipcraft.http.openapi.links import add_links
from ipcraft.http.openapi.outputs import Outputs
from ipcraft.http.operations import Content, Operation, operation_of
from ipcraft.http.routing import Router

METHODS = ("get", "post", "put", "patch", "delete")
"""The methods that are documented; HEAD is GET without its body."""

_VARIABLE = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_PREFIX = "/api/v1/"
_OWN_TAG = "service"


@runtime_checkable
class SchemedBackend(Protocol):
    """Be an auth backend whose credentials the API's document describes.

    `security_scheme` is an OpenAPI security scheme object; the backend's name is its key.
    """

    @property
    def name(self) -> str:
        """Give the backend's name."""
        ...

    @property
    def security_scheme(self) -> Mapping[str, str]:
        """Give the scheme: ``{"type": "http", "scheme": "bearer"}``."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one operation of one route."""

    route: Route
    method: str
    operation: Operation

    @property
    def path(self) -> str:
        """Give the path as OpenAPI writes it."""
        return _VARIABLE.sub(r"{\1}", self.route.path)


def make_document(
    routes: Sequence[Route], *, backends: Sequence[object] = (), url: str = "/"
) -> dict[str, Any]:
    """Describe the routes, which are served below `url`, with the backends' credentials."""
    entries = [entry for route in routes for entry in entries_of(route)]
    outputs = Outputs([ErrorObject, *_forms(entries)])
    schemes = {
        backend.name: dict(backend.security_scheme)
        for backend in backends
        if isinstance(backend, SchemedBackend)
    }
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        described = _describe(entry, outputs, schemes=tuple(schemes))
        paths.setdefault(entry.path, {})[entry.method] = described
    add_links(paths)
    return {
        "openapi": VERSION,
        "info": conventions.info(),
        "servers": [{"url": url}],
        "tags": [{"name": name} for name in _tags(entries)],
        "paths": paths,
        "components": {
            "schemas": dict(outputs.components),
            "securitySchemes": schemes,
            **conventions.components(),
        },
    }


def entries_of(route: Route) -> Iterator[Entry]:
    """Give a route's operations. A responder that declares nothing has its docstring."""
    responders = Router().map_http_methods(route.resource)
    for method in METHODS:
        responder = responders.get(method.upper())
        if responder is not None:
            yield Entry(route, method, operation_of(responder) or _undeclared(responder))


def _undeclared(responder: object) -> Operation:
    summary, _, _ = (responder.__doc__ or "").strip().partition("\n")
    return Operation(summary=summary, answers={200: Any})


def _forms(entries: Iterable[Entry]) -> Iterator[Any]:
    for entry in entries:
        for answer in entry.operation.answers.values():
            yield from _contents(answer).values()


def _describe(entry: Entry, outputs: Outputs, *, schemes: Sequence[str]) -> dict[str, Any]:
    route, operation = entry.route, entry.operation
    described: dict[str, Any] = {
        "operationId": _identifier(entry),
        "tags": [_tag(entry)],
        "summary": operation.summary.rstrip(".").replace("``", "`"),
        "description": operation.description.replace("``", "`"),
        "parameters": _parameters(entry),
        "requestBody": _request_body(operation, outputs),
        "responses": _responses(entry, outputs),
        "security": [] if route.public else [{name: []} for name in schemes],
    }
    return {key: value for key, value in described.items() if value or key == "security"}


def _parameters(entry: Entry) -> list[dict[str, Any]]:
    operation = entry.operation
    return [
        *(_path_parameter(name) for name in _VARIABLE.findall(entry.route.path)),
        *(query_parameters(operation.query) if operation.query is not None else ()),
        *(page_parameters(operation.page) if operation.page is not None else ()),
        *conventions.parameters(entry.route, entry.method),
    ]


def _path_parameter(name: str) -> dict[str, Any]:
    thing, _, last = name.rpartition("_")
    what = f"The id of the {thing.replace('_', ' ')}." if last == "id" and thing else None
    return {
        "name": name,
        "in": "path",
        "required": True,
        **({"description": what} if what else {}),
        "schema": {"type": "string", "minLength": 1},
    }


def _request_body(operation: Operation, outputs: Outputs) -> dict[str, Any] | None:
    body = operation.body
    if body is None:
        return None
    content = {media_type: _media(schema, outputs) for media_type, schema in body_schemas(body)}
    optional = body.optional
    return {"required": not optional, "content": content}


def _responses(entry: Entry, outputs: Outputs) -> dict[str, Any]:
    operation = entry.operation
    answers = {
        str(status): _answer(
            answer, conventions.headers(entry.route, entry.method, operation), outputs
        )
        for status, answer in operation.answers.items()
    }
    others = conventions.others(entry.route, entry.method, operation)
    return dict(sorted({**others, **answers}.items()))


def _answer(answer: Any, headers: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
    content = answer if isinstance(answer, Content) else Content(answer)
    own = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in content.headers.items()
    }
    described: dict[str, Any] = {
        "description": content.description
        or ("Done." if not _contents(content) else "Here it is."),
        "headers": {**headers, **own},
    }
    media = {
        media_type: _media(outputs.of(form), outputs)
        for media_type, form in _contents(content).items()
    }
    return described | ({"content": media} if media else {})


def _contents(answer: Any) -> dict[str, Any]:
    """Give the type of each media type that an answer may have."""
    if answer is None:
        return {}
    if not isinstance(answer, Content):
        return {"application/json": answer}
    first = {} if answer.form is None else {answer.media_type: answer.form}
    return {**first, **answer.also}


def _media(schema: dict[str, Any], outputs: Outputs) -> dict[str, Any]:
    return {"schema": schema, "example": example_of(schema, outputs.components)}


def _identifier(entry: Entry) -> str:
    words = re.findall(r"[a-zA-Z0-9]+", entry.path.removeprefix(_PREFIX))
    return "_".join([entry.method, *words])


def _tags(entries: Iterable[Entry]) -> list[str]:
    """Give each tag once; what is about the service itself comes last."""
    return sorted(dict.fromkeys(map(_tag, entries)), key=lambda name: name == _OWN_TAG)


def _tag(entry: Entry) -> str:
    if not entry.path.startswith(_PREFIX):
        return _OWN_TAG
    return entry.path.removeprefix(_PREFIX).partition("/")[0]
