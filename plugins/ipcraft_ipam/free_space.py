"""Where a subnet's free addresses are, without looking at its addresses.

Each free address of a subnet (usable, unassigned, not its gateway, in no child) lies in one of
its ranges. The other way round a range may hold addresses that were taken since: whoever meets
another writer at a range leaves it as it is instead of waiting, and the next one who passes tidies
up. So taking addresses never waits, and a release, which must not be missed, always writes:

- taking changes a range only as it was read (`version`) and only if nobody else is at it
  (`SKIP LOCKED`);
- releasing waits for the ranges around the address, looks again whenever one of them changed
  meanwhile, and gives the range a new version even when it still holds the address, so that nobody
  who saw it taken cuts it off.

Two ranges never touch: releases of neighbours come one after the other, so that the second one
finds the range of the first. So each free network is inside one range, and `host_bits` of the
largest network in it tells whether a range is worth a look.

PERF: rows are keyed by a range's end, so taking from its start touches no index, unless the
largest network in it becomes smaller: some 20 times while a /8 is filled from its start.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from ipcraft.plugin import AddressBytes, Reader, Statement, Transaction, given, own, wait_lock
from ipcraft_ipam.networks import Network, Span, from_bytes, to_bytes
from ipcraft_ipam.tables import free_ranges, subnets

_VERSION_BITS = 62
_SEEN, _LOCKED = 0, 1
_PIECES = "ipam.pieces"


@dataclass(frozen=True, slots=True)
class FreeRange:
    """Be a range as it was read: `version` tells whether it still is."""

    span: Span = field(hash=False)
    version: int


def free_range(first: bytes, last: bytes, version: int) -> FreeRange:
    """Make a range of its row."""
    return FreeRange(Span(from_bytes(first), from_bytes(last)), version)


_r = free_ranges.c
_mine = (_r.organization_id == own(), _r.subnet_id == given("subnet_id"))
_columns = (_r.first, _r.last, _r.version)
_as_read = (
    select(_r.last)
    .where(
        *_mine, _r.last == given("last", AddressBytes), _r.version == given("seen", BigInteger())
    )
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)

UPWARD = Statement(
    select(*_columns)
    .where(*_mine, _r.last >= given("start", AddressBytes))
    .order_by(_r.last)
    .limit(given("limit", Integer())),
    free_range,
)
DOWNWARD = Statement(
    select(*_columns)
    .where(*_mine, _r.last <= given("start", AddressBytes))
    .order_by(_r.last.desc())
    .limit(given("limit", Integer())),
    free_range,
)
_around = (
    select(*_columns)
    .where(*_mine, _r.last >= given("before", AddressBytes))
    .order_by(_r.last)
    .limit(3)
)


def _twice(ranges: Select[Any, Any, Any]) -> Statement[tuple[int, FreeRange]]:
    """Give ranges twice: as the statement began, and as they are now that it has them."""
    seen, locked = ranges.cte("seen"), ranges.with_for_update().cte("locked")
    return Statement(
        union_all(
            select(literal(_SEEN, Integer()), *seen.c),
            select(literal(_LOCKED, Integer()), *locked.c),
        ),
        lambda kind, *columns: (kind, free_range(*columns)),
    )


AROUND = _twice(_around)
_later = free_ranges.alias("later").c
_overlapping = select(*_columns).where(
    *_mine,
    _r.last >= given("lowest", AddressBytes),
    _r.last
    <= func.coalesce(
        select(func.min(_later.last))
        .where(
            _later.organization_id == own(),
            _later.subnet_id == given("subnet_id"),
            _later.last >= given("highest", AddressBytes),
        )
        .scalar_subquery(),
        given("highest", AddressBytes),
    ),
)
OVERLAPPING = _twice(_overlapping.order_by(_r.last))
"""The ranges that hold any address between two."""


def _border(name: str) -> ColumnElement[Any]:
    """Hold the border below an address: who frees one side of it waits for who frees the other."""
    address = given(name, AddressBytes)
    return wait_lock(own().concat(given("subnet_id")).concat(func.encode(address, "hex")))


_HOLD_BORDERS = Statement(select(_border("below"), _border("above")))
_sizes = select(given("wanted", Integer()).label("host_bits")).cte("sizes", recursive=True)
_sizes = _sizes.union_all(
    select(_sizes.c.host_bits + 1).where(_sizes.c.host_bits < given("largest", Integer()))
)
_first_of_size = (
    select(func.min(_r.last))
    .where(*_mine, _r.host_bits == _sizes.c.host_bits, _r.last >= given("start", AddressBytes))
    .correlate(_sizes)
    .scalar_subquery()
)
_first_of_sizes = select(_first_of_size.label("last")).select_from(_sizes).subquery("firsts")
ROOMY = Statement(
    select(*_columns).where(
        *_mine, _r.last == select(func.min(_first_of_sizes.c.last)).scalar_subquery()
    ),
    free_range,
)
"""The lowest range with room for a network: one look into the index for each size from it on."""
INSERT = Statement(insert(free_ranges))
SHRINK_IF_READ = Statement(
    update(free_ranges)
    .where(*_mine, _r.last == _as_read)
    .values(
        first=given("new_first", AddressBytes),
        last=given("new_last", AddressBytes),
        host_bits=given("new_host_bits", SmallInteger()),
        version=given("new_version", BigInteger()),
    ),
    independent=True,
)
_shrunk = select(_r.last).where(
    *_mine,
    _r.last == given("kept_last", AddressBytes),
    _r.version == given("new_version", BigInteger()),
)
INSERT_IF_SHRUNK = Statement(
    insert(free_ranges).from_select(
        ["organization_id", "subnet_id", "last", "first", "host_bits", "version"],
        select(
            own(),
            given("subnet_id"),
            given("last", AddressBytes),
            given("first", AddressBytes),
            given("host_bits", SmallInteger()),
            given("new_version", BigInteger()) + given("index", BigInteger()),
        ).where(_shrunk.exists()),
    )
)
DELETE_IF_READ = Statement(delete(free_ranges).where(*_mine, _r.last == _as_read), independent=True)
RESHAPE = Statement(
    update(free_ranges)
    .where(*_mine, _r.last == given("old_last", AddressBytes))
    .values(
        first=given("first", AddressBytes),
        last=given("last", AddressBytes),
        host_bits=given("host_bits", SmallInteger()),
        version=given("version", BigInteger()),
    )
)
DELETE = Statement(delete(free_ranges).where(*_mine, _r.last == given("last", AddressBytes)))
DELETE_ALL = Statement(delete(free_ranges).where(*_mine))
DELETE_WITHIN = Statement(
    delete(free_ranges).where(
        _r.organization_id == own(),
        _r.subnet_id.in_(
            select(subnets.c.id).where(
                subnets.c.organization_id == own(),
                subnets.c.vrf_id == given("vrf_id"),
                subnets.c.first >= given("first", AddressBytes),
                subnets.c.first <= given("last", AddressBytes),
                subnets.c.last <= given("last", AddressBytes),
            )
        ),
    )
)


def assignable(network: Network, *, is_pool: bool, gateway: int | None) -> list[Span]:
    """Give what an empty subnet may hand out: its usable addresses without its gateway."""
    usable = network.usable(is_pool=is_pool)
    holes = [] if gateway is None else [Span(gateway, gateway)]
    return list(without(usable, holes))


def without(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """Give what is left of the span around the holes; they come in order of their start."""
    start = span.first
    for hole in holes:
        if hole.first > span.last:
            break
        if hole.first > start:
            yield Span(start, hole.first - 1)
        start = max(start, hole.last + 1)
    if start <= span.last:
        yield Span(start, span.last)


def store(tx: Transaction, subnet_id: str, spans: Iterable[Span]) -> None:
    """Write the ranges of a subnet that has none yet."""
    for span in spans:
        _insert(tx, subnet_id, span)


def ascending(tx: Reader, subnet_id: str, start: int, *, page: int = 64) -> Iterator[FreeRange]:
    """Give the ranges that end at or after the start, lowest first."""
    while True:
        ranges = tx.all(UPWARD, subnet_id=subnet_id, start=to_bytes(start), limit=page)
        yield from ranges
        if len(ranges) < page:
            return
        start = ranges[-1].span.last + 1


def roomy(
    tx: Reader, subnet_id: str, start: int, *, host_bits: int, largest: int
) -> Iterator[FreeRange]:
    """Give the ranges from the start on with room for a network of so many host bits, lowest first.

    `largest` are the host bits of the subnet.
    """
    while True:
        found = tx.one(
            ROOMY, subnet_id=subnet_id, start=to_bytes(start), wanted=host_bits, largest=largest
        )
        if found is None:
            return
        yield found
        start = found.span.last + 1


def descending(tx: Reader, subnet_id: str, start: int, *, page: int = 64) -> Iterator[FreeRange]:
    """Give the ranges that end at or before the start, highest first."""
    while True:
        ranges = tx.all(DOWNWARD, subnet_id=subnet_id, start=to_bytes(start), limit=page)
        yield from ranges
        if len(ranges) < page:
            return
        start = ranges[-1].span.first - 1


def replace(
    tx: Transaction, subnet_id: str, old: FreeRange, remaining: Sequence[Span]
) -> list[FreeRange]:
    """Let a range shrink to what remains of it, if it is as it was read and nobody is at it.

    Return the ranges as they are then.
    """
    if not remaining:
        tx.write(
            DELETE_IF_READ, subnet_id=subnet_id, last=to_bytes(old.span.last), seen=old.version
        )
        return []
    version = _version()
    *others, kept = remaining
    tx.write(
        SHRINK_IF_READ,
        subnet_id=subnet_id,
        last=to_bytes(old.span.last),
        seen=old.version,
        new_first=to_bytes(kept.first),
        new_last=to_bytes(kept.last),
        new_host_bits=kept.host_bits,
        new_version=version,
    )
    for index, span in enumerate(others, start=1):
        tx.write(
            INSERT_IF_SHRUNK,
            subnet_id=subnet_id,
            first=to_bytes(span.first),
            last=to_bytes(span.last),
            host_bits=span.host_bits,
            kept_last=to_bytes(kept.last),
            new_version=version,
            index=index,
        )
    ranges = [FreeRange(span, version + index) for index, span in enumerate(others, start=1)]
    return [*ranges, FreeRange(kept, version)]


def cut_one(tx: Transaction, subnet_id: str, old: FreeRange, ip: int) -> None:
    """Take an address out of the range that it was read to be in, or out of what became of that.

    Others may have taken theirs out of the same range earlier in the transaction.
    """
    pieces: dict[FreeRange, list[FreeRange]]
    pieces = tx.notes.setdefault(_PIECES, {}).setdefault(subnet_id, {})
    found: FreeRange | None = old
    while found in pieces:
        found = next((piece for piece in pieces[found] if ip in piece.span), None)
    if found is not None:
        pieces[found] = replace(tx, subnet_id, found, list(without(found.span, [Span(ip, ip)])))


def carve(tx: Transaction, subnet_id: str, hole: Span) -> None:
    """Take a span out of the ranges. The caller changes the tree, so nobody else is at them."""
    for old in ascending(tx, subnet_id, hole.first):
        if old.span.first > hole.last:
            return
        replace(tx, subnet_id, old, list(without(old.span, [hole])))


def cut(tx: Transaction, subnet_id: str, taken: Sequence[int]) -> None:
    """Take assigned addresses, in ascending order, out of the ranges, and wait for them.

    Whoever assigns many must not leave them in the ranges: others would pass them one by one.
    """
    held = _held(
        tx,
        OVERLAPPING,
        subnet_id=subnet_id,
        lowest=to_bytes(taken[0]),
        highest=to_bytes(taken[-1]),
    )
    pieces: list[Span] = []
    for old in sorted(held, key=lambda held: held.span):
        inside = taken[bisect_left(taken, old.span.first) : bisect_right(taken, old.span.last)]
        remaining = list(without(old.span, [Span(ip, ip) for ip in inside]))
        if not remaining:
            tx.write(DELETE, subnet_id=subnet_id, last=to_bytes(old.span.last))
        elif inside:
            _reshape(tx, subnet_id, old, remaining.pop())
            pieces += remaining
    tx.write_many(INSERT, [_row(subnet_id, piece) for piece in pieces])


def give_back(tx: Transaction, subnet_id: str, span: Span) -> None:
    """Make a span free again, joined with the ranges it touches."""
    tx.write(
        _HOLD_BORDERS,
        subnet_id=subnet_id,
        below=to_bytes(span.first),
        above=to_bytes(span.last + 1),
    )
    around = _hold_around(tx, subnet_id, span)
    before = next((old for old in around if old.span.last == span.first - 1), None)
    after = next((old for old in around if old.span.first == span.last + 1), None)
    covering = next((old for old in around if old.span.covers(span)), None)
    if covering:
        _reshape(tx, subnet_id, covering, covering.span)
    elif before and after:
        tx.write(DELETE, subnet_id=subnet_id, last=to_bytes(before.span.last))
        _reshape(tx, subnet_id, after, Span(before.span.first, after.span.last))
    elif before:
        _reshape(tx, subnet_id, before, Span(before.span.first, span.last))
    elif after:
        _reshape(tx, subnet_id, after, Span(span.first, after.span.last))
    else:
        _insert(tx, subnet_id, span)


def _hold_around(tx: Transaction, subnet_id: str, span: Span) -> set[FreeRange]:
    """Give the ranges that hold or touch the span, which nobody else changes until the commit.

    Whoever was at one of them may have split it, and the new part is not among those the statement
    waited for. Then it had another version (or was gone) when the statement began: look anew.
    Unchanged ranges had no new parts, and being held get none. Each look anew meets a smaller range
    around the span, so there is a last one.
    """
    return _held(tx, AROUND, subnet_id=subnet_id, before=to_bytes(span.first - 1))


def _held(tx: Transaction, twice: Statement[tuple[int, FreeRange]], **where: Any) -> set[FreeRange]:
    """Read ranges until they are as they were seen; see `_hold_around`."""
    while True:
        found = tx.all(twice, **where)
        seen, held = ({old for kind, old in found if kind == each} for each in (_SEEN, _LOCKED))
        if seen == held:
            return held


def clear(tx: Transaction, subnet_id: str) -> None:
    """Drop every range of a subnet: all its space is delegated to children."""
    tx.write(DELETE_ALL, subnet_id=subnet_id)


def forget(tx: Transaction, vrf_id: str, network: Network) -> None:
    """Drop the ranges of a network and of all inside it."""
    tx.write(
        DELETE_WITHIN,
        vrf_id=vrf_id,
        first=to_bytes(network.first),
        last=to_bytes(network.last),
    )


def _insert(tx: Transaction, subnet_id: str, span: Span) -> None:
    tx.write(INSERT, **_row(subnet_id, span))


def _row(subnet_id: str, span: Span) -> dict[str, Any]:
    return {
        "subnet_id": subnet_id,
        "first": to_bytes(span.first),
        "last": to_bytes(span.last),
        "host_bits": span.host_bits,
        "version": _version(),
    }


def _reshape(tx: Transaction, subnet_id: str, old: FreeRange, span: Span) -> None:
    tx.write(
        RESHAPE,
        subnet_id=subnet_id,
        old_last=to_bytes(old.span.last),
        first=to_bytes(span.first),
        last=to_bytes(span.last),
        host_bits=span.host_bits,
        version=_version(),
    )


def _version() -> int:
    # PERF: no secret; to ask the kernel for it would let other threads run.
    return random.getrandbits(_VERSION_BITS)
