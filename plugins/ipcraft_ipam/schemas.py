"""The bodies of the inventory's requests."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.allocation import MOST
from ipcraft_ipam.fields import (
    Fixed,
    address_field,
    label_field,
    mac_address_field,
    name_field,
    network_field,
    rd_field,
    text_field,
)
from ipcraft_ipam.vlans import HIGHEST, LOWEST


class SectionBody(Schema):
    """A folder to create or, partially, to change."""

    name = name_field(required=True)
    description = text_field(allow_none=True)
    sort_order = fields.Integer()


class VrfBody(Schema):
    """A VRF to create or, partially, to change."""

    name = name_field(required=True)
    rd = rd_field(allow_none=True)
    description = text_field(allow_none=True)


class VlanBody(Schema):
    """A VLAN to create or, partially, to change."""

    number = fields.Integer(required=True, validate=validate.Range(LOWEST, HIGHEST))
    name = name_field(required=True)
    description = text_field(allow_none=True)


class SubnetFields(Schema):
    """What a subnet may be given at any time."""

    name = label_field(allow_none=True)
    description = text_field(allow_none=True)
    section_id = fields.String(allow_none=True)
    vlan_id = fields.String(allow_none=True)
    gateway = address_field(allow_none=True)
    is_pool = fields.Boolean()


class NewSubnet(SubnetFields):
    """A subnet to create."""

    network = network_field(required=True)
    vrf_id = fields.String(allow_none=True)


class SubnetChange(SubnetFields):
    """Fields of a subnet to change."""

    network = Fixed(allow_none=True)
    vrf_id = Fixed(allow_none=True)


class NextSubnet(SubnetFields):
    """A subnet to create in the next free network of a size."""

    vrf_id = fields.String(allow_none=True)
    prefix_length = fields.Integer(required=True)


class Split(Schema):
    """Into how many parts to split."""

    parts = fields.Integer(required=True)


class AddressFields(Schema):
    """What an address may be given at any time."""

    hostname = label_field(allow_none=True)
    mac_address = mac_address_field(allow_none=True)
    description = text_field(allow_none=True)
    status = fields.String(
        validate=validate.OneOf(STATUSES, error="must be one of {choices}, not {input}")
    )
    owner = label_field(allow_none=True)


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
