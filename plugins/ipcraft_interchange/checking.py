"""Checking: what would become of every row, found out without changing anything.

Each change is proposed to every plugin as if it were made, so that the plan's limits and other
vetoes are in the report, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ipcraft.plugin import (
    Contention,
    Invalid,
    RequestError,
    Storage,
    Transaction,
    Unavailable,
    new_id,
)
from ipcraft_interchange.intake import Reading
from ipcraft_interchange.naming import NOUNS, Name, Names
from ipcraft_interchange.reading import meant_network, read_network
from ipcraft_interchange.staging import PAGE, UNKNOWN, Outcome, Staged, Staging, Verdict
from ipcraft_ipam import (
    DIRECTORY,
    GLOBAL_VRF,
    Address,
    Network,
    Registered,
    Span,
    Subnet,
    check_assignable,
    check_gateway,
    find_addresses,
    find_homes,
    find_subnets,
    format_address,
    from_bytes,
    parse_address,
    propose_address,
    propose_address_change,
    propose_subnet,
    propose_subnet_change,
    refuse_edges,
    to_bytes,
)

UNCHANGED = "nothing to change"
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "subnet": ("name", "description", "section_id", "vlan_id", "gateway", "is_pool"),
    "address": ("hostname", "mac_address", "description", "status", "owner"),
}


@dataclass(slots=True)
class Space:
    """Be a VRF as rows refer to it."""

    number: int
    name: Name | None

    @property
    def vrf_id(self) -> str:
        """Give the VRF's id, or that of the rehearsal for one that is still to be made."""
        return GLOBAL_VRF if self.name is None else self.name.id

    @property
    def is_new(self) -> bool:
        """Tell whether nothing can be in it yet."""
        return self.name is not None and not self.name.is_there


@dataclass(slots=True)
class Rehearsal:
    """Be one pretended transaction in several that are read: plugins' notes are carried over."""

    storage: Storage
    organization_id: str
    actor: str | None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, work: Callable[[Transaction], Iterable[Verdict]]) -> list[Verdict]:
        """Do some of the work; nothing of it is kept."""
        with self.storage.read(self.organization_id) as tx:
            tx.actor = self.actor
            tx.notes.update(self.notes)
            verdicts = list(work(tx))
            self.notes = dict(tx.notes)
            return verdicts


class Check:
    """Judge the rows of one import."""

    def __init__(
        self,
        staging: Staging,
        names: Names,
        *,
        rehearsal: Rehearsal,
        documents: Sequence[Reading],
        advance: Callable[[int], object],
    ) -> None:
        self._staging = staging
        self._names = names
        self._rehearsal = rehearsal
        self._documents = documents
        self._advance = advance

    def run(self) -> list[Space]:
        """Judge every row, and give the VRFs they are in. Raises `Unavailable`."""
        with self._rehearsal.storage.read(self._rehearsal.organization_id) as tx:
            self._names.resolve(tx, self._staging)
        for kind in DIRECTORY:
            self._note(self._rehearsal.run(partial(self._judge_names, kind=kind)))
        spaces = settle_spaces(self._staging, self._names)
        for space in spaces:
            self._judge_subnets(space)
        for space in spaces:
            self._judge_addresses(space)
        return spaces

    def _note(self, verdicts: Sequence[Verdict]) -> None:
        self._staging.note(verdicts)
        self._advance(len(verdicts))

    def _judge_names(self, tx: Transaction, kind: Registered) -> list[Verdict]:
        keeping = DIRECTORY[kind]
        records = {record.id: record for record in keeping.register.page(tx, {}, limit=2**31 - 1)}
        taken: dict[tuple[Any, ...], str] = {}
        for record in records.values():
            for key in _unique_keys(keeping.unique, partial(getattr, record)):
                taken[key] = record.id
        verdicts: list[Verdict] = []
        for name in self._names.of(kind):
            if name.verdict is None:
                name.verdict = self._judge_name(tx, name, taken)
            verdicts.append(name.verdict)
        return verdicts

    def _judge_name(
        self, tx: Transaction, name: Name, taken: dict[tuple[Any, ...], str]
    ) -> Verdict:
        keeping, record = DIRECTORY[name.kind], name.record
        changes = {
            each: value
            for each, value in name.values.items()
            if record is None or getattr(record, each) != value
        }
        if record is not None and (name.implied or not changes):
            return Verdict(name.seq, "skipped", UNCHANGED)

        def final(each: str) -> Any:
            return name.values[each] if each in name.values else getattr(record, each, None)

        for key in _unique_keys(keeping.unique, final):
            if taken.setdefault(key, name.id) != name.id:
                words = " ".join(str(part) for part in key[1:])
                message = f"another {NOUNS[name.kind]} has {' and '.join(key[0])} {words} already"
                return Verdict(name.seq, "refused", message, key[0][0])
        if record is not None:
            return Verdict(name.seq, "changed", changes=tuple(changes))
        try:
            keeping.register.propose(tx, name.values)
        except (Unavailable, Contention):
            raise
        except RequestError as refusal:
            return Verdict(name.seq, "refused", refusal.message)
        reason = "made because other rows refer to it" if name.implied else None
        return Verdict(name.seq, "created", reason)

    def _judge_subnets(self, space: Space) -> None:
        before: Staged | None = None
        for page in self._staging.pages("subnet", space.number, outcomes=[None]):
            doubles, rows, before = self._without_doubles(page, before, noun="network")
            verdicts = self._rehearsal.run(partial(self._subnet_verdicts, space=space, rows=rows))
            self._note([*doubles, *verdicts])

    def _subnet_verdicts(
        self, tx: Transaction, space: Space, rows: Sequence[Staged]
    ) -> Iterator[Verdict]:
        networks = [Network(from_bytes(row.first), row.prefix) for row in rows]
        existing = {} if space.is_new else find_subnets(tx, space.vrf_id, networks)
        new = [network for network in networks if network not in existing]
        edges = {} if space.is_new else _assigned_edges(tx, space.vrf_id, new)
        for row, network in zip(rows, networks, strict=True):
            try:
                values = subnet_values(self._names, row, network)
                values["vrf_id"] = space.vrf_id
                yield self._subnet_verdict(
                    tx, row, network, values, old=existing.get(network), edges=edges
                )
            except (Unavailable, Contention):
                raise
            except RequestError as refusal:
                yield self._refused(row, refusal)

    def _subnet_verdict(
        self,
        tx: Transaction,
        row: Staged,
        network: Network,
        values: dict[str, Any],
        *,
        old: Subnet | None,
        edges: Mapping[int, Subnet | None],
    ) -> Verdict:
        if old is None:
            usable = network.usable(is_pool=values.get("is_pool", False))
            for ip in {network.first, network.last} - {usable.first, usable.last}:
                home = edges.get(ip)
                if ip in edges and (
                    home is None or home.network.prefix_length < network.prefix_length
                ):
                    refuse_edges(network, Span(ip, ip), is_pool=values.get("is_pool", False))
            propose_subnet(tx, network, values)
            return Verdict(row.seq, "created")
        changed = {
            each: values[each]
            for each in _FIELDS["subnet"]
            if each in values and values[each] != getattr(old, each)
        }
        if not changed:
            return Verdict(row.seq, "skipped", UNCHANGED)
        propose_subnet_change(tx, old, changed)
        return Verdict(row.seq, "changed", changes=tuple(changed))

    def _judge_addresses(self, space: Space) -> None:
        staged = _StagedSubnets(self._staging, space)
        before: Staged | None = None
        for page in self._staging.pages("address", space.number, outcomes=[None]):
            doubles, rows, before = self._without_doubles(page, before, noun="address")
            verdicts = self._rehearsal.run(
                partial(self._address_verdicts, space=space, staged=staged, rows=rows)
            )
            self._note([*doubles, *verdicts])

    def _address_verdicts(
        self, tx: Transaction, space: Space, staged: _StagedSubnets, rows: Sequence[Staged]
    ) -> Iterator[Verdict]:
        ips = [from_bytes(row.first) for row in rows]
        existing: Mapping[int, Address] = {}
        homes: Mapping[int, Subnet | None] = {}
        if not space.is_new:
            existing = find_addresses(tx, space.vrf_id, ips)
            homes = dict(find_homes(tx, space.vrf_id, [ip for ip in ips if ip not in existing]))
        for row, ip in zip(rows, ips, strict=True):
            old = existing.get(ip)
            try:
                if old is None:
                    home = staged.home(ip, homes.get(ip))
                    if home is None:
                        made, home = self._make_home(tx, staged, row, ip)
                        yield made
                    check_assignable(home, ip)
                    propose_address(tx, home, {**row.values, "ip": ip})
                    yield Verdict(row.seq, "created")
                else:
                    yield self._address_verdict(tx, row, old)
            except (Unavailable, Contention):
                raise
            except RequestError as refusal:
                yield self._refused(row, refusal)

    def _address_verdict(self, tx: Transaction, row: Staged, old: Address) -> Verdict:
        changed = {each: value for each, value in row.values.items() if getattr(old, each) != value}
        if not changed:
            return Verdict(row.seq, "skipped", UNCHANGED)
        propose_address_change(tx, old, changed)
        return Verdict(row.seq, "changed", changes=tuple(changed))

    def _make_home(
        self, tx: Transaction, staged: _StagedSubnets, row: Staged, ip: int
    ) -> tuple[Verdict, Subnet]:
        """Have the network made that an address without a subnet says it is in."""
        if row.length == UNKNOWN:
            raise Invalid.field(
                "ip",
                f"no subnet contains {format_address(ip)}, and its own network is not given: "
                "add the subnet, or write the address with its prefix length",
                code="no_subnet",
            )
        network = meant_network(row.first, row.length)
        space = staged.space
        propose_subnet(tx, network, {"vrf_id": space.vrf_id})
        home = staged.open(network)
        seq = self._staging.add(
            "subnet",
            {},
            file=row.file,
            line=row.line,
            space=space.number,
            first=to_bytes(network.first),
            prefix=network.prefix_length,
        )
        return Verdict(seq, "created", "made for the addresses in it"), home

    def _without_doubles(
        self, page: Sequence[Staged], before: Staged | None, *, noun: str
    ) -> tuple[list[Verdict], list[Staged], Staged | None]:
        """Part the rows of a page from those that repeat the one before."""
        doubles: list[Verdict] = []
        rows: list[Staged] = []
        for row in page:
            if before is not None and _place(row) == _place(before):
                doubles.append(self._double(row, before, noun))
            else:
                rows.append(row)
                before = row
        return doubles, rows, before

    def _double(self, row: Staged, first: Staged, noun: str) -> Verdict:
        where = f"line {first.line}"
        if row.file != first.file:
            where += f" of {self._documents[first.file].name}"
        importer = self._documents[row.file].importer
        if importer is None or not importer.repeats:
            return Verdict(
                row.seq,
                "refused",
                f"{where} has the same {noun}",
                "ip" if noun == "address" else "network",
            )
        other = [
            each for each, value in row.values.items() if first.values.get(each, value) != value
        ]
        reason = f"{where} has the same {noun}; the first one counts"
        if other:
            reason += f", and has another {', '.join(other)}"
        return Verdict(row.seq, "skipped", reason)

    def _refused(self, row: Staged, refusal: RequestError) -> Verdict:
        return Verdict(row.seq, "refused", refusal.message, next(iter(refusal.fields or ()), None))


def settle_spaces(staging: Staging, names: Names) -> list[Space]:
    """Give the VRFs of the rows a number each, and put the rows in order.

    Rows of a VRF that there will not be are refused.
    """
    numbers: dict[Name, int] = {}
    aliases: dict[int, int] = {}
    spaces = {0: Space(0, None)}
    missing: dict[int, tuple[str, str]] = {}
    for number, reference in enumerate(names.references("vrf"), start=1):
        target = reference.target
        if target is None:
            missing[number] = (reference.problem or "", reference.field)
            continue
        first = numbers.setdefault(target, number)
        if first != number:
            aliases[number] = first
        spaces[first] = Space(first, target)
        if target.is_refused:
            missing[first] = (f"its VRF is refused in line {target.line}", reference.field)
    staging.settle(aliases)
    for number, (message, field_name) in missing.items():
        staging.refuse_space(number, message, field_name)
    return [spaces[number] for number in sorted(spaces)]


def subnet_values(names: Names, row: Staged, network: Network) -> dict[str, Any]:
    """Give the fields of a subnet, with the ids of what it refers to. Raises `Invalid`."""
    values = dict(row.values)
    for kind, field_name in (("folder", "section_id"), ("vlan", "vlan_id")):
        number = values.get(field_name)
        if number is not None:
            values[field_name] = _target_id(names, kind, number)  # type: ignore[arg-type]
    gateway = values.get("gateway")
    if gateway is not None:
        values["gateway"] = parse_address(gateway, field="gateway")
        check_gateway(network, values["gateway"])
    parent = values.pop("parent", None)
    if parent is not None:
        _check_parent(read_network(parent), network)
    return values


def _target_id(names: Names, kind: Registered, number: int) -> str | None:
    if number == 0:
        return None
    reference = names.reference(kind, number)
    target = reference.target
    if target is None:
        raise Invalid.field(reference.field, reference.problem or "")
    if target.is_refused:
        raise Invalid.field(reference.field, f"its {NOUNS[kind]} is refused in line {target.line}")
    return target.id


def _check_parent(parent: Network, network: Network) -> None:
    if not parent.span.covers(network.span) or parent == network:
        raise Invalid.field("parent", f"{network} is not inside its parent {parent}")


def _assigned_edges(
    tx: Transaction, vrf_id: str, networks: Sequence[Network]
) -> dict[int, Subnet | None]:
    """Give the assigned ones among the first and last addresses of networks, with their homes."""
    ips = sorted({ip for network in networks for ip in (network.first, network.last)})
    found = sorted(find_addresses(tx, vrf_id, ips))
    return dict(find_homes(tx, vrf_id, found))


def _unique_keys(
    unique: Sequence[tuple[str, ...]], value: Callable[[str], Any]
) -> Iterator[tuple[Any, ...]]:
    for names in unique:
        values = [value(each) for each in names]
        if None not in values:
            yield (names, *values)


def _place(row: Staged) -> tuple[bytes, int]:
    return row.first, row.prefix


class _StagedSubnets:
    """Know, for addresses in ascending order, the smallest subnet of the import around each."""

    def __init__(self, staging: Staging, space: Space) -> None:
        self.space = space
        self._rows = self._staged(staging)
        self._upcoming = next(self._rows, None)
        self._opened: list[Subnet] = []

    def home(self, ip: int, existing: Subnet | None) -> Subnet | None:
        """Give the smaller one of the existing subnet around an address and the staged one."""
        while self._upcoming and self._upcoming.network.first <= ip:
            self._opened.append(self._upcoming)
            self._upcoming = next(self._rows, None)
        while self._opened and self._opened[-1].network.last < ip:
            self._opened.pop()
        staged = self._opened[-1] if self._opened else None
        if staged is None or existing is None:
            return staged or existing
        is_larger = staged.network.prefix_length < existing.network.prefix_length
        return existing if is_larger else staged

    def open(self, network: Network) -> Subnet:
        """Add a subnet around the address that was asked for last."""
        opened = _pretended(network, self.space, is_pool=False)
        self._opened.append(opened)
        return opened

    def _staged(self, staging: Staging) -> Iterator[Subnet]:
        outcomes: tuple[Outcome, ...] = ("created", "changed")
        for page in staging.pages("subnet", self.space.number, outcomes=outcomes, size=PAGE):
            for row in page:
                if row.outcome == "changed" and "is_pool" not in row.values:
                    continue  # the existing one tells
                network = Network(from_bytes(row.first), row.prefix)
                yield _pretended(network, self.space, is_pool=row.values.get("is_pool", False))


def _pretended(network: Network, space: Space, *, is_pool: bool) -> Subnet:
    return Subnet(
        id=new_id("sub"),
        vrf_id=space.vrf_id,
        network=network,
        parent_id="",
        section_id=None,
        vlan_id=None,
        name=None,
        description=None,
        gateway=None,
        is_pool=is_pool,
        created_at=0,
        updated_at=0,
    )
