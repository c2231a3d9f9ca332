"""``ipcraft search``: subnets, addresses and what they are in, found by what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ipcraft.plugin import Client, Invocation, server_options
from ipcraft_ipam.addresses import STATUSES
from ipcraft_ipam.commands import remote
from ipcraft_ipam.commands.names import named_organization, organization_option
from ipcraft_ipam.search import DEFAULT_LIMIT, MOST, answer, parse

_COLUMNS = {
    "subnets": ("network", "name", "description"),
    "addresses": ("ip", "hostname", "mac_address", "status", "owner", "description"),
    "vlans": ("kind", "number", "name", "description"),
    "vrfs": ("kind", "name", "rd", "description"),
    "sections": ("kind", "name", "description"),
}
_KINDS = {"vlans": "VLAN", "vrfs": "VRF", "sections": "folder"}


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@organization_option
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="How many of each kind to show.",
)
@click.option("--explain", is_flag=True, help="Say how each term is understood.")
@server_options
@click.pass_obj
def search_command(
    invocation: Invocation,
    /,
    *,
    query: Sequence[str],
    organization: str | None,
    limit: int,
    explain: bool,
    server: Client | None,
) -> None:
    """Find subnets, addresses, VLANs, VRFs and folders, the best first.

    All terms of QUERY must match: texts, addresses, networks, MAC addresses, or fields such as
    hostname:web, vlan:120, vrf:blue, status:dhcp, in:10.0.0.0/8 and free:>50. Ends with status 1
    when nothing does.
    """
    text = " ".join(query)
    found: Mapping[str, Any]
    if server is None:
        found = _from_database(invocation, text, organization=organization, limit=limit)
    else:
        found = remote.search(server, text, limit=limit)
    if explain:
        for line in _explanation(found):
            click.echo(line)
    lines = list(_lines(found))
    for line in lines:
        click.echo(line)
    if not lines:
        hints = [term["hint"] for term in found["interpretation"] if "hint" in term]
        click.echo("; ".join(["nothing matches", *hints]), err=True)
        click.get_current_context().exit(1)


def _from_database(
    invocation: Invocation, text: str, *, organization: str | None, limit: int
) -> Mapping[str, Any]:
    terms = parse(text, statuses=STATUSES)
    app = invocation.application()
    chosen = named_organization(app, organization)
    with app.storage.look(chosen.id) as reader:
        return answer(reader, terms, limit=limit)


def _explanation(found: Mapping[str, Any]) -> Iterator[str]:
    for term in found["interpretation"]:
        meaning = ", or ".join(reading["meaning"] for reading in term["readings"])
        hint = f" ({term['hint']})" if "hint" in term else ""
        yield f"{term['term']}: {meaning}{hint}"


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Write each kind as columns, as wide as they need to be; those that are empty go."""
    for kind, names in _COLUMNS.items():
        records = [{"kind": _KINDS.get(kind), **record} for record in found.get(kind, ())]
        rows = [[_printable(record[name]) for name in names] for record in records]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
            yield "  ".join(cells).rstrip()


def _printable(value: object) -> str:
    """Keep a value on its line, and from telling the terminal anything."""
    text = "" if value is None else str(value)
    return "".join(each if each.isprintable() else " " for each in text)
