"""Two transactions that overlap: the second begins while the first is under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import psycopg
from sqlalchemy import make_url, select

from ipcraft.app import Application
from ipcraft.data.statements import Statement, own
from ipcraft.data.transactions import Transaction

_PATIENCE = 20.0
_FLUSH = Statement(select(own()))
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"

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


def _is_waiting(application: Application) -> bool:
    """Tell whether a transaction waits; on SQLite a second writer does."""
    url = make_url(application.settings.database_url)
    if url.drivername == "sqlite":
        return True
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        row = connection.execute(_WAITING, [url.database]).fetchone()
    return row is not None and row[0] > 0


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    pause = Event()
    while not happened():
        assert time.monotonic() < deadline
        pause.wait(0.005)
