"""Exporting: everything an organization has, read page by page and written as it is read.

The columns are those of `ipcraft_interchange.formats.own`, which reads what is written here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from ipcraft.plugin import Reader, Row, rfc3339
from ipcraft_interchange.entries import Kind
from ipcraft_interchange.formats.own import COLUMNS, FILES, MARK, VERSION
from ipcraft_interchange.formulas import neutralized
from ipcraft_interchange.reading import label_of
from ipcraft_ipam import (
    DIRECTORY,
    Registered,
    Subnet,
    address_page,
    format_address,
    format_bytes,
    subnet_page,
)

Format = Literal["csv", "json"]

FORMATS: Mapping[Format, tuple[str, str]] = {
    "csv": ("ipcraft-export.zip", "application/zip"),
    "json": ("ipcraft-export.json", "application/json"),
}
"""The file's name and media type of each format."""

Look = Callable[[], AbstractContextManager[Reader]]
"""Opens a reader for a page; a slow reader of the export holds no connection."""

_PAGE = 1000
_ALL = 2**31 - 1
_QUICKLY = 1
"""The level of compression: a fifth of the time for a tenth more bytes."""


class Inventory:
    """Read what an organization has, as dictionaries of the columns."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.advance: Callable[[int], object] = lambda done: None
        """Is told how many more things were read."""
        self._names: dict[Registered, dict[str, str]] = {}

    def pages(self, kind: Kind) -> Iterator[list[dict[str, Any]]]:
        """Give everything of a kind, page by page."""
        for page in self._pages(kind):
            yield page
            self.advance(len(page))

    def _pages(self, kind: Kind) -> Iterator[list[dict[str, Any]]]:
        if kind == "subnet":
            return self._subnets()
        return self._addresses() if kind == "address" else self._registered(kind)

    def _registered(self, kind: Registered) -> Iterator[list[dict[str, Any]]]:
        with self._look() as reader:
            records = DIRECTORY[kind].register.page(reader, {}, limit=_ALL)
        if kind != "folder":
            records.reverse()  # the oldest first: so they are made again, and keep their order
        rows = [_registered_row(kind, record) for record in records]
        self._names[kind] = {row["id"]: label_of(kind, row) for row in rows}
        yield rows

    def _subnets(self) -> Iterator[list[dict[str, Any]]]:
        after: Subnet | None = None
        while True:
            with self._look() as reader:
                found = subnet_page(reader, after, limit=_PAGE)
            yield [self._subnet_row(subnet) for subnet in found]
            if len(found) < _PAGE:
                return
            after = found[-1]

    def _addresses(self) -> Iterator[list[dict[str, Any]]]:
        after: Row | None = None
        while True:
            with self._look() as reader:
                rows = address_page(reader, after, limit=_PAGE)
            yield [self._address_row(*row) for row in rows]
            if len(rows) < _PAGE:
                return
            after = rows[-1]

    def _subnet_row(self, subnet: Subnet) -> dict[str, Any]:
        return {
            "id": subnet.id,
            "network": str(subnet.network),
            "vrf": self._name("vrf", subnet.vrf_id),
            "section": self._name("folder", subnet.section_id),
            "vlan": self._name("vlan", subnet.vlan_id),
            "name": subnet.name,
            "description": subnet.description,
            "gateway": None if subnet.gateway is None else format_address(subnet.gateway),
            "is_pool": subnet.is_pool,
            "vrf_id": subnet.vrf_id or None,
            "section_id": subnet.section_id,
            "vlan_id": subnet.vlan_id,
            "created_at": rfc3339(subnet.created_at),
            "updated_at": rfc3339(subnet.updated_at),
        }

    def _address_row(self, *row: Any) -> dict[str, Any]:
        id_, vrf_id, ip, _, hostname, mac_address, description, status, owner, *times = row
        created_at, updated_at = times
        return {
            "id": id_,
            "ip": format_bytes(ip),
            "vrf": self._name("vrf", vrf_id),
            "hostname": hostname,
            "mac_address": mac_address,
            "description": description,
            "status": status,
            "owner": owner,
            "vrf_id": vrf_id or None,
            "created_at": rfc3339(created_at),
            "updated_at": rfc3339(updated_at),
        }

    def _name(self, kind: Registered, record_id: str | None) -> str | None:
        """Give the name of what is referred to, None for nothing and for what is new."""
        return self._names.get(kind, {}).get(record_id) if record_id else None


def export(inventory: Inventory, form: Format) -> Iterator[bytes]:
    """Write everything there is, piece by piece."""
    return _json_document(inventory) if form == "json" else _csv_archive(inventory)


def _json_document(inventory: Inventory) -> Iterator[bytes]:
    """Write one document, each thing on a line of its own, so that lines can be told."""
    yield f'{{"{MARK}": {VERSION}'.encode()
    for name, kind in FILES.items():
        yield f',\n"{name}": ['.encode()
        separator = b"\n"
        for page in inventory.pages(kind):
            if page:
                yield separator + b",\n".join(map(orjson.dumps, page))
                separator = b",\n"
        yield b"\n]"
    yield b"\n}\n"


def _csv_archive(inventory: Inventory) -> Iterator[bytes]:
    """Write an archive with a table for each kind."""
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED, compresslevel=_QUICKLY) as archive:
        for name, kind in FILES.items():
            columns = COLUMNS[kind]
            # An archive that is written while it is sent says at the end how large it was.
            with archive.open(_member(name), "w", force_zip64=True) as member:
                member.write(_lines([columns]))
                for page in inventory.pages(kind):
                    member.write(
                        _lines([[_cell(row[column]) for column in columns] for row in page])
                    )
                    yield pipe.take()
    yield pipe.take()


def _member(name: str) -> ZipInfo:
    """Describe a file of the archive, without a time: the same content is the same archive."""
    member = ZipInfo(f"{name}.csv")
    member.compress_type = ZIP_DEFLATED
    return member


def _registered_row(kind: Registered, record: Any) -> dict[str, Any]:
    row = {column: getattr(record, column) for column in COLUMNS[kind]}
    for column in ("created_at", "updated_at"):
        row[column] = rfc3339(row[column])
    return row


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return neutralized(value if value is None else str(value))


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


class _Pipe(io.RawIOBase):
    """Take what an archive writes, until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Give what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
