"""Infoblox: CSV of many objects in one file.

A row that begins with ``header-<type>`` names the columns of the rows below that begin with
``<type>``. Source: https://docs.infoblox.com/space/nios90 (CSV Import Reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ipcraft_interchange.entries import Found, Kind, Problem, Unkept
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formats.columns import Convert, Layout, Synonyms, entry, plain, with_mask
from ipcraft_interchange.importers import Importer, Mapped

_HEADER = "header-"
_VIEW = ("networkview",)
_COMMENT = ("comment",)
_DEFAULT_VIEW = "default"


def _view(values: dict[str, Any]) -> dict[str, Any]:
    """Take a network view for a VRF; the default one is the global VRF."""
    if values.get("vrf") == _DEFAULT_VIEW:
        del values["vrf"]
    return values


def _network(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    with_mask(values)
    routers = [each.strip() for each in values.pop("routers", "").split(",") if each.strip()]
    if routers:
        values["gateway"] = routers[0]
    if len(routers) > 1:
        lost.append("routers")
    vlans = values.pop("vlans", "")
    if vlans:
        # "<view>/<name>/<number>"; a network may be in several.
        first = vlans.split(",")[0].strip().split("/")
        if first[-1].isdigit():
            values["vlan"] = f"{first[-1]} {first[-2]}" if len(first) > 1 else first[-1]
    return _view(values) if "network" in values else None


def _address(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    status = values.pop("status_", "active")
    values["status"] = status
    if values.get("mac_address", "x").replace(":", "").strip("0") == "":
        del values["mac_address"]  # all zeros: a reservation without one
    return _view(values) if "ip" in values else None


def _network_view(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | str | None:
    if values.get("name") == _DEFAULT_VIEW:
        return "the default network view; it is the global VRF"
    return values if "name" in values else None


_NETWORK: Synonyms = {
    "network": ("address",),
    "mask": ("netmask", "cidr"),
    "description": _COMMENT,
    "vrf": _VIEW,
    "routers": ("routers",),
    "vlans": ("vlans",),
}
_FIXED: Synonyms = {
    "ip": ("ipaddress",),
    "mac_address": ("macaddress",),
    "hostname": ("name",),
    "description": _COMMENT,
    "vrf": _VIEW,
}
_HOST_ADDRESS: Synonyms = {
    "ip": ("address",),
    "hostname": ("parent",),
    "mac_address": ("macaddress",),
    "vrf": _VIEW,
}
_TYPES: Mapping[str, tuple[Kind, Synonyms, Convert]] = {
    "networkcontainer": ("subnet", _NETWORK, _network),
    "network": ("subnet", _NETWORK, _network),
    "ipv6networkcontainer": ("subnet", _NETWORK, _network),
    "ipv6network": ("subnet", _NETWORK, _network),
    "fixedaddress": ("address", _FIXED, _address),
    "ipv6fixedaddress": ("address", _FIXED, _address),
    "hostaddress": ("address", _HOST_ADDRESS, _address),
    "ipv6hostaddress": ("address", _HOST_ADDRESS, _address),
    "networkview": ("vrf", {"name": ("name",), "description": _COMMENT}, _network_view),
}
_IGNORED = (
    "configurefordhcp",
    "configurefordns",
    "matchoption",
    "view",
    "disabled",
    "importaction",
)


def _recognizes(document: Document) -> bool:
    return bool(document.header) and document.header[0].lower().startswith(_HEADER)


def _read(document: Document, mapped: Mapped) -> Iterator[Found]:
    layouts: dict[str, Layout | None] = {}
    for row in document.rows():
        if not isinstance(row, Row):
            yield row
            continue
        word = plain(row.cells[0])
        if row.cells[0].strip().lower().startswith(_HEADER):
            kind = word.removeprefix(plain(_HEADER))
            header = [cell.strip() for cell in row.cells]
            header[0] = ""
            known = _TYPES.get(kind)
            layouts[kind] = Layout.of(header, known[1], ignored=_IGNORED) if known else None
            continue
        if word not in layouts:
            yield Problem(row.line, f"no header names the columns of {row.cells[0][:64]!r}", "1")
            continue
        layout = layouts[word]
        if layout is None:
            yield Unkept(row.line, f"{row.cells[0][:64]}: IPCraft does not keep those")
            continue
        kind_, _, convert = _TYPES[word]
        yield entry(kind_, row, layout, convert)


INFOBLOX: Sequence[Importer] = (
    Importer("infoblox", "Infoblox, CSV", _recognizes, _read, repeats=True),
)
