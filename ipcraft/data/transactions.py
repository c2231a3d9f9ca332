"""The transaction: statements of one organization, committed together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from sqlalchemy import literal, select

from ipcraft.data.locks import lock_key
from ipcraft.data.statements import CompiledStatement, Row, Statement, as_tuple

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

    from ipcraft.contributions import Identity
    from ipcraft.errors import RequestError
    from ipcraft.events.changes import Change
    from ipcraft.events.recording import Recorder

R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Queued = tuple[CompiledStatement, list[Any]]

Settle = Callable[[list[Row]], object]
"""Take the rows that answer a question; what it raises ends the transaction."""

_NOTHING = Statement(select(literal(1)))


class RolledBack(Exception):
    """Have a transaction rolled back though nothing is wrong with its work."""


class SharedWork(Protocol[T_co]):
    """Be work that can share a transaction with other work of the same sender.

    First every `begin` is called, then every `finish`, in the same order. So what `finish` is told
    by the answers is as it was before the others' writes: it must not make a mistake of that, at
    worst an error of the database, for which each is begun anew alone. In `Transaction.notes`
    one piece of work leaves word for the next.
    """

    @property
    def order(self) -> str:
        """Give what work is done in the order of: two transactions must not wait crosswise."""
        ...

    def begin(self, tx: Transaction) -> None:
        """Hold the locks and ask the questions of the work: nothing is answered yet."""

    def finish(self, tx: Transaction) -> T_co:
        """Do it, with the answers at hand."""
        ...


class QuerySession(Protocol):
    """Carry queries to one database connection.

    Each call first sends what is `queued`, in order, in as few round trips as it can.
    """

    @property
    def dialect(self) -> Dialect:
        """Give the SQLAlchemy dialect statements are compiled for."""
        ...

    def fetch(self, queued: Sequence[Queued], statement: Queued) -> list[Row]:
        """Run the statement and give its rows."""
        ...


class Session(QuerySession, Protocol):
    """Carry statements to one database connection, inside one open transaction."""

    def lock(self, queued: Sequence[Queued], key: int, *, shared: bool) -> None:
        """Hold the lock from before the next statement on; nothing where a writer is alone."""

    def try_lock(self, key: int, *, refusal: RequestError) -> None:
        """Hold the lock likewise, but never wait: the next statement raises the refusal instead."""

    def ask(self, question: Queued, settle: Settle) -> None:
        """Send a question before the next statement, and settle it before that is seen."""

    def send(self, queued: Sequence[Queued]) -> None:
        """Run what is queued and what was asked, now."""

    def execute(self, queued: Sequence[Queued], statement: Queued) -> int:
        """Run the statement and give the number of rows it changed."""
        ...

    def execute_many(
        self, queued: Sequence[Queued], compiled: CompiledStatement, rows: list[list[Any]]
    ) -> None:
        """Run the statement once for each row of arguments."""

    def commit(self, queued: Sequence[Queued]) -> None:
        """Run what is queued and commit."""


class Reader:
    """Run queries for one organization; `organization_id` is None across organizations."""

    __slots__ = ("_queries", "organization_id")

    def __init__(self, session: QuerySession, *, organization_id: str | None) -> None:
        self.organization_id = organization_id
        self._queries = session

    def all(self, statement: Statement[R], /, **parameters: Any) -> list[R]:
        """Give every row of a query."""
        rows = self._queries.fetch(self._take_queue(), self._bind(statement, parameters))
        into = statement.into
        if into is as_tuple:
            return cast("list[R]", rows)  # PERF: lists of thousands are shown as they are read
        return [into(*row) for row in rows]

    def one(self, statement: Statement[R], /, **parameters: Any) -> R | None:
        """Give the first row of a query, or None."""
        rows = self._queries.fetch(self._take_queue(), self._bind(statement, parameters))
        return statement.into(*rows[0]) if rows else None

    def value(self, statement: Statement[Row], /, **parameters: Any) -> Any:
        """Give the first column of the first row, or None."""
        row = self.one(statement, **parameters)
        return row[0] if row else None

    def _bind(self, statement: Statement[Any], parameters: Mapping[str, Any]) -> Queued:
        compiled = statement.compile(self._queries.dialect)
        return compiled, compiled.arguments(parameters, self.organization_id)

    def _take_queue(self) -> Sequence[Queued]:
        return ()


class Transaction(Reader):
    """Run statements for one organization until the work is committed.

    `actor` is the user the changes are ascribed to, `now` the transaction's time in seconds since
    the epoch, `attempt` counts how often its work was begun: others may have overtaken it before.
    `identity` is who sent the request, None in work of no request; in `notes` plugins keep what
    they want to know again before the transaction ends, each under its own names. `failed` tells
    that work which had joined in raised, and `erased` that nothing is left of the organization.
    """

    __slots__ = (
        "_changes",
        "_guard",
        "_held",
        "_queue",
        "_recorder",
        "_session",
        "_woken",
        "actor",
        "attempt",
        "erased",
        "failed",
        "identity",
        "notes",
        "now",
    )

    def __init__(
        self,
        session: Session,
        recorder: Recorder,
        *,
        organization_id: str | None,
        actor: str | None = None,
        attempt: int = 1,
    ) -> None:
        super().__init__(session, organization_id=organization_id)
        self.actor = actor
        self.attempt = attempt
        self.identity: Identity | None = None
        self.notes: dict[str, Any] = {}
        self.now = recorder.now()
        self.failed = False
        self.erased = False
        self._guard: Callable[[], object] | None = None
        self._held: set[tuple[int, bool]] = set()
        self._session = session
        self._recorder = recorder
        self._queue: list[Queued] = []
        self._changes: list[Change] = []
        self._woken: set[str] = set()

    def write(self, statement: Statement[Any], /, **parameters: Any) -> None:
        """Queue a write: it is sent with the next query or with the commit.

        PERF: queued writes and the commit share one round trip; independent ones
        (`Statement`) even one statement.
        """
        if self._guard is not None:
            self._run_guard()
        self._queue.append(self._bind(statement, parameters))

    def write_many(self, statement: Statement[Any], rows: Iterable[Mapping[str, Any]], /) -> None:
        """Write many rows with one statement, now."""
        self._run_guard()
        compiled = statement.compile(self._session.dialect)
        organization = self.organization_id
        arguments = [compiled.arguments(row, organization) for row in rows]
        if arguments:
            self._session.execute_many(self._take_queue(), compiled, arguments)

    def execute(self, statement: Statement[Any], /, **parameters: Any) -> int:
        """Run a write now and give the number of rows it changed."""
        self._run_guard()
        return self._session.execute(self._take_queue(), self._bind(statement, parameters))

    def lock(self, *name: str) -> None:
        """Hold the organization's lock of this name alone, from the next statement to the end."""
        self._lock(name, shared=False)

    def share_lock(self, *name: str) -> None:
        """Hold the lock together with other sharers, against whoever wants it alone."""
        self._lock(name, shared=True)

    def try_lock(self, *name: str, refusal: RequestError) -> None:
        """Hold the lock alone, but never wait for it: the next statement raises the refusal."""
        key = lock_key(self.organization_id or "", *name)
        self._session.try_lock(key, refusal=refusal)

    def ask(
        self, statement: Statement[R], settle: Callable[[R | None], object], /, **parameters: Any
    ) -> None:
        """Ask a question with the next statement; `settle` takes the first row, or None.

        PERF: it costs no round trip. What `settle` raises ends the transaction before anything
        that the next statement gives is seen.
        """
        self.ask_all(statement, lambda rows: settle(rows[0] if rows else None), **parameters)

    def ask_all(
        self, statement: Statement[R], settle: Callable[[list[R]], object], /, **parameters: Any
    ) -> None:
        """Ask a question likewise; `settle` takes all rows."""
        into = statement.into

        def take(rows: list[Row]) -> object:
            return settle([into(*row) for row in rows])

        if self._queue:  # a question asked after a write sees it
            self.send()
        self._session.ask(self._bind(statement, parameters), take)

    def send(self) -> None:
        """Send what is queued and what was asked, now."""
        self._session.send(self._take_queue())

    def perform(self, work: SharedWork[T]) -> T:
        """Do work that can share a transaction, as a part of this one."""
        work.begin(self)
        self.send()
        return work.finish(self)

    def guard(self, check: Callable[[], object]) -> None:
        """Have `check` called once: before the first write or change, or before the end.

        So it sees what is to be changed as it was, and after the work has locked it.
        """
        self._guard = check

    def join(self, work: Callable[[Transaction], T]) -> T:
        """Run work that would else have a transaction of its own as part of this one."""
        if self.failed:
            raise RuntimeError(
                "work that failed is followed by more in the same request, which is one "
                "transaction here: let what it raised end the request, or declare the method "
                "`irrevocable` on its Route"
            )
        try:
            return work(self)
        except BaseException:
            self.failed = True
            raise

    def record(self, change: Change) -> None:
        """Record a change, before the writes that make it.

        The plugins' `before_change` hooks run now and may refuse it; its event row is
        written, and `after_change` hooks run, in this transaction.
        """
        self._run_guard()
        self._recorder.before(change, self)
        self._changes.append(change)

    def record_many(self, changes: Iterable[Change]) -> None:
        """Record many changes."""
        for change in changes:
            self.record(change)

    def settle(self) -> None:
        """Finish the changes recorded so far: their event rows and `after_change` hooks."""
        self._run_guard()
        while self._changes:
            changes, self._changes = self._changes, []
            self._recorder.after(changes, self)

    def wake(self, drain: str) -> None:
        """Have the drain of this name run soon after the commit, to find what is written here."""
        self._woken.add(drain)

    def rehearse(self) -> None:
        """Finish every change and send everything, so that all is checked, without a commit."""
        self.settle()
        self.value(_NOTHING)

    def commit(self) -> None:
        """Finish every change, then send everything at once, and wake who has to do with it."""
        self.settle()
        self._session.commit(self._take_queue())
        self._recorder.committed(self.organization_id, self._woken)

    def _run_guard(self) -> None:
        check, self._guard = self._guard, None
        if check is not None:
            check()

    def _lock(self, name: Sequence[str], *, shared: bool) -> None:
        key = lock_key(self.organization_id or "", *name)
        if (key, False) in self._held or (key, shared) in self._held:
            return
        self._held.add((key, shared))
        self._session.lock(self._take_queue(), key, shared=shared)

    def _take_queue(self) -> list[Queued]:
        queue, self._queue = self._queue, []
        return queue
