"""Links: what can be done with something that was just created.

Source: https://spec.openapis.org/oas/v3.1.1.html#link-object
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"\{(\w+)\}")
_LAST = re.compile(r"/\{\w+\}$")
_SHOWING = ("get", "patch", "put")
_JSON = "application/json"

Paths = Mapping[str, Mapping[str, Any]]


def add_links(paths: Paths) -> None:
    """Have each answer that brings something new lead to the operations that take its id.

    Something created at a path is found one step below it, or else where the same kind of object
    is shown.
    """
    homes = {name: path for path, name in _shown(paths)}
    for path, methods in paths.items():
        answer = methods.get("post", {}).get("responses", {}).get("201", {})
        for name in _objects(answer):
            home = next((each for each in paths if _is_below(each, path)), homes.get(name))
            if home is not None and _outer(home) <= _variables(path):
                answer["links"] = dict(_links(home, paths))


def _links(home: str, paths: Paths) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a link to each operation at the path, or below it, that needs no other id."""
    *outer, own = _VARIABLE.findall(home)
    parameters = {name: f"$request.path.{name}" for name in outer}
    parameters[own] = "$response.body#/id"
    for path, methods in paths.items():
        if path == home or (path.startswith(f"{home}/") and _variables(path) == _variables(home)):
            for operation in methods.values():
                identifier = operation["operationId"]
                yield identifier, {"operationId": identifier, "parameters": parameters}


def _shown(paths: Paths) -> Iterator[tuple[str, str]]:
    """Give the paths that show one object, each with the name of its schema."""
    for path, methods in paths.items():
        for method in _SHOWING if _LAST.search(path) else ():
            for name in _objects(methods.get(method, {}).get("responses", {}).get("200", {})):
                yield path, name


def _objects(answer: Mapping[str, Any]) -> Iterator[str]:
    """Give the names of the schemas of which an answer may be an object."""
    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    for choice in schema.get("anyOf", (schema,)):
        if "$ref" in choice:
            yield choice["$ref"].rpartition("/")[2]


def _is_below(path: str, other: str) -> bool:
    return _LAST.sub("", path) == other and path != other


def _outer(path: str) -> set[str]:
    return set(_VARIABLE.findall(path)[:-1])


def _variables(path: str) -> set[str]:
    return set(_VARIABLE.findall(path))
