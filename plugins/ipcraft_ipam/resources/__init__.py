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
    return [
        Route("/api/v1/sections", SectionsResource(app)),
        Route("/api/v1/sections/{section_id}", SectionResource(app)),
        Route("/api/v1/subnets", SubnetsResource(app)),
        Route(subnet, SubnetResource(app)),
        Route(f"{subnet}/split", SplitResource(app)),
        Route(f"{subnet}/usage", UsageResource(app)),
        Route(f"{subnet}/first-free", FirstFreeResource(app)),
        Route(f"{subnet}/first-free-subnet", FirstFreeSubnetResource(app)),
        Route(f"{subnet}/addresses", SubnetAddressesResource(app)),
        Route("/api/v1/addresses", AddressesResource(app)),
        Route("/api/v1/addresses/{address_id}", AddressResource(app)),
    ]
