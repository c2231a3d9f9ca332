"""When a key was last used, written beside the requests and never in their way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Queue

import structlog
from sqlalchemy import BigInteger, or_, update

from ipcraft.plugin import Application, RequestError, Statement, Transaction, given, own
from ipcraft_apikeys.tables import api_keys

INTERVAL = 60
"""Seconds in which one use of a key is written at most."""

_REMEMBERED = 10_000

_log = structlog.get_logger("ipcraft_apikeys")

_SET_LAST_USED = Statement(
    update(api_keys)
    .where(
        api_keys.c.organization_id == own(),
        api_keys.c.id == given("key_id"),
        or_(
            api_keys.c.last_used_at.is_(None),
            api_keys.c.last_used_at <= given("latest", BigInteger()),
        ),
    )
    .values(last_used_at=given("now", BigInteger()))
)


@dataclass(frozen=True, slots=True)
class _Use:
    organization_id: str
    key_id: str
    now: int


class LastUsed:
    """Write the times of use from a thread of its own, started at the first use.

    A time that is not yet written when the process ends is lost.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._queue: Queue[_Use] = Queue()
        self._noted: dict[str, int] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, organization_id: str, *, key_id: str, before: int | None, now: int) -> None:
        """Have a use written, unless one of the last minute is written or waits to be.

        `before` is the time of use that the database holds, `now` this use's; both in
        seconds since the epoch.
        """
        if before is not None and now - before < INTERVAL:
            return
        if now - self._noted.get(key_id, now - INTERVAL) < INTERVAL:
            return
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[key_id] = now
        self._queue.put(_Use(organization_id, key_id, now))
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
                        target=self._run, name="api-keys-last-used", daemon=True
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
            tx.write(_SET_LAST_USED, key_id=use.key_id, now=use.now, latest=use.now - INTERVAL)

        try:
            self._app.storage.transact(use.organization_id, work)
        except RequestError as error:
            _log.warning(
                "the last use of a key was not written", key=use.key_id, reason=error.message
            )
