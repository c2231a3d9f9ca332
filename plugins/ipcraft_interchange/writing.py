"""Writing: making what the check has found, some hundreds of rows in each transaction.

A row that cannot be made any more, because somebody was faster, is refused; the others go on. A
run that is done again finds what is there and makes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from ipcraft.plugin import LimitReached, RequestError, Storage, Transaction
from ipcraft_interchange.checking import Space, subnet_values
from ipcraft_interchange.crews import side_by_side
from ipcraft_interchange.naming import Name, Names
from ipcraft_interchange.staging import Outcome, Staged, Staging, Verdict
from ipcraft_ipam import (
    DIRECTORY,
    ItemRefused,
    Network,
    assign_addresses,
    change_addresses,
    change_subnet,
    create_subnet,
    find_addresses,
    find_subnets,
    for_item,
    from_bytes,
)

T = TypeVar("T")

_NAMES_TOGETHER = 200
_SUBNETS_TOGETHER = 200
_ADDRESSES_TOGETHER = 1000
_WRITERS = 4


@dataclass(frozen=True, slots=True)
class Target:
    """Say whose inventory is written, and in whose name."""

    storage: Storage
    organization_id: str
    actor: str | None


class Writing:
    """Write the rows of one import that the check has let through."""

    def __init__(
        self,
        staging: Staging,
        names: Names,
        *,
        target: Target,
        spaces: Sequence[Space],
        advance: Callable[[int], object],
    ) -> None:
        self._staging = staging
        self._names = names
        self._target = target
        self._spaces = spaces
        self._advance = advance
        self._made: list[tuple[Name, Any]] = []

    def run(self) -> None:
        """Write every row that is to be created or changed. Raises `Unavailable`."""
        for kind in DIRECTORY:
            waiting = (
                name
                for name in self._names.of(kind)
                if name.verdict is not None and name.verdict.outcome in ("created", "changed")
            )
            for batch in _batches(waiting, _NAMES_TOGETHER):
                self._end(batch, self._write(batch, self._write_names, seq=_seq_of_name))
                for name, record in self._made:  # only now: a commit can fail
                    name.record = record
        for space in self._writable():
            write = partial(self._write_subnets, space=space)
            for page in self._pages("subnet", space, size=_SUBNETS_TOGETHER):
                self._end(page, self._write(page, write, seq=_seq))
        for space in self._writable():
            self._write_all_addresses(space)

    def _write_all_addresses(self, space: Space) -> None:
        """Write the addresses of a VRF, some pages side by side where the database can do that.

        PERF: it has as much to do for an address as we have; 100,000 take 9.6 s instead of 13.5.
        """
        write = partial(self._write_addresses, space=space)
        pages = self._pages("address", space, size=_ADDRESSES_TOGETHER)
        for page, verdicts in side_by_side(
            lambda page: (page, self._write(page, write, seq=_seq)),
            pages,
            workers=_WRITERS if self._target.storage.writes_side_by_side else 1,
        ):
            self._end(page, verdicts)

    def _pages(self, kind: Any, space: Space, *, size: int) -> Iterator[list[Staged]]:
        outcomes: tuple[Outcome, ...] = ("created", "changed")
        return self._staging.pages(kind, space.number, outcomes=outcomes, size=size)

    def _writable(self) -> Iterator[Space]:
        """Give the VRFs that are there; rows of one that could not be made are refused."""
        for space in self._spaces:
            if space.name is not None and not space.name.is_there:
                for kind in ("subnet", "address"):
                    for page in self._pages(kind, space, size=1000):
                        message = "its VRF could not be made"
                        self._note([Verdict(row.seq, "refused", message, "vrf") for row in page])
                continue
            yield space

    def _note(self, verdicts: Sequence[Verdict]) -> None:
        self._staging.note(verdicts)

    def _end(self, batch: Sequence[object], refused: Sequence[Verdict]) -> None:
        self._note(refused)
        self._advance(len(batch))

    def _write(
        self,
        batch: Sequence[T],
        work: Callable[[Transaction, Sequence[T]], object],
        *,
        seq: Callable[[T], int],
    ) -> list[Verdict]:
        """Write a batch in one transaction but for those that are refused, and give these."""
        rest = list(batch)
        refused: list[Verdict] = []
        while rest:
            try:
                self._target.storage.transact(
                    self._target.organization_id,
                    lambda tx: work(tx, rest),
                    actor=self._target.actor,
                )
            except ItemRefused as refusal:
                late = refusal.index + 1
                if isinstance(refusal.reason, LimitReached):
                    late = len(rest)  # so will be all that come after it
                gone = rest[refusal.index : late]
                refused += [_refused(seq(item), refusal.reason) for item in gone]
                del rest[refusal.index : late]
            else:
                break
        return refused

    def _write_names(self, tx: Transaction, names: Sequence[Name]) -> None:
        made: list[tuple[Name, Any]] = []
        for index, name in enumerate(names):
            for_item(index, _write_name, tx, name, made)
        self._made = made

    def _write_subnets(self, tx: Transaction, rows: Sequence[Staged], *, space: Space) -> None:
        networks = [Network(from_bytes(row.first), row.prefix) for row in rows]
        existing = find_subnets(tx, space.vrf_id, networks)

        def write(row: Staged, network: Network) -> None:
            values = subnet_values(self._names, row, network)
            old = existing.get(network)
            if old is None:
                create_subnet(tx, network, {**values, "vrf_id": space.vrf_id})
            else:
                change_subnet(tx, old.id, values)

        for index, (row, network) in enumerate(zip(rows, networks, strict=True)):
            for_item(index, write, row, network)

    def _write_addresses(self, tx: Transaction, rows: Sequence[Staged], *, space: Space) -> None:
        items = [{**row.values, "ip": from_bytes(row.first)} for row in rows]
        old = {index for index, row in enumerate(rows) if row.outcome == "changed"}
        if tx.attempt > 1 or old:
            # PERF: what the check found free mostly still is; the second attempt looks.
            found = find_addresses(tx, space.vrf_id, [item["ip"] for item in items])
            old = {index for index, item in enumerate(items) if item["ip"] in found}
        for indexes, work in (
            ([index for index in range(len(rows)) if index not in old], assign_addresses),
            (sorted(old), change_addresses),
        ):
            if not indexes:
                continue
            try:
                work(tx, space.vrf_id, [items[index] for index in indexes])
            except ItemRefused as refusal:
                raise ItemRefused(indexes[refusal.index], refusal.reason) from refusal


def _write_name(tx: Transaction, name: Name, made: list[tuple[Name, Any]]) -> None:
    keeping = DIRECTORY[name.kind]
    if name.record is None:
        record = keeping.create(tx, name.values)
    else:
        record = keeping.change(tx, name.record.id, name.values)
    made.append((name, record))


def _seq_of_name(name: Name) -> int:
    return name.seq


def _seq(row: Staged) -> int:
    return row.seq


def _refused(seq: int, reason: RequestError) -> Verdict:
    return Verdict(seq, "refused", reason.message, next(iter(reason.fields or ()), None))


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
