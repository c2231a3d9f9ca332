"""NetBox: its CSV for import and bulk export, its tables' exports, and its API's JSON.

Columns vary with the version and with what the user chose, so each goes by several names.
Source: https://netboxlabs.com/docs/netbox/models/ipam/prefix/ and
https://github.com/netbox-community/netbox/tree/main/netbox/ipam/forms
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ipcraft_interchange.entries import Entry, Found, Kind, Problem, Unkept
from ipcraft_interchange.files.documents import Document, keys_of
from ipcraft_interchange.files.tables import Row
from ipcraft_interchange.formats.columns import Convert, Layout, entry, plain
from ipcraft_interchange.importers import Importer, Mapped

_NAME_AND_RD = re.compile(r"(?P<name>.+) \((?P<rd>[^()]*:[^()]*)\)")
_STATUSES: Mapping[str, str] = {
    "active": "active",
    "reserved": "reserved",
    "deprecated": "deprecated",
    "dhcp": "dhcp",
    "slaac": "dhcp",
    "offline": "offline",
}
_ORDINARY = {"active", "container", "false", "no", "✘", "—", "0", "0.0%"}
"""Values that say nothing which would be missed."""

_IGNORED = (
    "id",
    "url",
    "display",
    "displayurl",
    "created",
    "lastupdated",
    "children",
    "depth",
    "family",
    "prefix(flat)",
    "utilization",
    "prefixcount",
    "ipaddresscount",
    "enforceunique",
    "markutilized",
    "markedutilized",
    "natinside",
    "prefixes",
    "ipcount",
    "slug",
)
_SITE = ("vlangroup", "vlansite", "site")


def _vrf(values: dict[str, Any]) -> None:
    """Take the name of "name (rd)", as tables show it; the global VRF is none."""
    text = values.get("vrf")
    if text is not None:
        found = _NAME_AND_RD.fullmatch(text)
        values["vrf"] = found["name"] if found else text
        if values["vrf"] in ("Global", "—"):
            del values["vrf"]


def _prefix(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    _vrf(values)
    _drop_ordinary(values, lost, "status")
    scope = values.pop("vlan_scope", "")
    number = values.pop("vlan_number", None)
    if number is not None:
        values["vlan_id"] = _vlan_id(scope, _number(number))
    return values if "network" in values else None


def _address(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    _vrf(values)
    status = values.get("status", "active").lower()
    values["status"] = _STATUSES.get(status, "active")
    if status not in _STATUSES:
        lost.append("status")
    return values if "ip" in values else None


def _vlan(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    if "number" not in values:
        return None
    _drop_ordinary(values, lost, "status")
    site, group = values.pop("site", ""), values.pop("group", "")
    place = group or site
    number = values["number"]
    name = values.get("name") or f"VLAN {number}"
    values["name"] = f"{name} ({place})" if place else name
    values["id"] = _vlan_id(place, number)
    values["aliases"] = [_vlan_id(each, number) for each in (site, group) if each]
    return values


def _named(values: dict[str, Any], lost: list[str]) -> Mapping[str, Any] | None:
    return values if "name" in values else None


def _no_ranges(values: dict[str, Any], lost: list[str]) -> str:
    return "a range of addresses; IPCraft keeps subnets and single addresses"


def _no_groups(values: dict[str, Any], lost: list[str]) -> str:
    return "a group of VLANs; its name stands in the names of its VLANs"


def _drop_ordinary(values: dict[str, Any], lost: list[str], name: str) -> None:
    value = values.pop(name, "active")
    if value.lower() not in _ORDINARY:
        lost.append(name)


def _vlan_id(scope: str, number: str) -> str:
    return f"{scope}/{number}"


def _number(text: str) -> str:
    """Take the number of "Data (100)", as tables show a VLAN."""
    found = re.fullmatch(r".*\((\d+)\)", text)
    return found[1] if found else text


_Table = tuple[Kind, Mapping[str, Sequence[str]], Convert]

_TABLES: Sequence[tuple[Callable[[set[str]], bool], _Table]] = (
    (
        lambda names: {"startaddress", "endaddress"} <= names,
        ("subnet", {"network": ("startaddress",)}, _no_ranges),
    ),
    (
        lambda names: (
            "prefix" in names
            and bool(names & {"status", "rir", "tenant", "scopetype", "markutilized"})
        ),
        (
            "subnet",
            {
                "network": ("prefix",),
                "vrf": ("vrf",),
                "vlan_number": ("vlan", "vlanid"),
                "vlan_scope": _SITE,
                "status": ("status",),
                "is_pool": ("ispool", "pool"),
                "description": ("description",),
            },
            _prefix,
        ),
    ),
    (
        lambda names: (
            bool(names & {"address", "ipaddress"})
            and bool(names & {"dnsname", "natinside", "nat(inside)", "isprimary", "assigned"})
        ),
        (
            "address",
            {
                "ip": ("address", "ipaddress"),
                "vrf": ("vrf",),
                "status": ("status",),
                "hostname": ("dnsname",),
                "description": ("description",),
            },
            _address,
        ),
    ),
    (
        lambda names: "name" in names and bool(names & {"vid", "qinqrole"}),
        (
            "vlan",
            {
                "number": ("vid", "id"),
                "name": ("name",),
                "site": ("site",),
                "group": ("group",),
                "status": ("status",),
                "description": ("description",),
            },
            _vlan,
        ),
    ),
    (
        lambda names: (
            {"name", "rd"} <= names
            and bool(names & {"enforceunique", "importtargets", "unique", "tenant"})
        ),
        (
            "vrf",
            {"name": ("name",), "rd": ("rd",), "description": ("description",)},
            _named,
        ),
    ),
    (
        lambda names: {"name", "vidranges"} <= names,
        ("vlan", {"name": ("name",)}, _no_groups),
    ),
)


def _table(header: Sequence[str]) -> _Table | None:
    names = {plain(name) for name in header}
    return next((table for fits, table in _TABLES if fits(names)), None)


def _recognizes_table(document: Document) -> bool:
    return _table(document.header) is not None


def _read_table(document: Document, mapped: Mapped) -> Iterator[Found]:
    scopes = _Scopes()
    shape: tuple[Kind, Layout, Convert] | None = None
    for row in document.rows():
        if not isinstance(row, Row):
            yield row
            continue
        if shape is None:
            header = [cell.strip() for cell in row.cells]
            table = _table(header)
            if table is None:
                yield Problem(row.line, "these are not the columns of a NetBox table")
                return
            kind, synonyms, convert = table
            shape = kind, Layout.of(header, synonyms, ignored=_IGNORED), convert
            continue
        kind, layout, convert = shape
        yield from scopes.with_vlan(_less_ordinary(entry(kind, row, layout, convert), row, layout))


def _less_ordinary(found: Found, row: Row, layout: Layout) -> Found:
    """Leave out of what is lost the columns that say nothing special."""
    if not isinstance(found, Entry) or not found.lost:
        return found
    ordinary = {
        name
        for name, index in layout.others
        if index < len(row.cells) and row.cells[index].strip().lower() in _ORDINARY
    }
    return replace(found, lost=[name for name in found.lost if name not in ordinary])


class _Scopes:
    """Give the VLANs that prefixes name, for a file that has no table of them."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def with_vlan(self, found: Found) -> Iterator[Found]:
        vlan_id = found.values.get("vlan_id") if isinstance(found, Entry) else None
        if isinstance(found, Entry) and vlan_id and vlan_id not in self._seen:
            self._seen.add(vlan_id)
            scope, _, number = vlan_id.rpartition("/")
            name = f"VLAN {number} ({scope})" if scope else f"VLAN {number}"
            values = {"id": vlan_id, "number": number, "name": name}
            yield Entry("vlan", values, found.line, found.columns, implied=True)
        yield found


_KEYS: Sequence[frozenset[str]] = (
    frozenset({"prefix", "family", "vrf"}),
    frozenset({"address", "family", "dns_name"}),
    frozenset({"vid", "name", "site"}),
    frozenset({"rd", "enforce_unique"}),
)


def _recognizes_json(document: Document) -> bool:
    return any(keys <= keys_of(item.value) for item in document.sample for keys in _KEYS)


def _read_json(document: Document, mapped: Mapped) -> Iterator[Found]:
    scopes = _Scopes()
    for item in document.items():
        if item.index is None:
            continue
        if not isinstance(item.value, dict):
            yield Problem(item.line, f"{item.path} is no object", str(item.column))
            continue
        flat = _flat(item.value)
        table = _table(list(flat))
        if table is None:
            yield Unkept(item.line, f"{item.path} is nothing that IPCraft keeps")
            continue
        kind, synonyms, convert = table
        layout = Layout.of(list(flat), synonyms, ignored=_IGNORED)
        row = Row(item.line, list(flat.values()))
        yield from scopes.with_vlan(_less_ordinary(entry(kind, row, layout, convert), row, layout))


def _flat(value: Mapping[str, Any]) -> dict[str, str]:
    """Write an object of the API as a row: choices by value, what it refers to by name."""
    flat: dict[str, str] = {}
    for name, each in value.items():
        if isinstance(each, Mapping):
            if name == "vlan":
                flat["vlan"] = str(each.get("vid", ""))
                continue
            inner = each.get("value", each.get("name", each.get("display", "")))
            flat[name] = "" if inner is None else str(inner)
        elif isinstance(each, list):
            flat[name] = ", ".join(
                str(one.get("display", one)) if isinstance(one, Mapping) else str(one)
                for one in each
            )
        elif isinstance(each, bool):
            flat[name] = "true" if each else "false"
        elif name == "custom_fields" or each is None:
            flat[name] = ""
        else:
            flat[name] = str(each)
    custom = value.get("custom_fields")
    for key, each in custom.items() if isinstance(custom, Mapping) else ():
        flat[f"cf_{key}"] = "" if each is None else str(each)
    return flat


NETBOX: Sequence[Importer] = (
    Importer("netbox-csv", "NetBox, CSV", _recognizes_table, _read_table, repeats=True),
    Importer("netbox-json", "NetBox, JSON of its API", _recognizes_json, _read_json, repeats=True),
)
