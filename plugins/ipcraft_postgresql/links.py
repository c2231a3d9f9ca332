"""One connection: several statements in one round trip, and no waiting without an end.

PERF: psycopg's cursors cost Python 60 us for a statement and 100 us for a pipeline. libpq's own
pipeline, as psycopg offers it in `psycopg.pq`, costs 25 us for a round trip of several statements.
Source: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import RowFactory, tuple_row

from ipcraft.plugin import Row, Unavailable

Call = tuple[str, Sequence[Any]]
"""SQL with ``$1``, ``$2`` and so on, and its arguments in that order."""

_MOST_PREPARED = 500
"""Statements a connection keeps prepared; IPCraft has some two hundred."""

_TEXT, _BINARY = 0, 1
_ANY, _BYTEA = 0, 17
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Link(psycopg.Connection[Row]):
    """Be psycopg's connection, and send statements together.

    `prepares` tells whether statements are kept prepared; `patience` is how many seconds the server
    may be silent before it is given up.
    """

    prepares = True
    patience = 60.0

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self.opened_at = time.monotonic()
        self._statements: dict[str, bytes] = {}
        self._named = 0
        self._adapter = Transformer(self)
        self._poller = select.poll()
        self._poller.register(pgconn.socket, select.POLLIN)

    def exchange(self, calls: Sequence[Call]) -> list[PGresult]:
        """Run the calls in one round trip and give their results.

        Where no transaction is open they are one of their own. The first error is raised, and none
        of the calls behind it was run. Raises `Unavailable` when the server stays silent.
        """
        written = [self._written(arguments) for _, arguments in calls]
        pgconn = self.pgconn
        pgconn.enter_pipeline_mode()
        sent: list[str | None] = []
        for (sql, _), (values, formats) in zip(calls, written, strict=True):
            self._send(sql, values, formats, sent)
        pgconn.pipeline_sync()
        results = self._receive(sent)
        pgconn.exit_pipeline_mode()
        return results

    def rows(self, result: PGresult) -> list[Row]:
        """Give the rows of a result as Python values."""
        transformer = self._adapter
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _written(self, arguments: Sequence[Any]) -> tuple[list[bytes | None], list[int]]:
        """Write the arguments as PostgreSQL reads them, and tell which are in its binary format."""
        values: list[bytes | None] = []
        formats: list[int] = []
        for value in arguments:
            kind = type(value)
            # PERF: most are texts, bytes or nothing: for these there is no call of Python's.
            if kind is str:
                if "\0" in value:  # libpq would take it for the end
                    raise psycopg.DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
                values.append(value.encode())
            elif kind is bytes or value is None:
                values.append(value)
            else:
                values.append(_TEXTS.get(kind, self._dump)(value))
            formats.append(_BINARY if kind is bytes else _TEXT)
        return values, formats

    def _send(
        self,
        sql: str,
        values: Sequence[bytes | None],
        formats: Sequence[int],
        sent: list[str | None],
    ) -> None:
        """Send a call; note in `sent` what will be answered: a preparation by its SQL, or None."""
        name = self._statements.get(sql)
        if name is None and self.prepares and len(self._statements) < _MOST_PREPARED:
            self._named += 1
            name = self._statements[sql] = b"ipcraft_%d" % self._named
            self.pgconn.send_prepare(name, sql.encode(), _types(formats))
            sent.append(sql)
        if name is None:
            self.pgconn.send_query_params(sql.encode(), values, _types(formats), formats, _BINARY)
        else:
            self.pgconn.send_query_prepared(name, values, formats, _BINARY)
        sent.append(None)

    def _receive(self, sent: Sequence[str | None]) -> list[PGresult]:
        results: list[PGresult] = []
        failure: psycopg.Error | None = None
        self._flush()
        for prepared in sent:
            result = self._next()
            if result.status not in _DONE:
                if result.status == ExecStatus.FATAL_ERROR:
                    failure = errors.error_from_result(result)
                if prepared is not None:
                    del self._statements[prepared]
            elif prepared is None:
                results.append(result)
        self._next()  # the end of the pipeline
        if failure is not None:
            self.pgconn.exit_pipeline_mode()
            raise failure
        return results

    def _next(self) -> PGresult:
        """Wait for the next result."""
        pgconn = self.pgconn
        while True:
            while pgconn.is_busy():
                self._wait()
            result = pgconn.get_result()
            if result is not None:  # None stands between the results of two calls
                return result

    def _flush(self) -> None:
        """Send all of it; a server that answers meanwhile must not be kept waiting."""
        pgconn = self.pgconn
        if not pgconn.flush():
            return
        self._poller.register(pgconn.socket, select.POLLIN | select.POLLOUT)
        while pgconn.flush():
            self._wait()
        self._poller.register(pgconn.socket, select.POLLIN)

    def _wait(self) -> None:
        ready = self._poller.poll(self.patience * 1000)
        if not ready:
            self.close()
            raise Unavailable(f"the database was silent for {self.patience:g} seconds")
        if ready[0][1] != select.POLLOUT:
            self.pgconn.consume_input()

    def _dump(self, value: object) -> bytes:
        """Write a value of another type than `_TEXTS` knows as psycopg does."""
        dumped = self._adapter.get_dumper(value, PyFormat.TEXT).dump(value)
        assert dumped is not None, "only None is null"
        return bytes(dumped)


def _types(formats: Sequence[int]) -> list[int]:
    """Say what is bytes; of the rest PostgreSQL knows the type by its cast or its column."""
    return [_BYTEA if each == _BINARY else _ANY for each in formats]


_TEXTS: dict[type, Callable[[Any], bytes]] = {
    int: b"%d".__mod__,
    bool: lambda value: b"t" if value else b"f",
}
"""How values other than texts and bytes are written."""
