"""Examples of values, composed of those that stand at the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLAIN: Mapping[str, Any] = {
    "boolean": True,
    "integer": 1,
    "null": None,
    "number": 1.0,
    "string": "text",
}
_FORMATS: Mapping[str, str] = {"date-time": "2026-03-01T12:00:00Z", "binary": ""}
_TOLD = ("examples", "enum", "const")

Schema = Mapping[str, Any]


def example_of(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """Compose an example: what the schema says of one, and of an object, its fields' examples.

    A field that may be left out is shown when it has an example, or a choice, of its own.
    """
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example_of(schema[choice][0], components)
    if "properties" in schema:
        return _object(schema, components)
    if "items" in schema:
        return [example_of(schema["items"], components)]
    return _plain(schema)


def _object(schema: Schema, components: Mapping[str, Schema]) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: example_of(field, components)
        for name, field in schema["properties"].items()
        if name in required or any(key in field for key in _TOLD)
    }


def _plain(schema: Schema) -> Any:
    kind = schema.get("type", "object")
    name = kind[0] if isinstance(kind, list) else kind
    if "default" in schema:
        return schema["default"]
    if name in ("integer", "number") and "minimum" in schema:
        return max(schema["minimum"], _PLAIN[name])
    return _FORMATS.get(schema.get("format", ""), _PLAIN.get(name, {}))
