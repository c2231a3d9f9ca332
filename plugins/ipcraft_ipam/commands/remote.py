"""The inventory of a served IPCraft, asked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipcraft.plugin import Client, NotFound, is_id
from ipcraft_ipam.networks import Network, parse_network
from ipcraft_ipam.tables import GLOBAL_VRF


def take(
    server: Client, subnet: str, body: Mapping[str, Any], *, vrf: str | None = None
) -> list[str]:
    """Take addresses of a subnet, named by its id or its network in a VRF, by default the global.

    `body` has a ``count`` and what else ``POST first-free`` knows. Raises `RequestRefused` with
    what the server said, `Unreachable` when there is none, and `NotFound`.
    """
    subnet_id = subnet if is_id(subnet, "sub") else _find(server, subnet, vrf=vrf)
    return [address["ip"] for address in server.subnets.take_many(subnet_id, **body)]


def branches(
    server: Client, subnet: str | None, *, vrf: str | None
) -> Iterator[tuple[Network, Mapping[str, Any]]]:
    """Give all subnets by address, or one and all below it, as the server shows them.

    Raises as `take` does.
    """
    if subnet is None:
        filters = {} if vrf is None else {"vrf_id": _vrf_id(server, vrf)}
        for found in server.subnets.each(**filters):
            yield parse_network(found["network"]), found
        return
    subnet_id = subnet if is_id(subnet, "sub") else _find(server, subnet, vrf=vrf)
    root = server.subnets.get(subnet_id)
    around = parse_network(root["network"])
    for found in server.subnets.each(vrf_id=root["vrf_id"] or GLOBAL_VRF):
        network = parse_network(found["network"])
        if around.first <= network.first and network.last <= around.last:
            yield network, found


def vrf_names(server: Client) -> dict[str, str]:
    """Give the names of all VRFs by their ids."""
    return {vrf["id"]: vrf["name"] for vrf in server.vrfs.each()}


def search(server: Client, query: str, *, limit: int) -> Mapping[str, Any]:
    """Search, and give the answer of ``GET search``. Raises as `take` does."""
    answer: Mapping[str, Any] = server.request("GET", "search", q=query, limit=limit).body
    return answer


def _find(server: Client, text: str, *, vrf: str | None) -> str:
    network = str(parse_network(text))
    vrf_id = _vrf_id(server, vrf) if vrf else GLOBAL_VRF
    subnet = server.subnets.find(network=network, vrf_id=vrf_id)
    if subnet is None:
        raise NotFound(f"there is no subnet {network}" + (f" in VRF {vrf}" if vrf else ""))
    return subnet["id"]


def _vrf_id(server: Client, text: str) -> str:
    if is_id(text, "vrf"):
        return text
    names = [{"name": text}]
    if ":" in text:
        names.append({"rd": text})
    for name in names:
        vrf = server.vrfs.find(**name)
        if vrf is not None:
            return vrf["id"]
    raise NotFound(f"there is no VRF {text}")
