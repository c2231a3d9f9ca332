"""Fields of bodies that hold networks, addresses, MAC addresses and route distinguishers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Invalid, as_complaint
from ipcraft_ipam.networks import parse_address, parse_network
from ipcraft_ipam.route_distinguishers import parse_route_distinguisher

_MAC_ADDRESS = re.compile(
    r"[0-9a-f]{2}(?P<colon>:)[0-9a-f]{2}(?:(?P=colon)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{2}(?P<dash>-)[0-9a-f]{2}(?:(?P=dash)[0-9a-f]{2}){4}"
    r"|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}"
    r"|[0-9a-f]{12}",
    re.ASCII | re.IGNORECASE,
)
_LONGEST = 255
_LONGEST_TEXT = 4096


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

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        raise ValidationError("cannot be changed: delete the record and create another")


def network_field(**options: Any) -> Parsed:
    """Take a CIDR network, without host bits."""
    return Parsed(parse_network, **options)


def address_field(**options: Any) -> Parsed:
    """Take an address, as a number."""
    return Parsed(parse_address, **options)


def mac_address_field(**options: Any) -> Parsed:
    """Take a MAC address in any usual notation, as ``00:1A:2B:3C:4D:5E``."""
    return Parsed(parse_mac_address, **options)


def rd_field(**options: Any) -> Parsed:
    """Take a route distinguisher, without leading zeros."""
    return Parsed(parse_route_distinguisher, **options)


def name_field(**options: Any) -> fields.String:
    """Take a name that something must have."""
    return fields.String(validate=validate.Length(min=1, max=_LONGEST), **options)


def label_field(**options: Any) -> fields.String:
    """Take a short text: a name, a hostname, an owner."""
    return fields.String(validate=validate.Length(max=_LONGEST), **options)


def text_field(**options: Any) -> fields.String:
    """Take a longer text: a description."""
    return fields.String(validate=validate.Length(max=_LONGEST_TEXT), **options)


def parse_mac_address(text: str) -> str:
    """Read a MAC address in colon, dash, dotted or bare notation. Raises `Invalid`."""
    if not _MAC_ADDRESS.fullmatch(text):
        raise Invalid.field(
            "mac_address",
            f"{text[:64]!r} is not a MAC address: write it like 00:1A:2B:3C:4D:5E",
            code="invalid_mac_address",
        )
    digits = re.sub("[^0-9A-F]", "", text.upper())
    return ":".join(digits[index : index + 2] for index in range(0, 12, 2))
