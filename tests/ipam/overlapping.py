"""Transactions that overlap: one begins while others are under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from sqlalchemy import func, make_url, select

from ipcraft.app import Application
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction

_PATIENCE = 20.0
_FLUSH = Statement(select(own()))
_PROCESS = Statement(select(func.pg_backend_pid()))
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
_BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND %s = ANY (pg_blocking_pids(pid))
"""

Work = Callable[[Transaction], object]


def overlap(application: Application, organization_id: str, first: Work, second: Work) -> None:
    """Send what `first` does, let `second` run as far as it comes, then commit both.

    `first` is committed when `second` waits for it or has ended.
    """
    begun = False
    transact = application.storage.transact
    with ThreadPoolExecutor(1) as pool:

        def work(tx: Transaction) -> None:
            nonlocal begun
            first(tx)
            tx.all(_FLUSH)
            if not begun:
                begun = True
                running.append(pool.submit(transact, organization_id, second))
                _await(lambda: running[0].done() or _is_waiting(application))

        running: list[Future[Any]] = []
        transact(organization_id, work)
        running[0].result(_PATIENCE)


class Held:
    """A transaction of PostgreSQL whose work is sent, and that is committed when told.

    >>> with Held(application, organization.id, work) as held:
    ...     held.await_waiting()  # until somebody waits for it
    """

    def __init__(self, application: Application, organization_id: str, work: Work) -> None:
        self._application = application
        self._process = 0
        sent, self._may_commit = Event(), Event()

        def hold(tx: Transaction) -> None:
            work(tx)
            self._process = tx.value(_PROCESS)
            sent.set()
            assert self._may_commit.wait(_PATIENCE)

        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(application.storage.transact, organization_id, hold)
        _await(lambda: sent.is_set() or self._future.done())

    def await_waiting(self) -> None:
        """Return as soon as another transaction waits for this one."""
        _await(lambda: _count(self._application, _BLOCKED, self._process) > 0)

    def commit(self) -> None:
        """Let the transaction end."""
        self._may_commit.set()
        self._future.result(_PATIENCE)
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.commit()


def _is_waiting(application: Application) -> bool:
    """Tell whether a transaction waits; on SQLite a second writer does."""
    url = make_url(application.settings.database_url)
    return url.drivername == "sqlite" or _count(application, _WAITING, url.database) > 0


def _count(application: Application, query: LiteralString, about: object) -> int:
    url = make_url(application.settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        row = connection.execute(query, [about]).fetchone()
    assert row is not None
    return int(row[0])


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    pause = Event()
    while not happened():
        assert time.monotonic() < deadline
        pause.wait(0.005)
