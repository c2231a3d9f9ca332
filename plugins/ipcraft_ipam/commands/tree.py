"""``ipcraft tree``: the hierarchy of subnets, with how much of each is used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import click

from ipcraft.plugin import Application, Transaction, pass_application
from ipcraft_ipam import subnet_lists, subnets, vrfs
from ipcraft_ipam.commands.names import (
    named_organization,
    named_subnet,
    organization_option,
    vrf_option,
)
from ipcraft_ipam.subnets import Subnet
from ipcraft_ipam.usage import Usage

_PAGE = 1000
_NETWORK_WIDTH = 36
_BAR_WIDTH = 10
_EXACT = 10**9
_COLORS = ((0.9, "red"), (0.7, "yellow"), (0.0, "green"))


@click.command("tree")
@click.argument("subnet", required=False)
@organization_option
@vrf_option
@click.option("--depth", type=click.IntRange(min=0), help="How many levels to show; 0 is the top.")
@pass_application
def tree_command(
    app: Application,
    *,
    subnet: str | None,
    organization: str | None,
    vrf: str | None,
    depth: int | None,
) -> None:
    """Show the subnets as a tree, with their utilization.

    SUBNET, a network or an id, shows only that branch. Without --vrf all VRFs are shown, and SUBNET
    is in the global one.
    """
    chosen = named_organization(app, organization)
    with app.storage.read(chosen.id) as tx:
        if subnet is not None:
            branches = _branch(tx, named_subnet(tx, subnet, vrf=vrf))
        else:
            filters = {} if vrf is None else {"vrf_id": vrfs.named(tx, vrf)}
            branches = subnet_lists.walk(tx, filters, size=_PAGE)
        for line in _lines(branches, vrfs.names(tx), depth=depth):
            click.echo(line)


def _branch(tx: Transaction, root: Subnet) -> Iterator[tuple[Subnet, Usage]]:
    """Give a subnet and all below it: they follow it in the order of addresses."""
    yield subnets.get_with_usage(tx, root.id)
    after = subnet_lists.place_of(root)
    for below in subnet_lists.walk(tx, {"vrf_id": root.vrf_id}, after=after, size=_PAGE):
        if below[0].network.first > root.network.last:
            return
        yield below


def _lines(
    branches: Iterator[tuple[Subnet, Usage]], names: Mapping[str, str], *, depth: int | None
) -> Iterator[str]:
    above: list[Subnet] = []
    vrf_id: str | None = None
    for subnet, usage in branches:
        if subnet.vrf_id != vrf_id:
            vrf_id, above = subnet.vrf_id, []
            if vrf_id:
                yield f"VRF {names.get(vrf_id, vrf_id)}"
        while above and above[-1].network.last < subnet.network.first:
            above.pop()
        if depth is None or len(above) <= depth:
            yield _line(subnet, usage, level=len(above))
        above.append(subnet)


def _line(subnet: Subnet, usage: Usage, *, level: int) -> str:
    network = f"{'  ' * level}{subnet.network}"
    share = f"{usage.utilization:6.1%}"
    count = f"{usage.used}/{_number(usage.total)}"
    name = f"  {subnet.name}" if subnet.name else ""
    return f"{network:<{_NETWORK_WIDTH}} {_bar(usage.utilization)} {share} {count:>12}{name}"


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
