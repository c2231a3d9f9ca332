"""When a credential was last used, written beside the requests and never in their way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import BigInteger, Table, or_, update

from ipcraft.data.statements import Row, Statement, given, own
from ipcraft.errors import RequestError

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.data.transactions import Transaction

INTERVAL = 60
"""Seconds in which one use of a credential is written at most."""

_REMEMBERED = 10_000

_log = structlog.get_logger("ipcraft.data")


@dataclass(frozen=True, slots=True)
class _Use:
    organization_id: str
    credential_id: str
    now: int


class LastUsed:
    """Write the times of use into a tenant table's `last_used_at`, in the rows of these `id`s.

    A thread of its own does so, started at the first use. A time that is not yet written
    when the process ends is lost.
    """

    def __init__(self, app: Application, table: Table) -> None:
        self._app = app
        self._table = table.name
        self._set = _set_last_used(table)
        self._queue: Queue[_Use] = Queue()
        self._noted: dict[str, int] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(
        self, organization_id: str, *, credential_id: str, before: int | None, now: int
    ) -> None:
        """Have a use written, unless one of the last minute is written or waits to be.

        `before` is the time of use that the database holds, `now` this use's; both in
        seconds since the epoch.
        """
        if before is not None and now - before < INTERVAL:
            return
        if now - self._noted.get(credential_id, now - INTERVAL) < INTERVAL:
            return
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[credential_id] = now
        self._queue.put(_Use(organization_id, credential_id, now))
        self._ensure_running()

    def settle(self) -> None:
        """Wait until every use noted so far is written or given up."""
        self._queue.join()

    def _ensure_running(self) -> None:
        # A thread does not outlive a fork: is_alive() is False in the child.
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(
                        target=self._run, name=f"last-used-{self._table}", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        while True:
            use = self._queue.get()
            try:
                self._write(use)
            finally:
                self._queue.task_done()

    def _write(self, use: _Use) -> None:
        def work(tx: Transaction) -> None:
            tx.write(self._set, id=use.credential_id, now=use.now, latest=use.now - INTERVAL)

        try:
            self._app.storage.transact(use.organization_id, work)
        except RequestError as error:
            _log.warning(
                "a last use was not written",
                table=self._table,
                id=use.credential_id,
                reason=error.message,
            )


def _set_last_used(table: Table) -> Statement[Row]:
    c = table.c
    return Statement(
        update(table)
        .where(
            c.organization_id == own(),
            c.id == given("id"),
            or_(c.last_used_at.is_(None), c.last_used_at <= given("latest", BigInteger())),
        )
        .values(last_used_at=given("now", BigInteger()))
    )
