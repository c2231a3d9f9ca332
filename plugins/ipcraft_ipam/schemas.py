"""The bodies and queries of the inventory's requests."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Query, Schema
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.allocation import MOST
from ipcraft_ipam.fields import (
    Fixed,
    address_field,
    example,
    label_field,
    mac_address_field,
    name_field,
    network_field,
    range_field,
    rd_field,
    text_field,
)
from ipcraft_ipam.networks import BITS
from ipcraft_ipam.search import DEFAULT_LIMIT
from ipcraft_ipam.search import MOST as MOST_FOUND
from ipcraft_ipam.vlans import HIGHEST, LOWEST

_LONGEST_PREFIX = max(BITS.values())

_A_STATUS = validate.OneOf(STATUSES, error="must be one of {choices}, not {input}")


class SectionBody(Schema):
    """A folder to create or, partially, to change."""

    name = name_field(required=True, **example("Production"))
    description = text_field(allow_none=True, **example("Production network ranges"))
    sort_order = fields.Integer(**example(0))


class VrfBody(Schema):
    """A VRF to create or, partially, to change."""

    name = name_field(required=True, **example("Customer A"))
    rd = rd_field(allow_none=True)
    description = text_field(allow_none=True, **example("Everything of customer A"))


class VlanBody(Schema):
    """A VLAN to create or, partially, to change."""

    number = fields.Integer(required=True, validate=validate.Range(LOWEST, HIGHEST), **example(120))
    name = name_field(required=True, **example("Servers"))
    description = text_field(allow_none=True, **example("Servers of the first floor"))


class SubnetFields(Schema):
    """What a subnet may be given at any time."""

    name = label_field(allow_none=True, **example("Web servers"))
    description = text_field(allow_none=True, **example("Web tier subnet"))
    section_id = fields.String(allow_none=True)
    vlan_id = fields.String(allow_none=True)
    gateway = address_field(allow_none=True, **example("10.0.1.1"))
    is_pool = fields.Boolean(**example(False))


class NewSubnet(SubnetFields):
    """A subnet to create."""

    network = network_field(required=True)
    vrf_id = fields.String(allow_none=True)


class SubnetChange(SubnetFields):
    """Fields of a subnet to change."""

    network = Fixed(allow_none=True)
    vrf_id = Fixed(allow_none=True)


def prefix_length_field() -> fields.Integer:
    """Take a prefix length longer than that of a subnet, which is only known when it is read."""
    return fields.Integer(
        required=True,
        metadata={
            "description": "Longer than the subnet's.",
            "minimum": 1,
            "maximum": _LONGEST_PREFIX,
            "examples": [26],
        },
    )


class NextSubnet(SubnetFields):
    """A subnet to create in the next free network of a size."""

    vrf_id = fields.String(allow_none=True)
    prefix_length = prefix_length_field()
    gateway = address_field(allow_none=True)


class NextSubnetQuery(Query):
    """Of what size the next free network is to be."""

    prefix_length = prefix_length_field()


class Split(Schema):
    """Into how many parts to split."""

    parts = fields.Integer(
        required=True,
        metadata={"description": "A power of 2, from 2 on.", "minimum": 2, "examples": [4]},
    )


class AddressFields(Schema):
    """What an address may be given at any time."""

    hostname = label_field(allow_none=True, **example("web-01.prod"))
    mac_address = mac_address_field(allow_none=True)
    description = text_field(allow_none=True, **example("Primary web server"))
    status = fields.String(validate=_A_STATUS)
    owner = label_field(allow_none=True, **example("platform-team"))


class NewAddress(AddressFields):
    """An address to assign."""

    ip = address_field(required=True)


class AddressChange(AddressFields):
    """Fields of an address to change."""

    ip = Fixed(allow_none=True)
    vrf_id = Fixed(allow_none=True)


class NextAddresses(AddressFields):
    """Which and how many next addresses to take."""

    count = fields.Integer(validate=validate.Range(min=1, max=MOST))
    strategy = fields.String(load_default="first")


class VrfsQuery(Query):
    """Which VRFs to list."""

    name = fields.String(metadata={"description": "With exactly this name."})
    rd = rd_field(metadata={"description": "With this route distinguisher."})


class VlansQuery(Query):
    """Which VLANs to list."""

    name = fields.String(metadata={"description": "With exactly this name."})
    number = fields.Integer(validate=validate.Range(LOWEST, HIGHEST))


class SubnetsQuery(Query):
    """Which subnets to list."""

    section_id = fields.String(metadata={"description": "In this folder."})
    parent_id = fields.String(metadata={"description": "Directly inside this subnet."})
    vrf_id = fields.String(metadata={"description": "In this VRF."})
    vlan_id = fields.String(metadata={"description": "In this VLAN."})
    network = network_field(metadata={"description": "With exactly this network."})
    contains = range_field(
        metadata={
            "description": "Around this address or network, the smallest first; in the global VRF "
            "if `vrf_id` names none."
        }
    )


class AddressesQuery(Query):
    """Which addresses to list: those that match every filter given."""

    vrf_id = fields.String(metadata={"description": "In this VRF."})
    mac_address = mac_address_field()
    hostname = fields.String()
    status = fields.String(validate=_A_STATUS)
    owner = fields.String()
    ip = address_field()


class SearchQuery(Query):
    """What to search for, and how much of it is wanted."""

    q = fields.String(
        required=True,
        metadata={
            "description": "Texts, addresses, networks, MAC addresses and fields such as "
            "`vlan:120`, `vrf:blue`, `section:office` and `status:dhcp`; all must match.",
            "examples": ["web status:active"],
        },
    )
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MOST_FOUND),
        metadata={"description": "Records of each kind."},
    )
