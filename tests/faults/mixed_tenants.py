"""A process that runs transactions of many organizations, on connections it shares with others.

No statement here has a filter on the organization: whatever a transaction sees or changes beyond
its own crossed a wall.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from ipcraft.data.statements import Row, Statement
from ipcraft_ipam.tables import sections

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.data.transactions import Transaction

THREADS = 4

_TENANT = func.current_setting("ipcraft.org", True)
_SEEN = Statement(select(sections.c.organization_id, _TENANT, func.pg_backend_pid()))
_TOUCH = Statement(
    update(sections).values(sort_order=sections.c.sort_order + 1),
)
_LEFT_BEHIND = Statement(select(_TENANT, func.current_setting("role")))


@dataclass(frozen=True, slots=True)
class Share:
    """Say what one process does: so many transactions, each of one of the organizations."""

    database_url: str
    organizations: Sequence[str]
    transactions: int
    seed: int


@dataclass(slots=True)
class Outcome:
    """Tell how many transactions there were, which crossed, and who met whom on a connection."""

    done: int = 0
    crossings: list[str] = field(default_factory=list)
    shared: dict[str, list[str]] = field(default_factory=dict)
    """The organizations by the connection's process at the server."""


class _Abandoned(Exception):
    """End a transaction without a commit."""


def run(shares: Sequence[Share]) -> Outcome:
    """Run each share in a process of its own, all at once; tell of all of them together."""
    workers = [
        subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in shares
    ]
    for worker, share in zip(workers, shares, strict=True):
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(asdict(share)))
        worker.stdin.close()
        worker.stdin = None
    return _together([Outcome(**json.loads(worker.communicate()[0])) for worker in workers])


class _Tenants:
    """Run the transactions of one thread."""

    def __init__(self, application: Application, share: Share, *, seed: int) -> None:
        self._storage = application.storage
        self._share = share
        self._chance = random.Random(seed)
        self._shared: defaultdict[str, set[str]] = defaultdict(set)
        self._crossings: list[str] = []

    def run(self, transactions: int) -> Outcome:
        """Run so many, of every kind, in an order of chance."""
        kinds = (self._read, self._glance, self._write, self._abandon, self._look)
        for _ in range(transactions):
            kind = self._chance.choices(kinds, weights=(3, 3, 2, 1, 1))[0]
            kind(self._chance.choice(self._share.organizations))
        shared = {process: sorted(met) for process, met in self._shared.items()}
        return Outcome(transactions, self._crossings, shared)

    def _read(self, organization_id: str) -> None:
        with self._storage.read(organization_id) as tx:
            self._check(organization_id, tx.all(_SEEN))

    def _glance(self, organization_id: str) -> None:
        with self._storage.look(organization_id) as reader:
            self._check(organization_id, reader.all(_SEEN))
            self._check(organization_id, reader.all(_SEEN))

    def _write(self, organization_id: str) -> None:
        self._storage.transact(
            organization_id, lambda tx: self._change(tx, organization_id), actor=None
        )

    def _abandon(self, organization_id: str) -> None:
        def work(tx: Transaction) -> None:
            self._change(tx, organization_id)
            raise _Abandoned

        try:
            self._storage.transact(organization_id, work)
        except _Abandoned:
            return

    def _look(self, organization_id: str) -> None:
        left = self._storage.look_up(_LEFT_BEHIND)
        if left is None or left[0] or left[1] != "none":
            self._crossings.append(f"left behind on a connection: {left}")

    def _change(self, tx: Transaction, organization_id: str) -> None:
        changed = tx.execute(_TOUCH)
        if changed != 1:
            self._crossings.append(f"{organization_id} changed {changed} rows")
        self._check(organization_id, tx.all(_SEEN))

    def _check(self, organization_id: str, rows: list[Row]) -> None:
        if [row[:2] for row in rows] != [(organization_id, organization_id)]:
            self._crossings.append(f"{organization_id} saw {rows}")
        self._shared[str(rows[0][2])].add(organization_id)


def _work() -> None:
    """Be one of the processes."""
    from ipcraft.testing.applications import make_application

    share = Share(**json.load(sys.stdin))
    application = make_application(
        share.database_url, sections={"postgresql": {"prepared_statements": False}}
    )
    tenants = [_Tenants(application, share, seed=share.seed + n) for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda each: each.run(share.transactions // THREADS), tenants))
    application.storage.close()
    json.dump(asdict(_together(parts)), sys.stdout)


def _together(parts: Sequence[Outcome]) -> Outcome:
    whole = Outcome()
    met: defaultdict[str, set[Any]] = defaultdict(set)
    for part in parts:
        whole.done += part.done
        whole.crossings += part.crossings
        for process, organizations in part.shared.items():
            met[process].update(organizations)
    whole.shared = {process: sorted(organizations) for process, organizations in met.items()}
    return whole


if __name__ == "__main__":
    _work()
