"""``ipcraft tree``: the hierarchy of subnets, with how much of each is used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ipcraft.plugin import Client, Invocation, Transaction, server_options
from ipcraft_ipam import subnet_lists, subnets, vrfs
from ipcraft_ipam.commands import remote
from ipcraft_ipam.commands.names import (
    named_organization,
    named_subnet,
    organization_option,
    vrf_option,
)
from ipcraft_ipam.networks import Network
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.tables import GLOBAL_VRF
from ipcraft_ipam.usage import Usage

_PAGE = 1000
_NETWORK_WIDTH = 36
_BAR_WIDTH = 10
_EXACT = 10**9
_COLORS = ((0.9, "red"), (0.7, "yellow"), (0.0, "green"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Be a subnet in the tree; `count` says how many addresses are used, where that is known."""

    network: Network
    vrf_id: str
    name: str | None
    utilization: float
    count: str = ""


@click.command("tree")
@click.argument("subnet", required=False)
@organization_option
@vrf_option
@click.option("--depth", type=click.IntRange(min=0), help="How many levels to show; 0 is the top.")
@server_options
@click.pass_obj
def tree_command(
    invocation: Invocation,
    /,
    *,
    subnet: str | None,
    organization: str | None,
    vrf: str | None,
    depth: int | None,
    server: Client | None,
) -> None:
    """Show the subnets as a tree, with their utilization.

    SUBNET, a network or an id, shows only that branch. Without --vrf all VRFs are shown, and SUBNET
    is in the global one. A server does not tell how many addresses are used, only the share.
    """
    if server is not None:
        names = remote.vrf_names(server)
        found = (_shown(*each) for each in remote.branches(server, subnet, vrf=vrf))
        for line in _lines(found, names, depth=depth):
            click.echo(line)
        return
    app = invocation.application()
    chosen = named_organization(app, organization)
    with app.storage.read(chosen.id) as tx:
        for line in _lines(_stored(tx, subnet, vrf=vrf), vrfs.names(tx), depth=depth):
            click.echo(line)


def _stored(tx: Transaction, subnet: str | None, *, vrf: str | None) -> Iterator[Branch]:
    """Give what the database has, in the order of addresses."""
    if subnet is not None:
        found = _below(tx, named_subnet(tx, subnet, vrf=vrf))
    else:
        filters = {} if vrf is None else {"vrf_id": vrfs.named(tx, vrf)}
        found = subnet_lists.walk(tx, filters, size=_PAGE)
    for each, usage in found:
        yield Branch(
            network=each.network,
            vrf_id=each.vrf_id,
            name=each.name,
            utilization=usage.utilization,
            count=f"{usage.used}/{_number(usage.total)}",
        )


def _below(tx: Transaction, root: Subnet) -> Iterator[tuple[Subnet, Usage]]:
    """Give a subnet and all below it: they follow it in the order of addresses."""
    yield subnets.get_with_usage(tx, root.id)
    after = subnet_lists.place_of(root)
    for below in subnet_lists.walk(tx, {"vrf_id": root.vrf_id}, after=after, size=_PAGE):
        if below[0].network.first > root.network.last:
            return
        yield below


def _shown(network: Network, subnet: Mapping[str, Any]) -> Branch:
    """Give what a server shows."""
    return Branch(
        network=network,
        vrf_id=subnet["vrf_id"] or GLOBAL_VRF,
        name=subnet["name"],
        utilization=subnet["utilization"],
    )


def _lines(
    branches: Iterator[Branch], names: Mapping[str, str], *, depth: int | None
) -> Iterator[str]:
    above: list[Network] = []
    vrf_id = GLOBAL_VRF
    for branch in branches:
        if branch.vrf_id != vrf_id:
            vrf_id, above = branch.vrf_id, []
            if vrf_id:
                yield f"VRF {names.get(vrf_id, vrf_id)}"
        while above and above[-1].last < branch.network.first:
            above.pop()
        if depth is None or len(above) <= depth:
            yield _line(branch, level=len(above))
        above.append(branch.network)


def _line(branch: Branch, *, level: int) -> str:
    network = f"{'  ' * level}{branch.network}"
    share = f"{branch.utilization:6.1%}"
    name = f"  {branch.name}" if branch.name else ""
    bar = _bar(branch.utilization)
    return f"{network:<{_NETWORK_WIDTH}} {bar} {share} {branch.count:>12}{name}".rstrip()


def _bar(utilization: float) -> str:
    filled = round(utilization * _BAR_WIDTH)
    full, empty = "█░" if _has_blocks() else "#."
    color = next(color for least, color in _COLORS if utilization >= least)
    return click.style(full * filled, fg=color) + empty * (_BAR_WIDTH - filled)


def _has_blocks() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def _number(total: int) -> str:
    """Write a number of addresses; what nobody counts as a power of two."""
    return str(total) if total < _EXACT else f"2^{(total + 1).bit_length() - 1}"
