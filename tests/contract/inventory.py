"""What a test has at its start, made through the API, and short ways to ask for it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .answers import created, found

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

Resource = dict[str, Any]
"""A resource as the API gives it."""


def add_section(org: Org, name: str, **fields: object) -> Resource:
    """Create a folder."""
    made: Resource = created(org.post("/api/v1/sections", json={"name": name, **fields}))
    return made


def add_vrf(org: Org, name: str, **fields: object) -> Resource:
    """Create a VRF."""
    made: Resource = created(org.post("/api/v1/vrfs", json={"name": name, **fields}))
    return made


def add_vlan(org: Org, number: int, name: str, **fields: object) -> Resource:
    """Create a VLAN."""
    body = {"number": number, "name": name, **fields}
    made: Resource = created(org.post("/api/v1/vlans", json=body))
    return made


def add_subnet(org: Org, network: str, **fields: object) -> Resource:
    """Create a subnet."""
    made: Resource = created(org.post("/api/v1/subnets", json={"network": network, **fields}))
    return made


def add_subnets(org: Org, networks: Sequence[str]) -> dict[str, Resource]:
    """Create subnets one by one, in the given order."""
    return {network: add_subnet(org, network) for network in networks}


def add_address(org: Org, subnet: Resource, ip: str, **fields: object) -> Resource:
    """Assign an address in a subnet."""
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    made: Resource = created(org.post(path, json={"ip": ip, **fields}))
    return made


def add_addresses(org: Org, subnet: Resource, ips: Sequence[str]) -> list[Resource]:
    """Assign addresses in a subnet, all in one request."""
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    made: list[Resource] = created(org.post(path, json=[{"ip": ip} for ip in ips]))
    return made


def add_webhook(org: Org, url: str, **fields: object) -> Resource:
    """Create a webhook."""
    made: Resource = created(org.post("/api/v1/webhooks", json={"url": url, **fields}))
    return made


def add_key(org: Org, name: str = "Ansible automation", **fields: object) -> Resource:
    """Create an API key."""
    made: Resource = created(org.post("/api/v1/api-keys", json={"name": name, **fields}))
    return made


def subnet_of(org: Org, subnet: Resource) -> Resource:
    """Get the subnet as it is now."""
    now: Resource = found(org.get(f"/api/v1/subnets/{subnet['id']}"))
    return now


def address_of(org: Org, address: Resource) -> Resource:
    """Get the address as it is now."""
    now: Resource = found(org.get(f"/api/v1/addresses/{address['id']}"))
    return now


def children(org: Org, subnet: Resource) -> list[str]:
    """Get the networks of the subnet's children."""
    return [child["network"] for child in subnet_of(org, subnet)["children"]]


def networks(org: Org) -> list[str]:
    """Get the networks of all subnets, in the order of the list."""
    return [subnet["network"] for subnet in found(org.get("/api/v1/subnets"))]


def ips(org: Org, subnet: Resource) -> list[str]:
    """Get the addresses in the subnet, in the order of the list."""
    path = f"/api/v1/subnets/{subnet['id']}/addresses"
    return [address["ip"] for address in found(org.get(path))]


def usage(org: Org, subnet: Resource) -> Resource:
    """Get the subnet's usage."""
    now: Resource = found(org.get(f"/api/v1/subnets/{subnet['id']}/usage"))
    return now


def used(org: Org, subnet: Resource) -> int:
    """Get the number of addresses assigned in the subnet."""
    count: int = usage(org, subnet)["used"]
    return count


def first_free(org: Org, subnet: Resource) -> str | None:
    """Ask which address is the next."""
    ip: str | None = found(org.get(f"/api/v1/subnets/{subnet['id']}/first-free"))["ip"]
    return ip


def activity(org: Org, **params: str | int) -> list[Resource]:
    """Get what happened in the organization, newest first."""
    entries: list[Resource] = found(org.get("/api/v1/activity", params=params))
    return entries


def inventory_activity(org: Org) -> list[tuple[str, str]]:
    """Get (action, resource id) of what happened to the inventory, newest first."""
    kinds = ("folder", "subnet", "address")
    entries = activity(org, limit=200)
    return [(e["action"], e["resource_id"]) for e in entries if e["resource_type"] in kinds]
