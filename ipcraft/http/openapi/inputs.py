"""What requests bring, as JSON Schema: bodies and queries, from their marshmallow schemas."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from ipcraft.http.lists import LARGEST_OFFSET
from ipcraft.http.media import MAXIMUM_ITEMS
from ipcraft.http.operations import Body, Paging, RawBody
from ipcraft.http.queries import Query
from ipcraft.http.schemas import Schema

if TYPE_CHECKING:
    from apispec.ext.marshmallow.openapi import OpenAPIConverter

JSON = "application/json"
VERSION = "3.1.1"
"""The OpenAPI version the document is written for."""


def body_schemas(body: Body | RawBody) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the schema of each media type that a body may have."""
    if isinstance(body, RawBody):
        for media_type, schema in body.content.items():
            yield media_type, _anything(media_type) if schema is None else object_schema(schema)
        return
    one = object_schema(body.schema)
    if body.many:
        many = {"type": "array", "items": one, "maxItems": MAXIMUM_ITEMS}
        one = {"anyOf": [one, many]}
    yield JSON, one


def object_schema(schema: Schema) -> dict[str, Any]:
    """Give the JSON Schema of what a schema reads."""
    shape: dict[str, Any] = _converter().schema2jsonschema(schema)
    shape.setdefault("type", "object")
    if schema.partial:
        # What is not given stays as it is.
        for field in shape.get("properties", {}).values():
            field.pop("default", None)
    return shape


def query_parameters(query: Query) -> list[dict[str, Any]]:
    """Give the parameters of a query, each with its schema."""
    return [_described(each) for each in _converter().schema2parameters(query, location="query")]


def page_parameters(paging: Paging) -> list[dict[str, Any]]:
    """Give ``limit`` and ``offset``."""
    limit = {"type": "integer", "minimum": 1, "maximum": paging.maximum}
    everything = "All of them without it"
    if paging.default is not None:
        limit["default"] = paging.default
        everything = f"{paging.default} without it"
    return [
        {
            "name": "limit",
            "in": "query",
            "description": f"How many to list, at most. {everything}.",
            "schema": limit,
        },
        {
            "name": "offset",
            "in": "query",
            "description": "How many to leave out before the first.",
            "schema": {"type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET},
        },
    ]


def _described(parameter: dict[str, Any]) -> dict[str, Any]:
    """Say what a parameter is for beside its schema, where viewers look for it."""
    description = parameter["schema"].pop("description", None)
    return parameter | ({"description": description} if description else {})


def _anything(media_type: str) -> dict[str, Any]:
    return {} if media_type == JSON else {"type": "string", "format": "binary"}


@cache
def _converter() -> OpenAPIConverter:
    # Imported where the document is made: most processes never make it.
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

    plugin = MarshmallowPlugin(schema_name_resolver=_nameless)
    APISpec("", "", VERSION, plugins=[plugin])
    assert plugin.converter is not None
    return plugin.converter


def _nameless(schema: object) -> str:
    """Have a schema inside another stand where it is used."""
    return ""
