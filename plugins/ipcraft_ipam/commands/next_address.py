"""``ipcraft next``: the next free addresses of a subnet, taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from marshmallow import ValidationError

from ipcraft.plugin import Client, Invalid, Invocation, Transaction, server_options
from ipcraft_ipam import allocation
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.commands.names import (
    named_organization,
    named_subnet,
    organization_option,
    vrf_option,
)
from ipcraft_ipam.commands.remote import take
from ipcraft_ipam.networks import format_address
from ipcraft_ipam.schemas import NextAddresses
from ipcraft_ipam.strategies import AllocationStrategy, named

_BODY = NextAddresses()


@click.command("next")
@click.argument("subnet")
@organization_option
@vrf_option
@click.option(
    "--count",
    type=click.IntRange(1, allocation.MOST),
    default=1,
    show_default=True,
    help="How many to take.",
)
@click.option(
    "--strategy", metavar="NAME", default="first", show_default=True, help="How to choose them."
)
@click.option("--hostname", help="Who gets the address.")
@click.option("--mac", "mac_address", metavar="MAC", help="Its MAC address, in any usual notation.")
@click.option("--description", help="What it is for.")
@click.option("--status", help="One of the statuses of an address; `active` without it.")
@click.option("--owner", help="Who answers for it.")
@server_options
@click.pass_obj
def next_command(
    invocation: Invocation,
    /,
    *,
    subnet: str,
    organization: str | None,
    vrf: str | None,
    server: Client | None,
    **options: str | int | None,
) -> None:
    """Take the next free addresses of a subnet and print them, one on a line.

    SUBNET is a network, in the global VRF unless --vrf says otherwise, or an id. All of COUNT are
    taken, or none.
    """
    body = {name: value for name, value in options.items() if value is not None}
    if server is None:
        taken = _from_database(invocation, subnet, body, organization=organization, vrf=vrf)
    else:
        taken = take(server, subnet, body, vrf=vrf)
    click.echo("\n".join(taken))


def _from_database(
    invocation: Invocation,
    subnet: str,
    body: Mapping[str, Any],
    *,
    organization: str | None,
    vrf: str | None,
) -> list[str]:
    fields = _checked(body)
    app = invocation.application()
    strategies = app.registry.named(
        "ipcraft_allocation_strategies", kind=AllocationStrategy, app=app
    )
    strategy = named(strategies, fields.pop("strategy"))
    count = fields.pop("count")
    chosen = named_organization(app, organization)

    def work(tx: Transaction) -> list[Address]:
        home = named_subnet(tx, subnet, vrf=vrf)
        return allocation.take(tx, home.id, fields, strategy=strategy, count=count)

    return [format_address(each.ip) for each in app.storage.transact(chosen.id, work)]


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(_BODY.load(dict(body)))
    except ValidationError as error:
        complaints = [
            f"--{name.removesuffix('_address')}: {complaint}"
            for name, found in error.messages_dict.items()
            for complaint in found
        ]
        raise Invalid("\n".join(complaints)) from error
