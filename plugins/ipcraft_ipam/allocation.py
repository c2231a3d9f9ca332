"""Taking the next address: never the same one twice, and nobody waits for anybody.

The truth is the unique constraint on addresses. To not run into it, a transaction locks the
address it wants by name, if nobody else has; candidates that others hold or that are assigned are
passed over, in one statement. The subnet's own row is not touched, so sixteen clients at one
subnet are as fast as at sixteen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    case,
    column,
    func,
    literal,
    null,
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
    Reader,
    RequestError,
    Row,
    Statement,
    Transaction,
    given,
    own,
    try_lock,
    wait_lock,
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
_BATCHES = (16, 64, 512)

_a, _s, _r = addresses.c, subnets.c, free_ranges.c
_mine = (_r.organization_id == own(), _r.subnet_id == given("id"))
_ASSIGNED, _FREE, _BUSY = range(3)
_LAST_ADDRESS = itemgetter(len(SUBNET_COLUMNS) + 1)
_SHELVES = "ipam.shelves"
_TAKEN_FROM = "ipam.taken_from"


def _name(ip: ColumnElement[Any], vrf_id: ColumnElement[Any]) -> ColumnElement[str]:
    return own().concat(vrf_id).concat(func.encode(ip, "hex"))


def _is_assigned(ip: ColumnElement[Any], vrf_id: ColumnElement[Any]) -> ColumnElement[bool]:
    # PERF: a scalar subquery is answered by one look into the unique index for each candidate. For
    # EXISTS the planner may read all addresses of the VRF once, which suits the average tenant.
    found = select(_a.ip).where(_a.organization_id == own(), _a.vrf_id == vrf_id, _a.ip == ip)
    return found.scalar_subquery().is_not(None)


def _seen(ip: ColumnElement[Any], vrf_id: ColumnElement[Any]) -> ColumnElement[int]:
    """Tell whether an address is assigned."""
    return case((_is_assigned(ip, vrf_id), _ASSIGNED), else_=_FREE)


def _claimed(ip: ColumnElement[Any], vrf_id: ColumnElement[Any]) -> ColumnElement[int]:
    """Lock an address unless it is assigned, and tell what came of it. CASE keeps the order."""
    return case(
        (_is_assigned(ip, vrf_id), _ASSIGNED),
        (try_lock(_name(ip, vrf_id)), _FREE),
        else_=_BUSY,
    )


def _space(
    state: Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[int]] | None = None,
) -> Statement[Row]:
    """Read a subnet with its lowest ranges, in any order.

    Beside the very lowest is the state of its start.
    """
    number = func.row_number().over(order_by=_r.last).label("number")
    lowest = select(_r.first, _r.last, _r.version, number).where(*_mine).order_by(_r.last)
    r = lowest.limit(PAGE).subquery("r")
    beside = null() if state is None else case((r.c.number == 1, state(r.c.first, _s.vrf_id)))
    return Statement(
        select(*SUBNET_COLUMNS, r.c.first, r.c.last, r.c.version, beside)
        .select_from(subnets)
        .outerjoin(r, true())
        .where(_s.organization_id == own(), _s.id == given("id"))
    )


_WAIT = Statement(select(wait_lock(_name(given("ip", AddressBytes), given("vrf_id")))))
_SPACE = _space()
_SPACE_AND_LOWEST = _space(_seen)
_SPACE_AND_CLAIM = _space(_claimed)
"""A subnet with its lowest ranges, and whether the start of the lowest is free; or claim that."""


@dataclass(slots=True)
class _Attempt:
    """Collect what became of the candidates of an allocation."""

    picked: list[int] = field(default_factory=list[int])
    occupied: set[int] = field(default_factory=set[int])
    busy: list[int] = field(default_factory=list[int])

    def note(self, ip: int, state: int) -> None:
        """Put a candidate where it belongs."""
        if state == _FREE:
            self.picked.append(ip)
        elif state == _ASSIGNED:
            self.occupied.add(ip)
        else:
            self.busy.append(ip)


class Taking:
    """Assign the next `count` addresses of a subnet, all of them or none: work to be shared.

    `fields` are an address's optional fields. Raises `NotFound`, and `Invalid` with code
    ``subnet_full`` when there are not so many free ones.
    """

    def __init__(
        self,
        subnet_id: str,
        fields: Mapping[str, Any],
        *,
        strategy: AllocationStrategy,
        count: int = 1,
    ) -> None:
        self._subnet_id = subnet_id
        self._fields = fields
        self._strategy = strategy
        self._count = count
        self._shelf: _Shelf | None = None

    @property
    def order(self) -> str:
        """Give the subnet."""
        return self._subnet_id

    def begin(self, tx: Transaction) -> None:
        """Ask for the subnet's free space; those who take its lowest addresses ask together."""
        keep_tree(tx)
        if tx.attempt > 1:
            # Those who were overtaken come one after the other, so that each comes to an end.
            tx.lock("overtaken", self._subnet_id)
        shared: dict[str, _Shelf] = tx.notes.setdefault(_SHELVES, {})
        shelf = shared.get(self._subnet_id) if self._strategy.candidates is first else None
        if shelf is None or shelf.is_open:
            shelf = _Shelf(self._subnet_id, self._strategy)
            shelf.ask(tx)
        if self._strategy.candidates is first:
            shared[self._subnet_id] = shelf
        shelf.wanted += self._count
        self._shelf = shelf

    def finish(self, tx: Transaction) -> list[Address]:
        """Take the addresses, and record it."""
        assert self._shelf is not None, "it begins before it finishes"
        home, ips = self._shelf.take(tx, self._count)
        new = [address_rows.new_address(tx, home, self._fields, ip=ip) for ip in ips]
        for address in new:
            tx.record(address_rows.created(address))
            tx.write(address_rows.INSERT, **address_rows.row(address))
        usage.add(tx, home.vrf_id, home.network, len(new))
        self._shelf.tidy(tx, ips)
        return new


class _Shelf:
    """Hold free addresses of a subnet, for those who begin to take its lowest ones together.

    By any other strategy everybody has a shelf of his own: it is told how many he wants.
    """

    __slots__ = (
        "_attempt",
        "_ranges",
        "_rows",
        "_space",
        "_strategy",
        "_subnet_id",
        "_taken",
        "wanted",
    )

    def __init__(self, subnet_id: str, strategy: AllocationStrategy) -> None:
        self._subnet_id = subnet_id
        self._strategy = strategy
        self._rows: list[Row] = []
        self._space: FreeSpace | None = None
        self._attempt = _Attempt()
        self._taken = 0
        """How many of the picked addresses are taken."""
        self._ranges: dict[FreeRange, list[FreeRange]] = {}
        """What has become of the ranges that were read."""
        self.wanted = 0
        """How many addresses are still to be taken."""

    @property
    def is_open(self) -> bool:
        """Tell whether somebody has begun to take: what he saw of the subnet may change now."""
        return self._space is not None

    def ask(self, tx: Transaction) -> None:
        """Ask for the subnet and its lowest ranges."""
        tx.ask_all(self._statement, self._note, id=self._subnet_id)

    def take(self, tx: Transaction, count: int) -> tuple[Subnet, list[int]]:
        """Take so many, in the strategy's order; give them with the subnet they are at home in."""
        space = self._space = self._space or self._open(tx)
        picked, taken = self._attempt.picked, self._taken
        wanted = min(self.wanted, MOST)
        self.wanted -= count
        if len(picked) < taken + count:
            candidates = self._strategy.candidates(space, wanted)
            _pick(tx, space.home, candidates, self._attempt, most=taken + wanted)
        if len(picked) < taken + count:
            raise _refusal(tx, space.home, self._attempt, count=count)
        self._taken += count
        return space.home, picked[taken : self._taken]

    def tidy(self, tx: Transaction, ips: Sequence[int]) -> None:
        """Let the ranges shrink by what was taken from them."""
        assert self._space is not None, "somebody has taken from it"
        home_id, gone = self._space.home.id, set(self._attempt.picked[: self._taken])
        gone |= self._attempt.occupied
        for read in self._space.seen:
            self._ranges.setdefault(read, [read])
        for now in self._ranges.values():
            now[:] = [
                left
                for old in now
                for left in _without(tx, home_id, old, ips, gone=gone, busy=self._attempt.busy)
            ]

    @property
    def _statement(self) -> Statement[Row]:
        # PERF: mostly the lowest address is wanted, and free: then it is claimed as it is found.
        return _SPACE_AND_CLAIM if self._strategy.candidates is first else _SPACE

    def _note(self, rows: list[Row]) -> None:
        self._rows = rows

    def _open(self, tx: Transaction) -> FreeSpace:
        taken_from: set[str] = tx.notes.setdefault(_TAKEN_FROM, set())
        if self._subnet_id in taken_from:  # by who has another shelf, since this one asked
            self._rows = tx.all(self._statement, id=self._subnet_id)
        taken_from.add(self._subnet_id)
        return _open(tx, self._rows, self._attempt)


def take(
    tx: Transaction,
    subnet_id: str,
    fields: Mapping[str, Any],
    *,
    strategy: AllocationStrategy,
    count: int = 1,
) -> list[Address]:
    """Assign the next addresses of a subnet, see `Taking`."""
    return tx.perform(Taking(subnet_id, fields, strategy=strategy, count=count))


def first_free(tx: Reader, subnet_id: str) -> int | None:
    """Give the lowest free address without taking it, or None. Raises `NotFound`."""
    lowest = _Attempt()
    # PERF: mostly the lowest address is free, as it is seen to be with the subnet.
    space = _open(tx, tx.all(_SPACE_AND_LOWEST, id=subnet_id), lowest)
    if lowest.picked:
        return lowest.picked[0]
    candidates = first(space, 1)
    for size in _sizes():
        batch = list(islice(candidates, size))
        if not batch:
            return None
        occupied = assigned(tx, space.home.vrf_id, batch)
        for ip in batch:
            if ip not in occupied:
                return ip
    raise AssertionError("the sizes never end")


def assigned(tx: Reader, vrf_id: str, ips: Sequence[int]) -> set[int]:
    """Give those of up to 512 addresses that are assigned."""
    rows = tx.all(_look(_batch_size(ips)), vrf_id=vrf_id, **_candidates(ips))
    return {ip for ip, _ in rows}


def _open(tx: Reader, rows: Sequence[Row], attempt: _Attempt) -> FreeSpace:
    if not rows:
        raise NotFound("Subnet not found")
    width = len(SUBNET_COLUMNS)
    # PERF: mostly there is one; to have the database put them in order costs it 5 us.
    rows = sorted(rows, key=_LAST_ADDRESS)
    known = [free_range(*row[width:-1]) for row in rows if row[width] is not None]
    state = rows[0][-1]
    if known and state is not None:
        attempt.note(known[0].span.first, state)
    return FreeSpace(tx, subnet(*rows[0][:width]), known)


def _pick(
    tx: Transaction,
    home: Subnet,
    candidates: Iterator[int],
    attempt: _Attempt,
    *,
    most: int,
) -> None:
    """Lock free candidates until so many are picked, or there are no more."""
    tried = {*attempt.picked, *attempt.occupied, *attempt.busy}
    for size in _sizes(most - len(attempt.picked)):
        batch = list(islice(candidates, size))
        if not batch:
            return
        fresh = [ip for ip in dict.fromkeys(batch) if ip not in tried]
        tried.update(fresh)
        if fresh:
            _try(tx, home, fresh, attempt, wanted=most - len(attempt.picked))
        if len(attempt.picked) == most:
            return


def _refusal(tx: Transaction, home: Subnet, attempt: _Attempt, *, count: int) -> RequestError:
    if attempt.busy:
        # Another transaction holds what might be the last free address: see how it ends. Only the
        # first in line may do so, or two would wait for each other.
        if tx.attempt > 1:
            tx.all(_WAIT, ip=to_bytes(attempt.busy[0]), vrf_id=home.vrf_id)
        return Contention("the last free addresses are being assigned to others")
    noun = "address" if count == 1 else "addresses"
    return Invalid(f"Subnet {home.network} has not {count} free {noun} left", code="subnet_full")


def _try(
    tx: Transaction, home: Subnet, batch: Sequence[int], attempt: _Attempt, *, wanted: int
) -> None:
    rows = tx.all(
        _claim(_batch_size(batch)), vrf_id=home.vrf_id, wanted=wanted, **_candidates(batch)
    )
    for ip, state in rows:
        attempt.note(ip, state)
    met = {*attempt.picked, *attempt.occupied}
    claimed = [ip for ip, state in rows if state == _FREE]
    passed = batch if len(claimed) < wanted else batch[: batch.index(claimed[-1])]
    attempt.busy += [ip for ip in passed if ip not in met]


def _without(
    tx: Transaction,
    subnet_id: str,
    old: FreeRange,
    ips: Sequence[int],
    *,
    gone: set[int],
    busy: Sequence[int],
) -> list[FreeRange]:
    """Let a range shrink by addresses that are taken now, and at its ends by all that are gone."""
    inside = [Span(ip, ip) for ip in sorted(ips) if ip in old.span]
    trimmed = _trim(old.span, gone)
    if trimmed == old.span and not inside:
        return [old]
    if trimmed is None:
        return free_space.replace(tx, subnet_id, old, [])
    if any(ip in old.span for ip in busy):
        # What others are taking in the middle is theirs to cut; splitting it leaves crumbs.
        return [old] if trimmed == old.span else free_space.replace(tx, subnet_id, old, [trimmed])
    return free_space.replace(tx, subnet_id, old, list(free_space.without(trimmed, inside)))


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


def _candidate(ip: bytes, state: int) -> tuple[int, int]:
    return from_bytes(ip), state


def _table(size: int) -> CTE:
    """Give the candidates as rows of parameters."""
    rows = [(given(f"ip{index}", AddressBytes),) for index in range(size)]
    return values(column("ip", AddressBytes), name="given").data(rows).cte("candidate")


@lru_cache
def _claim(size: int) -> Statement[tuple[int, int]]:
    """Lock as many as wanted of the candidates that are free by now; tell which are assigned."""
    ip = _table(size).c.ip
    mine = _claimed(ip, given("vrf_id")) == _FREE
    claimed = select(ip, literal(_FREE)).where(ip.is_not(None), mine)
    wanted = claimed.limit(given("wanted", Integer())).subquery()
    return Statement(union_all(wanted.select(), _assigned(ip)), _candidate)


@lru_cache
def _look(size: int) -> Statement[tuple[int, int]]:
    return Statement(_assigned(_table(size).c.ip), _candidate)


def _assigned(ip: ColumnElement[Any]) -> Select[Any, int]:
    return select(ip, literal(_ASSIGNED)).where(_is_assigned(ip, given("vrf_id")))
