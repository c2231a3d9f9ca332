"""The inventory over HTTP."""

from __future__ import annotations

from ipcraft.plugin import Application, Route
from ipcraft_ipam.resources.addresses import (
    AddressesResource,
    AddressResource,
    SubnetAddressesResource,
)
from ipcraft_ipam.resources.allocation import FirstFreeResource, FirstFreeSubnetResource
from ipcraft_ipam.resources.sections import SectionResource, SectionsResource
from ipcraft_ipam.resources.subnets import (
    SplitResource,
    SubnetResource,
    SubnetsResource,
    UsageResource,
)


def routes(app: Application) -> list[Route]:
    """Give the routes of the inventory."""
    subnet = "/api/v1/subnets/{subnet_id}"
    resources = {
        "/api/v1/sections": SectionsResource(app),
        "/api/v1/sections/{section_id}": SectionResource(app),
        "/api/v1/subnets": SubnetsResource(app),
        subnet: SubnetResource(app),
        f"{subnet}/split": SplitResource(app),
        f"{subnet}/usage": UsageResource(app),
        f"{subnet}/first-free": FirstFreeResource(app),
        f"{subnet}/first-free-subnet": FirstFreeSubnetResource(app),
        f"{subnet}/addresses": SubnetAddressesResource(app),
        "/api/v1/addresses": AddressesResource(app),
        "/api/v1/addresses/{address_id}": AddressResource(app),
    }
    return [Route(path, resource, deferred=True) for path, resource in resources.items()]
