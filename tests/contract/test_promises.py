"""What answers are held against notices each way in which one can differ from the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from .promises import Promises

ID: dict[str, Any] = {"X-Request-Id": {}}
JSON = {"X-Request-Id": "1", "Content-Type": "application/json"}
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things/{thing_id}": {
            "get": {
                "responses": {
                    "200": {
                        "headers": ID,
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        },
                    },
                    "404": {"$ref": "#/components/responses/NotFound"},
                }
            },
            "delete": {"responses": {"204": {"headers": ID}}},
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {"id": {"type": "string"}},
                "required": ["id"],
            }
        },
        "responses": {"NotFound": {"headers": ID, "content": {"application/json": {"schema": {}}}}},
    },
}


def breaches(
    method: str, status: int, *, headers: Mapping[str, str] = JSON, body: Any = None
) -> list[str]:
    """Hold an answer against the document."""
    return Promises(DOCUMENT).breaches(
        method, "/things/1", status=status, headers=headers, body=body
    )


def test_what_is_as_promised_breaks_nothing() -> None:
    """An object, an error, a HEAD, an answer without a body, and a path that is not there."""
    assert breaches("GET", 200, body={"id": "1"}) == []
    assert breaches("GET", 404, body={"error": "There is none"}) == []
    assert breaches("HEAD", 200) == []
    assert breaches("DELETE", 204, headers={"X-Request-Id": "1"}) == []
    assert Promises(DOCUMENT).breaches("GET", "/", status=200, headers={}, body=None) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "'id' is a required property"),
        ({"id": 1}, "1 is not of type 'string'"),
        ({"id": "1", "name": "x"}, "'name' was unexpected"),
        (["1"], "is not of type 'object'"),
    ],
)
def test_another_shape_is_told(body: Any, told: str) -> None:
    """A key too few, one too many, another type."""
    (breach,) = breaches("GET", 200, body=body)
    assert told in breach


@pytest.mark.parametrize(
    ("method", "status", "headers", "told"),
    [
        ("GET", 500, JSON, "status 500 is not in the document"),
        ("GET", 404, {"X-Request-Id": "1", "Content-Type": "text/html"}, "its type 'text/html'"),
        ("GET", 404, {**JSON, "X-Other": "1"}, "its header x-other is not in the document"),
        ("GET", 404, {"Content-Type": "application/json"}, "it has no X-Request-Id"),
    ],
)
def test_another_answer_is_told(
    method: str, status: int, headers: Mapping[str, str], told: str
) -> None:
    """Another status, type or header."""
    (breach,) = breaches(method, status, headers=headers, body={})
    assert told in breach


def test_a_body_where_none_is_promised_is_told() -> None:
    """A 204 has none."""
    (breach,) = breaches("DELETE", 204, body={"id": "1"})
    assert "it has a body" in breach
