"""Taking the next address: never the same one twice, and nobody waits for anybody.

The truth is the unique constraint on addresses. To not run into it, a transaction locks the
address it wants by name, if nobody else has; candidates that others hold or that are assigned are
passed over, in one statement. The subnet's own row is not touched, so sixteen clients at one
subnet are as fast as at sixteen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    case,
    column,
    false,
    literal,
    select,
    true,
    union_all,
    values,
)

from ipcraft.plugin import (
    AddressBytes,
    Contention,
    Invalid,
    NotFound,
    Statement,
    Transaction,
    given,
    lock_key,
    own,
    try_lock,
)
from ipcraft_ipam import addresses as address_rows
from ipcraft_ipam import free_space, usage
from ipcraft_ipam.addresses import Address
from ipcraft_ipam.free_space import FreeRange, free_range
from ipcraft_ipam.locking import keep_tree
from ipcraft_ipam.networks import Span, from_bytes, to_bytes
from ipcraft_ipam.strategies import PAGE, AllocationStrategy, FreeSpace, first
from ipcraft_ipam.subnets import COLUMNS as SUBNET_COLUMNS
from ipcraft_ipam.subnets import Subnet, subnet
from ipcraft_ipam.tables import addresses, free_ranges, subnets

MOST = 256
"""How many addresses one request may take."""

_NAME = "address"
_BATCHES = (16, 64, 512)

_a, _s, _r = addresses.c, subnets.c, free_ranges.c
_ranges = (
    select(_r.first, _r.last, _r.version)
    .where(_r.organization_id == own(), _r.subnet_id == given("id"))
    .order_by(_r.last)
    .limit(PAGE)
    .subquery("ranges")
)
_SPACE = Statement(
    select(*SUBNET_COLUMNS, _ranges.c.first, _ranges.c.last, _ranges.c.version)
    .select_from(subnets)
    .outerjoin(_ranges, true())
    .where(_s.organization_id == own(), _s.id == given("id"))
    .order_by(_ranges.c.last),
)


@dataclass(slots=True)
class _Attempt:
    """Collect what became of the candidates of one allocation."""

    picked: list[int]
    occupied: set[int]
    busy: list[int]


def take(
    tx: Transaction,
    subnet_id: str,
    fields: Mapping[str, Any],
    *,
    strategy: AllocationStrategy,
    count: int = 1,
) -> list[Address]:
    """Assign the next `count` addresses of a subnet, all of them or none.

    `fields` are an address's optional fields. Raises `NotFound`, and `Invalid` with code
    ``subnet_full`` when there are not so many free ones.
    """
    keep_tree(tx)
    home, space = _open(tx, subnet_id)
    attempt = _pick(tx, home, strategy.candidates(space, count), count=count)
    new = [address_rows.new_address(tx, home, fields, ip=ip) for ip in attempt.picked]
    for address in new:
        tx.record(address_rows.created(address))
        tx.write(address_rows.INSERT, **address_rows.row(address))
    usage.add(tx, home.vrf_id, home.network, len(new))
    _tidy(tx, home, space.seen, attempt)
    return new


def first_free(tx: Transaction, subnet_id: str) -> int | None:
    """Give the lowest free address without taking it, or None. Raises `NotFound`."""
    home, space = _open(tx, subnet_id)
    candidates = first(space, 1)
    for size in _sizes():
        batch = list(islice(candidates, size))
        if not batch:
            return None
        occupied = assigned(tx, home.vrf_id, batch)
        for ip in batch:
            if ip not in occupied:
                return ip
    raise AssertionError("the sizes never end")


def assigned(tx: Transaction, vrf_id: str, ips: Sequence[int]) -> set[int]:
    """Give those of up to 512 addresses that are assigned."""
    rows = tx.all(_look(_batch_size(ips)), vrf_id=vrf_id, **_candidates(ips))
    return {ip for ip, _ in rows}


def _open(tx: Transaction, subnet_id: str) -> tuple[Subnet, FreeSpace]:
    rows = tx.all(_SPACE, id=subnet_id)
    if not rows:
        raise NotFound("Subnet not found")
    home = subnet(*rows[0][:-3])
    known = [free_range(*row[-3:]) for row in rows if row[-1] is not None]
    return home, FreeSpace(tx, home, known)


def _pick(
    tx: Transaction, home: Subnet, candidates: Iterator[int], *, count: int
) -> _Attempt:
    attempt = _Attempt([], set(), [])
    tried: set[int] = set()
    for size in _sizes(count):
        batch = list(islice(candidates, size))
        if not batch:
            break
        fresh = [ip for ip in dict.fromkeys(batch) if ip not in tried]
        tried.update(fresh)
        _try(tx, home, fresh, attempt, wanted=count - len(attempt.picked))
        if len(attempt.picked) == count:
            return attempt
    if attempt.busy:
        # Another transaction holds what might be the last free address: see how it ends.
        tx.lock(_NAME, home.vrf_id, to_bytes(attempt.busy[0]))
        raise Contention("the last free addresses are being assigned to others")
    addresses_ = "address" if count == 1 else "addresses"
    raise Invalid(
        f"Subnet {home.network} has not {count} free {addresses_} left", code="subnet_full"
    )


def _try(
    tx: Transaction, home: Subnet, batch: Sequence[int], attempt: _Attempt, *, wanted: int
) -> None:
    rows = tx.all(
        _claim(_batch_size(batch)),
        vrf_id=home.vrf_id,
        wanted=wanted,
        **_candidates(batch),
        **_keys(tx, home, batch),
    )
    picked = [ip for ip, is_free in rows if is_free]
    attempt.picked += picked
    attempt.occupied.update(ip for ip, is_free in rows if not is_free)
    passed = batch if len(picked) < wanted else batch[: batch.index(picked[-1])]
    attempt.busy += [
        ip for ip in passed if ip not in attempt.occupied and ip not in attempt.picked
    ]


def _tidy(tx: Transaction, home: Subnet, seen: Sequence[FreeRange], attempt: _Attempt) -> None:
    """Let the ranges shrink by what was taken from them."""
    picked = sorted(attempt.picked)
    gone = attempt.occupied.union(picked)
    for old in {old.span.last: old for old in seen}.values():
        inside = [Span(ip, ip) for ip in picked if ip in old.span]
        if not inside:
            continue
        trimmed = _trim(old.span, gone)
        if trimmed is None:
            free_space.replace(tx, home.id, old, [])
        elif any(ip in old.span for ip in attempt.busy):
            # What others are taking in the middle is theirs to cut; splitting it leaves crumbs.
            if trimmed != old.span:
                free_space.replace(tx, home.id, old, [trimmed])
        else:
            free_space.replace(tx, home.id, old, list(free_space.without(trimmed, inside)))


def _trim(span: Span, gone: set[int]) -> Span | None:
    low, high = span.first, span.last
    while low in gone:
        low += 1
    while high in gone:
        high -= 1
    return Span(low, high) if low <= high else None


def _sizes(count: int = 1) -> Iterator[int]:
    fitting = [size for size in _BATCHES if size >= count]
    return chain(fitting, repeat(_BATCHES[-1]))


def _batch_size(batch: Sequence[int]) -> int:
    return next(size for size in _BATCHES if size >= len(batch))


def _candidates(batch: Sequence[int]) -> dict[str, bytes | None]:
    """Give the parameters of the candidates; those left over are null."""
    stored = chain(map(to_bytes, batch), repeat(None))
    return {f"ip{index}": ip for index, ip in zip(range(_batch_size(batch)), stored, strict=False)}


def _keys(tx: Transaction, home: Subnet, batch: Sequence[int]) -> dict[str, int | None]:
    """Give the parameters of the names the candidates are locked by."""
    name = (tx.organization_id or "", _NAME, home.vrf_id)
    keys = chain((lock_key(*name, to_bytes(ip)) for ip in batch), repeat(None))
    return {f"key{index}": key for index, key in zip(range(_batch_size(batch)), keys, strict=False)}


def _candidate(ip: bytes, is_free: int) -> tuple[int, bool]:
    return from_bytes(ip), bool(is_free)


def _ips(size: int) -> CTE:
    """Give the candidates as rows of parameters."""
    rows = [(given(f"ip{index}", AddressBytes),) for index in range(size)]
    return values(column("ip", AddressBytes), name="given").data(rows).cte("candidate")


def _ips_and_keys(size: int) -> CTE:
    """Give the candidates as rows of parameters, with the numbers they are locked by."""
    rows = [
        (given(f"ip{index}", AddressBytes), given(f"key{index}", BigInteger()))
        for index in range(size)
    ]
    columns = (column("ip", AddressBytes), column("key", BigInteger()))
    return values(*columns, name="given").data(rows).cte("candidate")


@lru_cache
def _claim(size: int) -> Statement[tuple[int, bool]]:
    candidate = _ips_and_keys(size)
    ip = candidate.c.ip
    # CASE keeps the order: only an address that is free by now is locked, and no more than wanted.
    mine = case((_is_assigned(ip), false()), else_=try_lock(candidate.c.key))
    claimed = select(ip, literal(1)).where(ip.is_not(None), mine).limit(given("wanted", Integer()))
    return Statement(union_all(claimed.subquery().select(), _assigned(ip)), _candidate)


@lru_cache
def _look(size: int) -> Statement[tuple[int, bool]]:
    return Statement(_assigned(_ips(size).c.ip), _candidate)


def _assigned(ip: ColumnElement[Any]) -> Select[Any]:
    return select(ip, literal(0)).where(_is_assigned(ip))


def _is_assigned(ip: ColumnElement[Any]) -> ColumnElement[bool]:
    return (
        select(_a.ip)
        .where(_a.organization_id == own(), _a.vrf_id == given("vrf_id"), _a.ip == ip)
        .exists()
    )
