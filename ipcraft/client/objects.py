"""What the API shows, as its reference has it. A newer server may show more."""

from __future__ import annotations

from typing import TypedDict


class Section(TypedDict):
    """A folder."""

    id: str
    name: str
    description: str | None
    sort_order: int
    created_at: str
    updated_at: str


class Subnet(TypedDict):
    """A subnet, with its utilization from 0 to 1."""

    id: str
    network: str
    name: str | None
    description: str | None
    section_id: str | None
    parent_id: str | None
    vrf_id: str | None
    vlan_id: str | None
    gateway: str | None
    is_pool: bool
    utilization: float
    created_at: str
    updated_at: str


class Usage(TypedDict):
    """How many addresses of a subnet are used, of how many."""

    used: int
    total: int
    utilization: float


class Address(TypedDict):
    """An address that is assigned."""

    id: str
    ip: str
    hostname: str | None
    mac_address: str | None
    description: str | None
    status: str
    owner: str | None
    subnet_id: str
    vrf_id: str | None
    created_at: str
    updated_at: str


class Vrf(TypedDict):
    """A VRF."""

    id: str
    name: str
    rd: str | None
    description: str | None
    created_at: str
    updated_at: str


class Vlan(TypedDict):
    """A VLAN."""

    id: str
    number: int
    name: str
    description: str | None
    created_at: str
    updated_at: str
