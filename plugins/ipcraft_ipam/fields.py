"""Fields of bodies that hold networks, addresses, MAC addresses and route distinguishers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Invalid, as_complaint
from ipcraft_ipam.networks import BITS, Network, parse_address, parse_network
from ipcraft_ipam.route_distinguishers import PATTERN, parse_route_distinguisher

_MAC_ADDRESS = re.compile(
    r"[0-9a-f]{2}(?P<colon>:)[0-9a-f]{2}(?:(?P=colon)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{2}(?P<dash>-)[0-9a-f]{2}(?:(?P=dash)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}"
    r"|[0-9a-f]{12}",
    re.ASCII | re.IGNORECASE,
)
LONGEST_LABEL = 255
"""Characters of a name, a hostname or an owner."""

LONGEST_TEXT = 4096
"""Characters of a description."""


class Parsed(fields.String):
    """Be a string that a function reads; its `Invalid` becomes the field's complaint."""

    def __init__(self, parse: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**options)
        self._parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        try:
            return self._parse(text)
        except Invalid as refusal:
            raise as_complaint(refusal) from refusal


class Fixed(fields.Field[Any]):
    """Be a field that is set once: whoever sends it again is told that it cannot change."""

    def __init__(self, **options: Any) -> None:
        never = {"not": {}, "description": "Cannot be changed."}
        super().__init__(**options, metadata=never)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        raise ValidationError("cannot be changed: delete the record and create another")


def network_field(**options: Any) -> Parsed:
    """Take a CIDR network, without host bits."""
    return Parsed(parse_network, **_shown("10.0.1.0/24", options, format="cidr"))


def address_field(**options: Any) -> Parsed:
    """Take an address, as a number."""
    return Parsed(parse_address, **_shown("10.0.1.10", options, format="ip"))


def range_field(**options: Any) -> Parsed:
    """Take an address or a network, as a network."""
    return Parsed(_parse_range, **_shown("10.0.1.10", options))


def mac_address_field(**options: Any) -> Parsed:
    """Take a MAC address in any usual notation, as ``00:1A:2B:3C:4D:5E``."""
    return Parsed(parse_mac_address, **_shown("00:1A:2B:3C:4D:5E", options, format="mac"))


def rd_field(**options: Any) -> Parsed:
    """Take a route distinguisher, without leading zeros."""
    return Parsed(parse_route_distinguisher, **_shown("65000:100", options, pattern=PATTERN))


def name_field(**options: Any) -> fields.String:
    """Take a name that something must have."""
    return fields.String(validate=validate.Length(min=1, max=LONGEST_LABEL), **options)


def label_field(**options: Any) -> fields.String:
    """Take a short text: a name, a hostname, an owner."""
    return fields.String(validate=validate.Length(max=LONGEST_LABEL), **options)


def example(value: Any) -> dict[str, Any]:
    """Give the options of a field that has this example.

    >>> fields.Integer(required=True, **example(4)).metadata
    {'examples': [4]}
    """
    return {"metadata": {"examples": [value]}}


def text_field(**options: Any) -> fields.String:
    """Take a longer text: a description."""
    return fields.String(validate=validate.Length(max=LONGEST_TEXT), **options)


def parse_mac_address(text: str) -> str:
    """Read a MAC address in colon, dash, dotted or bare notation. Raises `Invalid`."""
    if not _MAC_ADDRESS.fullmatch(text):
        raise Invalid.field(
            "mac_address",
            f"{text[:64]!r} is not a MAC address: write it like 00:1A:2B:3C:4D:5E",
            code="invalid_mac_address",
        )
    # PERF: half the time of a substitution and a join; an import reads one for each address.
    it = text.upper().replace(":", "").replace("-", "").replace(".", "")
    return f"{it[:2]}:{it[2:4]}:{it[4:6]}:{it[6:8]}:{it[8:10]}:{it[10:]}"


def _parse_range(text: str) -> Network:
    if "/" in text:
        return parse_network(text)
    address = parse_address(text)
    return Network(address, BITS[Network(address, 0).family])


def _shown(value: str, options: dict[str, Any], **keywords: str) -> dict[str, Any]:
    """Give the options with an example and keywords of JSON Schema, for the API's document."""
    shown = {"examples": [value], **keywords}
    return {**options, "metadata": {**shown, **options.get("metadata", {})}}
