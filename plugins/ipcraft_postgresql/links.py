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

_Written = tuple[list[bytes | None], list[int]]
"""The arguments of a call, and which of them are in PostgreSQL's binary format."""

_TEXT, _BINARY = 0, 1
_ANY, _BYTEA = 0, 17
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_END = ""
"""Stands for the end of the pipeline among the preparations, which stand for themselves."""


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
        written = self._written(calls)
        self.pgconn.enter_pipeline_mode()
        sent = self._send(calls, written)
        results = self._receive(sent)
        self.pgconn.exit_pipeline_mode()
        return results

    def rows(self, result: PGresult) -> list[Row]:
        """Give the rows of a result as Python values."""
        transformer = self._adapter
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _written(self, calls: Sequence[Call]) -> list[_Written]:
        """Write all arguments as PostgreSQL reads them, before anything is sent."""
        written: list[_Written] = []
        for _, arguments in calls:
            values: list[bytes | None] = []
            formats: list[int] = []
            for value in arguments:
                kind = type(value)
                # PERF: most are texts, bytes or nothing: for these no function is called.
                if kind is str:
                    if "\0" in value:  # libpq would take it for the end
                        raise psycopg.DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
                    values.append(value.encode())
                elif kind is bytes or value is None:
                    values.append(value)
                else:
                    values.append(_TEXTS.get(kind, self._dump)(value))
                formats.append(_BINARY if kind is bytes else _TEXT)
            written.append((values, formats))
        return written

    def _send(self, calls: Sequence[Call], written: Sequence[_Written]) -> list[str | None]:
        """Send the calls; tell what will be answered: a preparation by its SQL, a call by None."""
        pgconn, statements = self.pgconn, self._statements
        sent: list[str | None] = []
        for (sql, _), (values, formats) in zip(calls, written, strict=True):
            name = statements.get(sql)
            if name is None and self.prepares and len(statements) < _MOST_PREPARED:
                self._named += 1
                name = statements[sql] = b"ipcraft_%d" % self._named
                pgconn.send_prepare(name, sql.encode(), _types(formats))
                sent.append(sql)
            if name is None:
                pgconn.send_query_params(sql.encode(), values, _types(formats), formats, _BINARY)
            else:
                pgconn.send_query_prepared(name, values, formats, _BINARY)
            sent.append(None)
        pgconn.pipeline_sync()
        if pgconn.flush():
            self._flush()
        return sent

    def _receive(self, sent: Sequence[str | None]) -> list[PGresult]:
        """Wait for the results of what was sent, and for the end of the pipeline."""
        pgconn = self.pgconn
        results: list[PGresult] = []
        failure: psycopg.Error | None = None
        for prepared in (*sent, _END):
            result = None
            while result is None:  # None stands between the results of two calls
                while pgconn.is_busy():
                    self._wait()
                result = pgconn.get_result()
            if result.status in _DONE:
                if prepared is None:
                    results.append(result)
            else:
                if result.status == ExecStatus.FATAL_ERROR:
                    failure = errors.error_from_result(result)
                if prepared is not None:
                    self._statements.pop(prepared, None)
        if failure is not None:
            pgconn.exit_pipeline_mode()
            raise failure
        return results

    def _flush(self) -> None:
        """Send all of it; a server that answers meanwhile must not be kept waiting."""
        pgconn = self.pgconn
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
