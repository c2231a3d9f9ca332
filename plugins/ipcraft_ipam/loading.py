"""Loading many subnets: in transactions of some hundreds, skipping what is there already."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from sqlalchemy import select

from ipcraft.plugin import (
    Invalid,
    LimitReached,
    RequestError,
    Statement,
    Storage,
    Transaction,
    Unavailable,
    given,
    own,
)
from ipcraft_ipam import sections, vrfs
from ipcraft_ipam.hierarchy import create
from ipcraft_ipam.network_files import ListedNetwork
from ipcraft_ipam.networks import Network, from_bytes
from ipcraft_ipam.tables import GLOBAL_VRF, subnets

_CHUNK = 500
_ALL = 2**31 - 1

_s = subnets.c
_EXISTING = Statement(
    select(_s.first, _s.prefix_length).where(
        _s.organization_id == own(), _s.vrf_id == given("vrf_id")
    ),
    lambda first, prefix_length: Network(from_bytes(first), prefix_length),
)


@dataclass(slots=True)
class Loaded:
    """Count what became of the networks."""

    created: int = 0
    present: int = 0
    """How many were there already; they are left as they are."""
    refused: list[tuple[Network, str]] = field(default_factory=list)
    """Those that a rule or a plugin refused, with the reason."""


class _Refused(Exception):
    """Undo a transaction for the sake of one network in it."""

    def __init__(self, index: int, reason: RequestError) -> None:
        super().__init__(index, reason)
        self.index = index
        self.reason = reason


def load(
    storage: Storage,
    organization_id: str,
    networks: Sequence[ListedNetwork],
    *,
    section: str | None = None,
    vrf: str | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> Loaded:
    """Create those subnets that are not there, in the order given.

    `section` names the folder they go in and `vrf` the VRF, each made when there is none of the
    name; a VRF may be given by its id or route distinguisher too. Without it they go in the global
    one. `advance` is told how many networks are done. Raises `Unavailable`, `NotFound` for the id
    of no VRF, and `Invalid` when several folders have the name.
    """
    vrf_id = storage.transact(organization_id, partial(_vrf_id, text=vrf)) if vrf else GLOBAL_VRF
    with storage.read(organization_id) as tx:
        existing = set(tx.all(_EXISTING, vrf_id=vrf_id))
    new = [listed for listed in networks if listed.network not in existing]
    loaded = Loaded(present=len(networks) - len(new))
    advance(loaded.present)
    if not new:
        return loaded
    section_id = section and storage.transact(organization_id, partial(_section_id, name=section))
    chunks = deque(_chunks(new))
    while chunks:
        chunk = chunks.popleft()
        work = partial(_create, networks=chunk, section_id=section_id, vrf_id=vrf_id)
        try:
            storage.transact(organization_id, work)
        except _Refused as refusal:
            if isinstance(refusal.reason, LimitReached):
                # So will be all that come after it.
                late = [*chunk[refusal.index + 1 :], *chain.from_iterable(chunks)]
                chunk = chunk[: refusal.index + 1]
                chunks.clear()
                for listed in late:
                    _note(loaded, listed, refusal.reason)
                advance(len(late))
            _note(loaded, chunk[refusal.index], refusal.reason)
            advance(1)
            # All before it were fine, and are now undone; they go again without it.
            rest = (chunk[refusal.index + 1 :], chunk[: refusal.index])
            chunks.extendleft(part for part in rest if part)
        else:
            loaded.created += len(chunk)
            advance(len(chunk))
    return loaded


def _chunks(networks: Sequence[ListedNetwork]) -> list[Sequence[ListedNetwork]]:
    return [networks[start : start + _CHUNK] for start in range(0, len(networks), _CHUNK)]


def _section_id(tx: Transaction, *, name: str) -> str:
    found = sections.SECTIONS.page(tx, {"name": name}, limit=_ALL)
    if len(found) > 1:
        raise Invalid(f"{len(found)} folders are called {name!r}: rename all but one")
    return found[0].id if found else sections.create(tx, {"name": name}).id


def _vrf_id(tx: Transaction, *, text: str) -> str:
    found = vrfs.find(tx, text)
    return found.id if found else vrfs.create(tx, {"name": text}).id


def _create(
    tx: Transaction, *, networks: Sequence[ListedNetwork], section_id: str | None, vrf_id: str
) -> None:
    for index, listed in enumerate(networks):
        values: dict[str, Any] = {
            "name": listed.name,
            "description": listed.description,
            "section_id": section_id,
            "vrf_id": vrf_id,
        }
        try:
            create(tx, listed.network, values)
        except Unavailable:
            raise
        except RequestError as error:
            raise _Refused(index, error) from error


def _note(loaded: Loaded, listed: ListedNetwork, reason: RequestError) -> None:
    if reason.code == "subnet_overlap":
        loaded.present += 1  # somebody was faster
    else:
        loaded.refused.append((listed.network, reason.message))
