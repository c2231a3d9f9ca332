"""phpIPAM: its tables for import and export, as CSV or Excel, and dumps of its database.

Source: https://github.com/phpipam/phpipam/tree/master/app/admin/import-export and db/SCHEMA.sql.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ipcraft_interchange.entries import Entry, Found, Kind, Problem, Unkept
from ipcraft_interchange.files.documents import Document
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formats.columns import (
    Convert,
    Layout,
    Synonyms,
    entry,
    plain,
    with_mask,
)
from ipcraft_interchange.formats.mysql_dump import DumpRow, rows_of
from ipcraft_interchange.importers import Importer, Mapped

_STATUSES: Mapping[str, str] = {
    "offline": "offline",
    "used": "active",
    "active": "active",
    "reserved": "reserved",
    "dhcp": "dhcp",
    "1": "offline",
    "2": "active",
    "3": "reserved",
    "4": "dhcp",
}
"""The tags that phpIPAM has from the beginning, by their names and numbers."""

_YES = {"1", "yes", "true"}
_NO_VRF = {"", "default", "/", "n/a", "no", "0"}
_DEFAULT_DOMAIN = {"", "default", "1"}


def _subnet(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    _vrf(values)
    with_mask(values)
    if values.pop("requests", "0").lower() in _YES:
        lost.append("Requests")
    vlan = values.get("vlan", "")
    if vlan.lower() in _NO_VRF:
        values.pop("vlan", None)
    return values if "network" in values else None


def _address(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    _vrf(values)
    tag = values.pop("tag", "used").lower()
    values["status"] = _STATUSES.get(tag, "active")
    if tag not in _STATUSES:
        lost.append("Tag")
    if values.pop("is_gateway", "0").lower() in _YES:
        values["status"] = "gateway"
    subnet = values.get("subnet")
    if subnet is not None and "/" not in subnet:
        del values["subnet"]  # an id of the other system
    return values if "ip" in values else None


def _vlan(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    domain = values.pop("domain", "")
    if "number" not in values:
        return None
    name = values.get("name") or f"VLAN {values['number']}"
    values["name"] = name if domain.lower() in _DEFAULT_DOMAIN else f"{name} ({domain})"
    return values


def _named(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    return values if "name" in values else None


def _vrf(values: dict[str, Any]) -> None:
    if values.get("vrf", "x").lower() in _NO_VRF:
        del values["vrf"]


_IGNORED = ("mastersubnet", "hostcheck", "discover", "lastseen", "id")
_DESCRIPTION = ("description",)
_MOST_TITLES = 4
_TABLES: Sequence[tuple[Callable[[set[str]], bool], Kind, Synonyms, Convert]] = (
    (
        lambda names: (
            "ipaddress" in names and bool(names & {"section", "tag", "gateway", "ipstate"})
        ),
        "address",
        {
            "ip": ("ipaddress",),
            "hostname": ("hostname",),
            "description": _DESCRIPTION,
            "vrf": ("vrf",),
            "subnet": ("subnet",),
            "mac_address": ("mac",),
            "owner": ("owner",),
            "tag": ("tag", "state", "ipstate"),
            "is_gateway": ("isgateway", "gateway"),
        },
        _address,
    ),
    (
        lambda names: (
            {"section", "subnet"} <= names
            and bool(names & {"mask", "mastersubnet", "vlandomain", "domain"})
        ),
        "subnet",
        {
            "network": ("subnet",),
            "mask": ("mask",),
            "name": _DESCRIPTION,
            "section": ("section",),
            "vrf": ("vrf",),
            "vlan": ("vlan",),
            "requests": ("requests",),
        },
        _subnet,
    ),
    (
        lambda names: {"name", "number", "domain"} <= names,
        "vlan",
        {
            "number": ("number",),
            "name": ("name",),
            "domain": ("domain",),
            "description": _DESCRIPTION,
        },
        _vlan,
    ),
    (
        lambda names: names == {"name", "rd", "description"},
        "vrf",
        {"name": ("name",), "rd": ("rd",), "description": _DESCRIPTION},
        _named,
    ),
    (
        lambda names: names == {"name", "description", "parent"},
        "folder",
        {"name": ("name",), "description": _DESCRIPTION, "parent": ("parent",)},
        _named,
    ),
)


def _table(header: Sequence[str]) -> tuple[Kind, Synonyms, Convert] | None:
    names = {plain(name) for name in header}
    return next(
        ((kind, synonyms, convert) for fits, kind, synonyms, convert in _TABLES if fits(names)),
        None,
    )


def _headed(document: Document) -> tuple[Row, tuple[Kind, Synonyms, Convert]] | None:
    """Give the header of a table and what is below it; the tables of one subnet have titles above.

    None where no such header is among the first rows.
    """
    if document.form != "table":
        return None
    rows = (row for row in document.rows() if isinstance(row, Row))
    for row in islice(rows, _MOST_TITLES + 1):
        table = _table(row.cells)
        if table is not None:
            return row, table
    return None


def _recognizes_table(document: Document) -> bool:
    return _headed(document) is not None


def _read_table(document: Document, mapped: Mapped) -> Iterator[Found]:
    headed = _headed(document)
    if headed is None:
        yield Problem(1, "these are not the columns of a phpIPAM table")
        return
    header, (kind, synonyms, convert) = headed
    layout = Layout.of([cell.strip() for cell in header.cells], synonyms, ignored=_IGNORED)
    found = _entries(document, header, kind, layout=layout, convert=convert)
    yield from _without_cycles(found) if kind == "folder" else found


def _entries(
    document: Document, header: Row, kind: Kind, *, layout: Layout, convert: Convert
) -> Iterator[Found]:
    for row in document.rows():
        if not isinstance(row, Row):
            yield row
        elif row.line > header.line:
            yield entry(kind, row, layout, convert)


def _without_cycles(found: Iterator[Found]) -> Iterator[Found]:
    """Drop the parents of folders, which are in no other here; refuse those in a circle."""
    entries = list(found)
    parents = {
        each.values["name"]: each.values.get("parent", "")
        for each in entries
        if isinstance(each, Entry)
    }
    for each in entries:
        if not isinstance(each, Entry):
            yield each
            continue
        name, parent = each.values["name"], each.values.get("parent", "")
        if _is_in_circle(name, parents):
            yield Problem(each.line, f"section {name} is below itself, by its parent", "Parent")
            continue
        lost = (*each.lost, "Parent") if parent.lower() not in ("", "root") else each.lost
        values = {key: value for key, value in each.values.items() if key != "parent"}
        yield Entry(each.kind, values, each.line, each.columns, lost)


def _is_in_circle(start: str, parents: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    at = parents.get(start, "")
    while at and at not in seen:
        if at == start:
            return True
        seen.add(at)
        at = parents.get(at, "")
    return False


_DUMPED = {"subnets", "ipaddresses", "sections", "vrf", "vlans", "vlanDomains", "ipTags"}
_UNKEPT_TABLES = {
    "devices": "a device",
    "customers": "a customer",
    "nat": "an address translation",
    "requests": "a request for an address",
    "racks": "a rack",
    "locations": "a location",
}


@dataclass(slots=True)
class _Dump:
    """Know what the rows of a dump refer to."""

    sections: dict[str, DumpRow] = field(default_factory=dict[str, DumpRow])
    subnets: dict[str, DumpRow] = field(default_factory=dict[str, DumpRow])
    vrfs: dict[str, DumpRow] = field(default_factory=dict[str, DumpRow])
    domains: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    gateways: dict[str, str] = field(default_factory=dict[str, str])
    """The gateways' addresses by the ids of their subnets."""


def _recognizes_dump(document: Document) -> bool:
    return document.form == "sql" and any(
        f"`{table}`" in line
        for line in document.lines()
        if line.startswith(("CREATE TABLE", "INSERT INTO"))
        for table in ("ipaddresses", "vlanDomains", "ipTags")
    )


def _read_dump(document: Document, mapped: Mapped) -> Iterator[Found]:
    dump = _Dump()
    for row in rows_of(document, _DUMPED):
        _note(dump, row)
    yield from _dumped_names(dump, document)
    for row in dump.subnets.values():
        yield _dumped_subnet(dump, row)
    for row in rows_of(document, {"ipaddresses", *_UNKEPT_TABLES}):
        if row.table == "ipaddresses":
            yield _dumped_address(dump, row)
        else:
            yield Unkept(row.line, f"{_UNKEPT_TABLES[row.table]}, which IPCraft does not keep")


def _note(dump: _Dump, row: DumpRow) -> None:
    values = row.values
    key = values.get("id") or ""
    match row.table:
        case "sections":
            dump.sections[key] = row
        case "subnets":
            dump.subnets[key] = row
        case "vrf":
            dump.vrfs[values.get("vrfId") or ""] = row
        case "vlanDomains":
            dump.domains[key] = values.get("name") or ""
        case "ipTags":
            dump.tags[key] = values.get("type") or ""
        case "ipaddresses":
            if values.get("is_gateway") == "1":
                dump.gateways[values.get("subnetId") or ""] = _ip(values.get("ip_addr"))


def _dumped_names(dump: _Dump, document: Document) -> Iterator[Found]:
    for key, row in dump.sections.items():
        values = row.values
        parent = values.get("masterSection") or "0"
        lost = ["masterSection"] if parent != "0" else []
        named = {"id": f"section {key}", "name": values.get("name"), **_described(values)}
        yield Entry("folder", named, row.line, lost=lost)
    for key, row in dump.subnets.items():
        if row.values.get("isFolder") == "1":
            name = row.values.get("description") or f"Folder {key}"
            yield Entry("folder", {"id": f"folder {key}", "name": name}, row.line)
    for key, row in dump.vrfs.items():
        values = row.values
        named = {"id": f"vrf {key}", "name": values.get("name"), **_described(values)}
        if values.get("rd"):
            named["rd"] = values["rd"]
        yield Entry("vrf", named, row.line)
    for row in rows_of(document, {"vlans"}):
        values = row.values
        domain = dump.domains.get(values.get("domainId") or "", "")
        converted = _vlan(
            {"number": values.get("number"), "name": values.get("name"), "domain": domain}, []
        )
        named = {**(converted or {}), "id": f"vlan {values.get('vlanId')}", **_described(values)}
        yield Entry("vlan", named, row.line)


def _dumped_subnet(dump: _Dump, row: DumpRow) -> Found:
    values = row.values
    if values.get("isFolder") == "1":
        return Unkept(row.line, "a folder among the subnets; it is a folder here, too")
    folder = _folder_of(dump, row)
    if folder is None:
        return Problem(
            row.line, "the subnet is below itself, by its master subnet", "masterSubnetId"
        )
    entry_values: dict[str, Any] = {
        "network": f"{_ip(values.get('subnet'))}/{values.get('mask')}",
        "name": values.get("description") or None,
        "section_id": folder,
        "is_pool": values.get("isPool") or "0",
        **_referring(values),
    }
    gateway = dump.gateways.get(values.get("id") or "")
    if gateway:
        entry_values["gateway"] = gateway
    lost = [name for name in values if name.startswith("custom_") and values[name]]
    lost += [name for name in ("customer_id", "location", "device") if _says(values.get(name))]
    return Entry("subnet", entry_values, row.line, {"network": "subnet"}, lost)


def _folder_of(dump: _Dump, row: DumpRow) -> str | None:
    """Give the reference to the nearest folder above, else to the section; None in a circle."""
    seen: set[str] = set()
    at = row.values.get("masterSubnetId") or "0"
    while at in dump.subnets:
        if at in seen or at == row.values.get("id"):
            return None
        seen.add(at)
        above = dump.subnets[at].values
        if above.get("isFolder") == "1":
            return f"folder {at}"
        at = above.get("masterSubnetId") or "0"
    return f"section {row.values.get('sectionId')}"


def _dumped_address(dump: _Dump, row: DumpRow) -> Found:
    values = row.values
    subnet = dump.subnets.get(values.get("subnetId") or "")
    tag = values.get("state") or "2"
    status = _STATUSES.get(dump.tags.get(tag, tag).lower(), _STATUSES.get(tag, "active"))
    entry_values: dict[str, Any] = {
        "ip": _ip(values.get("ip_addr")),
        "hostname": values.get("hostname") or values.get("dns_name") or None,
        "mac_address": values.get("mac") or None,
        "owner": values.get("owner") or None,
        "status": "gateway" if values.get("is_gateway") == "1" else status,
        **_described(values),
        **(_referring(subnet.values) if subnet else {}),
    }
    entry_values.pop("vlan_id", None)
    if subnet and subnet.values.get("isFolder") != "1":
        entry_values["subnet"] = f"{_ip(subnet.values.get('subnet'))}/{subnet.values.get('mask')}"
    lost = [name for name in values if name.startswith("custom_") and values[name]]
    lost += [
        name
        for name in ("note", "port", "switch", "location", "customer_id", "firewallAddressObject")
        if _says(values.get(name))
    ]
    return Entry("address", entry_values, row.line, {"ip": "ip_addr"}, lost)


def _referring(values: Mapping[str, str | None]) -> dict[str, str]:
    refers: dict[str, str] = {}
    for column, name in (("vrfId", "vrf"), ("vlanId", "vlan")):
        if _says(values.get(column)):
            refers[f"{name}_id"] = f"{name} {values[column]}"
    return refers


def _described(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {"description": values.get("description") or None}


def _says(value: str | None) -> bool:
    return value not in (None, "", "0")


def _ip(number: str | None) -> str:
    """Write an address that is kept as a decimal number; leave what is none for the report."""
    if number is None or not number.isascii() or not number.isdigit() or len(number) > 39:
        return number or ""
    value = int(number)
    if value < 1 << 32:
        return str(ipaddress.IPv4Address(value))
    return str(ipaddress.IPv6Address(value)) if value < 1 << 128 else number


PHPIPAM: Sequence[Importer] = (
    Importer("phpipam", "phpIPAM, CSV or Excel", _recognizes_table, _read_table, repeats=True),
    Importer(
        "phpipam-sql", "phpIPAM, dump of its database", _recognizes_dump, _read_dump, repeats=True
    ),
)
