"""Files that list networks: Amazon's as it is published, other JSON, and CSV."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from ipcraft.plugin import Invalid, did_you_mean
from ipcraft_ipam.networks import Network, parse_network

COLUMNS = (
    "network",
    "prefix",
    "cidr",
    "subnet",
    "ip_prefix",
    "ipv6_prefix",
    "ipv4prefix",
    "ipv6prefix",
)
"""What a column of networks is usually called, in lower case."""

_AMAZON = (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix"))
_EVERY_SERVICE = "AMAZON"
_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ListedNetwork:
    """Be a network that a file lists."""

    network: Network
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Be a row before its network is read."""

    text: object
    place: Callable[[], str]
    """Give line and column. PERF: only asked for what is refused; finding it costs a search."""
    name: str | None = None
    description: str | None = None


def read_networks(path: Path, *, column: str | None = None) -> list[ListedNetwork]:
    """Read the distinct networks of a file, containers before what they contain.

    `column` names the column of networks; without it the usual names are looked for. Raises
    `Invalid` naming the file, the line and the column of what cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: is not UTF-8 text (byte {error.start})") from error
    if text.lstrip()[:1] in ("{", "["):
        found = _read_json(path, text, column)
    else:
        found = _parsed(path, _csv_entries(path, text, column))
    distinct: dict[Network, ListedNetwork] = {}
    for listed in found:
        distinct.setdefault(listed.network, listed)
    return [distinct[network] for network in sorted(distinct)]


def _parsed(path: Path, entries: Iterable[_Entry]) -> list[ListedNetwork]:
    """Read the network of each entry; complain about all bad ones at once."""
    found: list[ListedNetwork] = []
    complaints: list[str] = []
    for entry in entries:
        try:
            network = parse_network(_text(entry.text))
        except Invalid as refusal:
            complaints.append(f"{path}, {entry.place()}: {refusal.message}")
        else:
            found.append(ListedNetwork(network, entry.name, entry.description))
    if complaints:
        shown = complaints[:_SHOWN]
        if len(complaints) > _SHOWN:
            shown.append(f"and {len(complaints) - _SHOWN} more")
        raise Invalid("\n".join(shown), code="invalid_file")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{value!r:.64} is no network")
    return value.strip()


def _read_json(path: Path, text: str, column: str | None) -> Iterable[ListedNetwork]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(
            f"{path}, line {error.lineno}, column {error.colno}: is not JSON: {error.msg}",
            code="invalid_file",
        ) from error
    except RecursionError as error:
        raise Invalid(f"{path}: is nested too deeply", code="invalid_file") from error
    if column is None and _is_amazon(document):
        return _merged(path, document, text)
    return _parsed(path, _json_entries(path, document, text=text, column=column))


def _is_amazon(document: object) -> bool:
    return isinstance(document, dict) and any(
        isinstance(items := document.get(table), list)
        and items
        and isinstance(items[0], dict)
        and {key, "service"} <= items[0].keys()
        for table, key in _AMAZON
    )


@dataclass(slots=True)
class _Merged:
    """Collect what Amazon's file says of one network in several places."""

    services: dict[str, None] = field(default_factory=dict)
    regions: dict[str, None] = field(default_factory=dict)

    def listed(self, network: Network) -> ListedNetwork:
        own = [service for service in self.services if service != _EVERY_SERVICE]
        name = f"{'/'.join(own or [_EVERY_SERVICE])} {'/'.join(self.regions)}".strip()
        return ListedNetwork(network, name, ", ".join(self.services))


def _merged(path: Path, document: Mapping[str, Any], text: str) -> Iterator[ListedNetwork]:
    """Give Amazon's networks, named after the service and the region they are for.

    The file lists a network once for each service. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html
    """
    merged: defaultdict[Network, _Merged] = defaultdict(_Merged)
    for table, key in _AMAZON:
        items = document.get(table, [])
        entries = _json_entries(path, items, text=text, column=key, table=table)
        for item, listed in zip(items, _parsed(path, entries), strict=True):
            one = merged[listed.network]
            one.services[str(item.get("service", _EVERY_SERVICE))] = None
            one.regions[str(item.get("region", ""))] = None
    for network, one in merged.items():
        yield one.listed(network)


def _json_entries(
    path: Path, document: object, *, text: str, column: str | None, table: str = ""
) -> Iterator[_Entry]:
    for table_, index, item in _items(path, document, table):
        where = f"{table_}[{index}]"
        if not isinstance(item, dict):
            yield _Entry(item, partial(_place, text, item, where))
            continue
        key = _key(item, column)
        if key is None:
            wanted = column or f"column of networks ({', '.join(COLUMNS)})"
            raise Invalid(
                f"{path}, {_place(text, next(iter(item.values()), None), where)}: "
                f"has no {wanted}{did_you_mean(column, item) if column else ''}",
                code="invalid_file",
            )
        yield _Entry(
            item[key],
            partial(_place, text, item[key], f"{where}.{key}"),
            _label(item, "name"),
            _label(item, "description"),
        )


def _items(path: Path, document: object, table: str) -> Iterator[tuple[str, int, object]]:
    """Give the items of a list, or of the lists in an object."""
    tables = document if isinstance(document, dict) else {table: document}
    lists = {name: items for name, items in tables.items() if isinstance(items, list)}
    if not lists:
        raise Invalid(f"{path}: has no list of networks in it", code="invalid_file")
    for name, items in lists.items():
        for index, item in enumerate(items):
            yield name, index, item


def _place(text: str, value: object, path: str) -> str:
    """Say where a value stands, by its first occurrence in the file."""
    position = text.find(json.dumps(value, ensure_ascii=False)) if isinstance(value, str) else -1
    if position < 0:
        return path
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)} ({path})"


def _csv_entries(path: Path, text: str, column: str | None) -> Iterator[_Entry]:
    rows = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text))
    header: list[str] | None = None
    index = 0
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header, index = _header(path, row, line=rows.line_num, column=column)
                if header:
                    continue
            name = header[index] if header else str(index + 1)
            cells = {key.strip().lower(): cell for key, cell in zip(header, row, strict=False)}
            yield _Entry(
                row[index] if index < len(row) else "",
                f"line {rows.line_num}, column {name}".__str__,
                _label(cells, "name"),
                _label(cells, "description"),
            )
    except csv.Error as error:
        raise Invalid(f"{path}, line {rows.line_num}: {error}", code="invalid_file") from error


def _delimiter(text: str) -> str:
    try:
        return csv.Sniffer().sniff(text[:_SAMPLE], delimiters=_DELIMITERS).delimiter
    except csv.Error:
        return ","  # one column


def _header(
    path: Path, row: Sequence[str], *, line: int, column: str | None
) -> tuple[list[str], int]:
    """Give the names of the columns, none if the first row has a network, and the one to read."""
    key = _key(dict.fromkeys(row), column)
    if key is not None:
        return list(row), row.index(key)
    if column is None:
        for index, cell in enumerate(row):
            if _is_network(cell):
                return [], index
    missing = (
        f"no column {column!r}{did_you_mean(column, row)}"
        if column
        else (f"no column of networks ({', '.join(COLUMNS)}): name it with --column")
    )
    raise Invalid(
        f"{path}, line {line}: there is {missing}; the columns are {', '.join(row):.500}",
        code="invalid_file",
    )


def _key(row: Mapping[str, object], column: str | None) -> str | None:
    """Give the name of the column of networks as the row spells it."""
    if column is not None:
        return column if column in row else None
    spelled = {key.strip().lower(): key for key in row}
    return next((spelled[name] for name in COLUMNS if name in spelled), None)


def _label(row: Mapping[str, object], key: str) -> str | None:
    value = row.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _is_network(text: str) -> bool:
    try:
        parse_network(text.strip())
    except Invalid:
        return False
    return True
