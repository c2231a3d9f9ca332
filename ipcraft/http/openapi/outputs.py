"""What answers bring, as JSON Schema, from the types that the responders declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints, is_typeddict

REFERENCE = "#/components/schemas/{name}"


class Outputs:
    """Hold the schemas of types: those that have a name stand once, and are referred to.

    Raises TypeError for what is no type that JSON can hold.
    """

    __slots__ = ("_schemas", "components")

    def __init__(self, forms: Iterable[Any]) -> None:
        # Imported where the document is made: most processes never make it.
        from msgspec.json import schema_components

        unlike = _unlike(forms)
        schemas, components = schema_components(unlike, ref_template=REFERENCE)
        self._schemas = list(zip(unlike, schemas, strict=True))
        self.components: Mapping[str, dict[str, Any]] = components
        """The named schemas."""
        for form in unlike:
            for keys in _orders(form):
                self._arrange(keys)

    def of(self, form: Any) -> dict[str, Any]:
        """Give the schema of one of the types."""
        return next(schema for known, schema in self._schemas if known == form)

    def _arrange(self, keys: list[str]) -> None:
        """Put properties in the order in which they are declared, not the alphabet's."""
        for schema in self.components.values():
            properties = schema.get("properties", {})
            if set(properties) == set(keys):
                schema["properties"] = {key: properties[key] for key in keys}
                schema["required"] = [key for key in keys if key in schema.get("required", ())]


def _orders(form: Any) -> Iterator[list[str]]:
    """Give the keys of each TypedDict in a type, in their order."""
    if is_typeddict(form):
        hints = get_type_hints(form)
        yield list(hints)
        for hint in hints.values():
            yield from _orders(hint)
    for inner in get_args(form):
        yield from _orders(inner)


def _unlike(forms: Iterable[Any]) -> list[Any]:
    unlike: list[Any] = []
    for form in forms:
        if form not in unlike:
            unlike.append(form)
    return unlike
