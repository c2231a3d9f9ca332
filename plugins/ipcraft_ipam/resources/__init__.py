"""The inventory over HTTP."""

from __future__ import annotations

from ipcraft.plugin import Application, Route
from ipcraft_ipam.resources.addresses import (
    AddressesResource,
    AddressResource,
    SubnetAddressesResource,
)
from ipcraft_ipam.resources.allocation import FirstFreeResource, FirstFreeSubnetResource
from ipcraft_ipam.resources.search import SearchResource
from ipcraft_ipam.resources.sections import SectionResource, SectionsResource
from ipcraft_ipam.resources.subnets import (
    SplitResource,
    SubnetResource,
    SubnetsResource,
    UsageResource,
)
from ipcraft_ipam.resources.vlans import VlanResource, VlansResource
from ipcraft_ipam.resources.vrfs import VrfResource, VrfsResource


def routes(app: Application) -> list[Route]:
    """Give the routes of the inventory."""
    subnet = "/api/v1/subnets/{subnet_id}"
    resources = {
        "/api/v1/sections": SectionsResource(app),
        "/api/v1/sections/{section_id}": SectionResource(app),
        "/api/v1/vrfs": VrfsResource(app),
        "/api/v1/vrfs/{vrf_id}": VrfResource(app),
        "/api/v1/vlans": VlansResource(app),
        "/api/v1/vlans/{vlan_id}": VlanResource(app),
        "/api/v1/subnets": SubnetsResource(app),
        subnet: SubnetResource(app),
        f"{subnet}/split": SplitResource(app),
        f"{subnet}/usage": UsageResource(app),
        f"{subnet}/first-free": FirstFreeResource(app),
        f"{subnet}/first-free-subnet": FirstFreeSubnetResource(app),
        f"{subnet}/addresses": SubnetAddressesResource(app),
        "/api/v1/addresses": AddressesResource(app),
        "/api/v1/addresses/{address_id}": AddressResource(app),
        "/api/v1/search": SearchResource(app),
    }
    return [Route(path, resource, deferred=True) for path, resource in resources.items()]
