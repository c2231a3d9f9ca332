"""Tables and JSON lists of nobody in particular, by the names that columns usually have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ipcraft.plugin import Invalid, did_you_mean
from ipcraft_interchange.entries import FIELDS, Broken, Entry, Found, Kind, Problem
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formats.columns import Layout, entry, plain, with_mask
from ipcraft_interchange.importers import Importer, Mapped
from ipcraft_ipam import parse_address, parse_network

_NETWORK = (
    "network",
    "prefix",
    "cidr",
    "subnet",
    "ipprefix",
    "ipv6prefix",
    "ipv4prefix",
    "cidrblock",
    "networkaddress",
)
_IP = ("ip", "ipaddress", "address", "ipaddr", "ipv4address", "ipv6address", "hostaddress")
_SHARED = {
    "description": ("description", "comment", "comments", "note", "notes", "desc"),
    "vrf": ("vrf", "vrfname", "networkview", "routingtable"),
    "vrf_id": ("vrfid",),
    "mask": ("mask", "netmask", "subnetmask", "prefixlength", "bits"),
}
_SYNONYMS: Mapping[Kind, Mapping[str, Sequence[str]]] = {
    "address": {
        "ip": _IP,
        "hostname": ("hostname", "host", "dnsname", "fqdn", "dns", "name"),
        "mac_address": ("macaddress", "mac", "hwaddr", "hardwareaddress", "physicaladdress"),
        "status": ("status", "state"),
        "owner": ("owner", "contact", "assignedto", "responsible"),
        "subnet": _NETWORK,
        **_SHARED,
    },
    "subnet": {
        "network": _NETWORK,
        "name": ("name", "label", "title"),
        "section": ("section", "folder", "group"),
        "section_id": ("sectionid",),
        "vlan": ("vlan", "vlannumber", "vid"),
        "vlan_id": ("vlanid",),
        "gateway": ("gateway", "router", "gw", "defaultgateway"),
        "is_pool": ("ispool", "pool"),
        "parent": ("parent", "parentnetwork", "supernet", "master"),
        **_SHARED,
    },
    "vlan": {
        "number": ("number", "vlan", "vid", "vlannumber"),
        "name": ("name",),
        "description": _SHARED["description"],
    },
    "vrf": {
        "rd": ("rd", "routedistinguisher"),
        "name": ("name", "vrf"),
        "description": _SHARED["description"],
    },
    "folder": {
        "name": ("section", "folder"),
        "description": _SHARED["description"],
        "sort_order": ("sortorder",),
    },
}
_TELLING: Mapping[Kind, str] = {
    "address": "ip",
    "subnet": "network",
    "vlan": "number",
    "vrf": "rd",
    "folder": "name",
}
"""The field without which a table is not of the kind, in the order in which they are tried."""

_IGNORED = ("id", "createdat", "updatedat", "utilization", "parentid", "subnetid")


def _recognizes_table(document: Document) -> bool:
    return document.form == "table"


def _read_table(document: Document, mapped: Mapped) -> Iterator[Found]:
    shape: tuple[Kind, Layout] | None = None
    for row in document.rows():
        if not isinstance(row, Row):
            yield row
            continue
        if shape is None:
            header = [cell.strip() for cell in row.cells]
            shape, is_header = _shape(header, mapped, line=row.line)
            if is_header:
                continue
        kind, layout = shape
        yield entry(kind, row, layout, _converters[kind])


def _shape(header: Sequence[str], mapped: Mapped, *, line: int) -> tuple[tuple[Kind, Layout], bool]:
    """Give the kind and the layout of a table, and whether its first row is a header."""
    _check_mapped(header, mapped)
    for kind, field in _TELLING.items():
        own = {name: column for name, column in mapped.items() if name in (*FIELDS[kind], "mask")}
        if len(own) < len(mapped):
            continue
        layout = Layout.of(header, _SYNONYMS[kind], ignored=_IGNORED, mapped=own)
        if field in layout.names:
            return (kind, layout), True
    for index, cell in enumerate(header):
        kind_of_cell = _kind_of(cell)
        if kind_of_cell and not mapped:
            field = _TELLING[kind_of_cell]
            name = f"{index + 1}"
            return (kind_of_cell, Layout([(field, index)], [], {field: name})), False
    raise Broken(
        "no column has networks or addresses; say which one does (the columns are "
        f"{', '.join(header)})"[:500],
        line=line,
    )


def _check_mapped(header: Sequence[str], mapped: Mapped) -> None:
    known = {plain(name) for name in header}
    for field, column in mapped.items():
        if column not in header and plain(column) not in known:
            raise Broken(
                f"there is no column {column!r:.64} for {field}{did_you_mean(column, header)}",
                line=1,
            )


def _kind_of(cell: str) -> Kind | None:
    for kind, parse in (("subnet", parse_network), ("address", parse_address)):
        try:
            parse(cell)
        except Invalid:
            continue
        return kind  # type: ignore[return-value]
    return None


def _address(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any]:
    return with_mask(values, "ip")


def _subnet(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any]:
    return with_mask(values)


def _plain(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any]:
    return values


_converters = {
    "address": _address,
    "subnet": _subnet,
    "vlan": _plain,
    "vrf": _plain,
    "folder": _plain,
}


def _recognizes_list(document: Document) -> bool:
    return document.form == "json" and any(item.index is not None for item in document.sample)


def _read_list(document: Document, mapped: Mapped) -> Iterator[Found]:
    layouts: dict[tuple[str, ...], tuple[Kind, Layout] | None] = {}
    for item in document.items():
        if item.index is None:
            continue
        value, column = item.value, str(item.column)
        if isinstance(value, str):
            value = {"network" if "/" in value else "ip": value}
        if not isinstance(value, dict):
            yield Problem(item.line, f"{item.path} is no object", column)
            continue
        header = tuple(value)
        if header not in layouts:
            layouts[header] = _json_shape(header, mapped)
        shape = layouts[header]
        if shape is None:
            yield Problem(item.line, f"{item.path} has no network and no address", column)
            continue
        kind, layout = shape
        cells = [_text(each) for each in value.values()]
        lost = layout.lost(cells)
        converted = _converters[kind](layout.values(cells), lost)
        yield Entry(kind, converted, item.line, layout.names, lost)


def _json_shape(header: Sequence[str], mapped: Mapped) -> tuple[Kind, Layout] | None:
    try:
        shape, is_header = _shape(header, mapped, line=1)
    except Broken:
        return None
    return shape if is_header else None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


GENERIC: Sequence[Importer] = (
    Importer(
        "csv", "Any table with networks or addresses", _recognizes_table, _read_table, fallback=True
    ),
    Importer(
        "json",
        "Any JSON list of networks or addresses",
        _recognizes_list,
        _read_list,
        fallback=True,
    ),
)
