"""What a person types for an organization or a subnet."""

from __future__ import annotations

import click

from ipcraft.plugin import Application, NotFound, StartError, Transaction, is_id
from ipcraft_accounts import Organization, find_organization, list_organizations
from ipcraft_ipam import subnets, vrfs
from ipcraft_ipam.networks import parse_network
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import GLOBAL_VRF

_SHOWN = 20

organization_option = click.option(
    "--org",
    "organization",
    metavar="ORG",
    help="The organization, by name or id; may be left out when there is only one.",
)
vrf_option = click.option(
    "--vrf",
    metavar="VRF",
    help="The VRF, by name, route distinguisher or id; the global one is ''.",
)


def named_organization(app: Application, text: str | None) -> Organization:
    """Find the organization meant: the only one there is, if none was named.

    Raises `NotFound` and `Invalid`, and `StartError` when it must be named.
    """
    if text is not None:
        return find_organization(app.storage, text)
    found = list_organizations(app.storage)
    if not found:
        raise StartError(
            "there is no organization yet: make one with `ipcraft org create NAME --owner EMAIL`"
        )
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise StartError(f"say which organization is meant with --org: {names}{more}")
    return found[0]


def named_subnet(tx: Transaction, text: str, *, vrf: str | None = None) -> Subnet:
    """Find a subnet by its id, or by its network in a VRF, the global one if none was named.

    Raises `NotFound`, and `Invalid` for what is neither.
    """
    if is_id(text, "sub"):
        return subnets.get(tx, text)
    network = parse_network(text)
    vrf_id = vrfs.named(tx, vrf or GLOBAL_VRF)
    found = subnets.container(tx, vrf_id, network)
    if found is None or found.network != network:
        within = f" in VRF {vrf}" if vrf else ""
        inside = f"; the smallest around it is {found.network}" if found else ""
        raise NotFound(f"there is no subnet {network}{within}{inside}")
    return found
