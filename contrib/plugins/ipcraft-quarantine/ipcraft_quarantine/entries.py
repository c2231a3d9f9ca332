"""Entries: which addresses rest, since when and until when.

An entry whose end has passed counts for nothing. It goes away with a later release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, delete, func, insert, select, tuple_

from ipcraft.plugin import (
    AddressBytes,
    Change,
    NotFound,
    Row,
    Statement,
    Transaction,
    given,
    is_id,
    new_id,
    own,
)
from ipcraft_ipam import Span, format_address, from_bytes, to_bytes
from ipcraft_quarantine.tables import quarantine

FIRST: Row = ("", b"")
"""The place before every entry in the order of lists."""

_PREFIX = "quar"
_PAGE = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """Be an address in quarantine: `ip` a number, times in seconds since the epoch."""

    id: str
    vrf_id: str
    ip: int
    released_at: int
    ends_at: int

    @property
    def position(self) -> Row:
        """Give the entry's place in the order of lists."""
        return self.vrf_id, to_bytes(self.ip)


def _entry(id: str, vrf_id: str, ip: bytes, *times: int) -> Entry:  # noqa: A002 - the column
    return Entry(id, vrf_id, from_bytes(ip), *times)


_q = quarantine.c
_COLUMNS = (_q.id, _q.vrf_id, _q.ip, _q.released_at, _q.ends_at)
_own = _q.organization_id == own()
_of_address = (_own, _q.vrf_id == given("vrf_id"), _q.ip == given("ip", AddressBytes))
_resting = _q.ends_at > given("now", BigInteger())
_ended = (
    select(_q.id)
    .where(_own, _q.ends_at <= given("now", BigInteger()))
    .order_by(_q.ends_at)
    .limit(16)
    .with_for_update(skip_locked=True)
)
_END = Statement(select(_q.ends_at).where(*_of_address, _resting))
_INSERT = Statement(insert(quarantine))
_DELETE_OLD = Statement(delete(quarantine).where(*_of_address))
_DELETE_ENDED = Statement(delete(quarantine).where(_own, _q.id.in_(_ended)))
_TAKE = Statement(
    select(*_COLUMNS).where(_own, _q.id == given("id"), _resting).with_for_update(), _entry
)
_DELETE = Statement(delete(quarantine).where(_own, _q.id == given("id")))
_LIST = Statement(
    select(*_COLUMNS)
    .where(
        _own,
        _resting,
        tuple_(_q.vrf_id, _q.ip) > tuple_(given("after_vrf_id"), given("after_ip", AddressBytes)),
    )
    .order_by(_q.vrf_id, _q.ip)
    .limit(given("limit", Integer()))
    .offset(given("offset", BigInteger())),
    _entry,
)
_COUNT = Statement(select(func.count()).select_from(quarantine).where(_own, _resting))
_UPWARD = Statement(
    select(_q.ip)
    .where(
        _own,
        _q.vrf_id == given("vrf_id"),
        _q.ip >= given("first", AddressBytes),
        _q.ip <= given("last", AddressBytes),
        _resting,
    )
    .order_by(_q.ip)
    .limit(_PAGE),
    from_bytes,
)


def end(tx: Transaction, vrf_id: str, ip: int) -> int | None:
    """Give the time at which an address has rested, or None if it does not rest."""
    found: int | None = tx.value(_END, vrf_id=vrf_id, ip=to_bytes(ip), now=tx.now)
    return found


def put(tx: Transaction, vrf_id: str, ip: int, *, ends_at: int) -> None:
    """Put an address into quarantine; clear away some entries that have ended."""
    address: dict[str, Any] = {"vrf_id": vrf_id, "ip": to_bytes(ip)}
    tx.write(_DELETE_OLD, **address)
    tx.write(_INSERT, id=new_id(_PREFIX), released_at=tx.now, ends_at=ends_at, **address)
    tx.write(_DELETE_ENDED, now=tx.now)


def clear(tx: Transaction, entry_id: str) -> None:
    """Let an address out of quarantine. Raises `NotFound`."""
    entry = tx.one(_TAKE, id=entry_id, now=tx.now) if is_id(entry_id, _PREFIX) else None
    if entry is None:
        raise NotFound("No address is in quarantine under this id")
    tx.record(_cleared(entry))
    tx.write(_DELETE, id=entry_id)


def page(tx: Transaction, *, after: Row = FIRST, limit: int, offset: int = 0) -> list[Entry]:
    """Give up to `limit` entries by VRF and address, after the place of the last one."""
    vrf_id, ip = after
    return tx.all(_LIST, after_vrf_id=vrf_id, after_ip=ip, limit=limit, offset=offset, now=tx.now)


def count(tx: Transaction) -> int:
    """Count the addresses in quarantine."""
    number: int = tx.value(_COUNT, now=tx.now)
    return number


def upward(tx: Transaction, vrf_id: str, span: Span) -> Iterator[int]:
    """Give the addresses in quarantine within a span, lowest first, read as far as used."""
    first, last = span.first, to_bytes(span.last)
    while True:
        ips = tx.all(_UPWARD, vrf_id=vrf_id, first=to_bytes(first), last=last, now=tx.now)
        yield from ips
        if len(ips) < _PAGE:
            return
        first = ips[-1] + 1


def _cleared(entry: Entry) -> Change:
    ip = format_address(entry.ip)
    return Change(
        type="quarantine.cleared",
        resource_id=entry.id,
        label=ip,
        details=f"Let {ip} out of quarantine",
        data={"ip": ip, "vrf_id": entry.vrf_id or None},
    )
