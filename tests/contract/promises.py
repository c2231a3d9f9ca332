"""Promises: an answer is held against what the API's document says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_DOCUMENT = "urn:document"
_VARIABLE = re.compile(r"\\\{\w+\\\}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PLAIN_HEADERS = frozenset(
    (
        "allow",
        "cache-control",
        "connection",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "referrer-policy",
        "server",
        "set-cookie",
        "transfer-encoding",
        "vary",
        "x-content-type-options",
    )
)
"""Headers that servers and browsers settle among themselves."""

Schema = Mapping[str, Any]


class Promises:
    """Hold what an OpenAPI document says, and tell where an answer differs.

    It is stricter than clients need be: a key, a header or a status that the document does not
    show is a difference too.

    >>> promises = Promises(client.get("/api/v1/openapi.json").json)  # doctest: +SKIP
    >>> assert promises.breaches("GET", path, status=200, headers=answer.headers, body=answer.json)
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document: Mapping[str, Any] = _closed(document)
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        self._paths = [
            (re.compile(_VARIABLE.sub("[^/]+", re.escape(path))), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]
        self._validator = cache(self._make_validator)

    def operation(self, method: str, path: str) -> str | None:
        """Give the JSON pointer of the operation that a request is for, None where it is for none.

        `path` has no query.
        """
        for pattern, template in self._paths:
            if pattern.fullmatch(path):
                known = method.lower() in self._document["paths"][template]
                return f"/paths/{_escaped(template)}/{method.lower()}" if known else None
        return None

    def breaches(
        self, method: str, path: str, *, status: int, headers: Mapping[str, str], body: Any
    ) -> list[str]:
        """List what in an answer is not as promised. `body` is its JSON, None if there is none.

        A HEAD is a GET whose body nobody sees. An answer to a request for nothing that is there
        has no promise to break.
        """
        pointer = self.operation("GET" if method == "HEAD" else method, path)
        if pointer is None or method not in (*_METHODS, "HEAD"):
            return []
        answers = self._at(pointer)["responses"]
        if str(status) not in answers:
            return [f"{method} {path}: status {status} is not in the document"]
        pointer, answer = self._resolved(f"{pointer}/responses/{status}")
        found = [*_header_breaches(answer, headers)]
        if method != "HEAD":
            found += self._body_breaches(pointer, answer, headers=headers, body=body)
        return [f"{method} {path}: {status}: {each}" for each in found]

    def _body_breaches(
        self, pointer: str, answer: Schema, *, headers: Mapping[str, str], body: Any
    ) -> Iterator[str]:
        content = answer.get("content", {})
        given = _lower(headers).get("content-type", "").partition(";")[0]
        if not content:
            if body is not None:
                yield "it has a body"
        elif given not in content:
            yield f"its type {given!r} is not in the document"
        elif given == "application/json":
            schema = f"{pointer}/content/{_escaped(given)}/schema"
            for error in self._validator(schema).iter_errors(body):
                yield f"{error.json_path}: {error.message[:300]}"

    def _at(self, pointer: str) -> Any:
        return self._registry.resolver().lookup(f"{_DOCUMENT}#{pointer}").contents

    def _resolved(self, pointer: str) -> tuple[str, Schema]:
        found = self._at(pointer)
        if "$ref" in found:
            pointer = found["$ref"].removeprefix("#")
            return pointer, self._at(pointer)
        return pointer, found

    def _make_validator(self, pointer: str) -> Validator:
        schema = {"$ref": f"{_DOCUMENT}#{pointer}"}
        return Draft202012Validator(schema, registry=self._registry)


def _header_breaches(answer: Schema, headers: Mapping[str, str]) -> Iterator[str]:
    documented = {name.lower() for name in answer.get("headers", {})}
    for name in _lower(headers):
        if name not in documented and name not in _PLAIN_HEADERS:
            yield f"its header {name} is not in the document"
    if "x-request-id" not in _lower(headers):
        yield "it has no X-Request-Id"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _closed(value: Any) -> Any:
    """Give a document whose objects have no keys but those it shows."""
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(each) for key, each in value.items()}
    if isinstance(value.get("properties"), dict) and "type" in value:
        closed.setdefault("additionalProperties", False)
    return closed


def _escaped(part: str) -> str:
    """Write a key as a part of a JSON pointer in a URI."""
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
