"""Statements on one connection, as many as possible in one round trip."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any

from psycopg import errors
from psycopg.pq.abc import PGresult
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.engine import Dialect

from ipcraft.plugin import Claim, CompiledStatement, Queued, RequestError, Row, Settle
from ipcraft_postgresql.leases import Lease
from ipcraft_postgresql.links import Call

DIALECT: Dialect = psycopg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

COMMIT: Call = ("COMMIT", ())

ONE_PLAN = (
    "set_config('plan_cache_mode', 'force_generic_plan', true), "
    "set_config('enable_seqscan', 'off', true)"
)
"""Has statements planned once for all parameters.

PERF: planning takes longer than most statements, and the planner, which compares estimates, may
plan anew each time. One plan fits all where a statement goes by keys, if it was not made for a
table that was empty or full of what waits when it was last analyzed, and so reads all of it ever
after.
"""

_MOST_TOGETHER = 8
_CALLS_AT_ONCE = 256
_ROWS_TOGETHER = 16
_PARAMETER = re.compile(r"\$(\d+)")
_PLAIN_INSERT = re.compile(r"(INSERT INTO \w+ \([^()]*\) VALUES )(\([^()]*\))")

_ASK_FOR_ONE_PLAN: tuple[Queued, Settle] = (
    (CompiledStatement(f"SELECT {ONE_PLAN}", (), {}), []),
    lambda rows: None,
)


class Opening:
    """Say what goes out before the first statement: BEGIN, the claim, the tenant with the locks.

    With `plans_once` the tenant's statements are planned once, from the first one on.
    """

    __slots__ = ("_begin", "_claim", "_refusal", "_tenant", "plans_once")

    def __init__(
        self,
        begin: Call | None,
        tenant: Call | None,
        *,
        claim: Claim | None = None,
        plans_once: bool = False,
    ) -> None:
        self._begin = begin
        self._tenant = tenant
        self._claim = claim if claim and not claim.settled else None
        self.plans_once = plans_once
        self._refusal: RequestError | None = None

    def lock(self, function: str, key: int) -> None:
        """Hold a lock from before the first statement on.

        PERF: told in one SELECT with the tenant, it costs next to nothing.
        """
        sql, arguments = self._tenant or ("SELECT 1", ())
        locking = f"{sql}, {function}(${len(arguments) + 1}::BIGINT)"
        self._tenant = (locking, (*arguments, key))

    def try_lock(self, key: int, *, refusal: RequestError) -> None:
        """Hold a lock likewise, or have the refusal raised at once.

        A division by zero ends the pipeline there: nothing behind it is run, let alone waits.
        """
        sql, arguments = self._tenant or ("SELECT 1", ())
        trying = f"1 / pg_try_advisory_xact_lock(${len(arguments) + 1}::BIGINT)::INT"
        self._tenant = (f"SELECT {trying}, {sql.removeprefix('SELECT ')}", (*arguments, key))
        self._refusal = refusal

    def run(self, lease: Lease, calls: Sequence[Call]) -> list[PGresult]:
        """Send it with the calls, settle the claim, and give the results of the calls."""
        before = [] if self._begin is None else [self._begin]
        claim, self._claim = self._claim, None
        place = len(before)
        if claim:
            compiled = claim.statement.compile(DIALECT)
            before.append((compiled.sql, compiled.arguments(claim.parameters, None)))
        if self._tenant:
            sql, arguments = self._tenant
            before.append((f"{sql}, {ONE_PLAN}" if self.plans_once else sql, arguments))
        results = self._begin_with(lease, [*before, *calls])
        if claim:
            rows = lease.link.rows(results[place])
            claim.settle(claim.statement.into(*rows[0]) if rows else None)
        return results[len(before) :]

    def _begin_with(self, lease: Lease, calls: Sequence[Call]) -> list[PGresult]:
        try:
            return lease.begin(calls)
        except errors.DivisionByZero:
            if self._refusal is None:
                raise
            raise self._refusal from None


class PostgreSQLSession:
    """Run statements on a connection; the transaction begins with the first.

    It `plans_once` all of them where the opening says so, and from the first query on that asks for
    one plan.

    PERF: a round trip costs 60 to 140 us, a statement in it some 20. What opens the transaction
    goes out with its first statement; what is queued goes out with the next statement, or with the
    commit; independent writes are sent as one.
    """

    dialect = DIALECT

    __slots__ = ("_asked", "_lease", "_opening", "_plans_once")

    def __init__(self, lease: Lease, opening: Opening) -> None:
        self._lease = lease
        self._opening: Opening | None = opening
        self._plans_once = opening.plans_once
        self._asked: list[tuple[Queued, Settle]] = []

    def lock(self, queued: Sequence[Queued], key: int, *, shared: bool) -> None:
        """Hold the lock: before the first statement, or now."""
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        if self._opening and not queued:
            self._opening.lock(function, key)
        else:
            self._exchange([*_calls(queued), (f"SELECT {function}($1::BIGINT)", (key,))])

    def try_lock(self, key: int, *, refusal: RequestError) -> None:
        """Hold the lock from before the first statement on, or have that raise the refusal.

        Raises RuntimeError behind the first statement.
        """
        if self._opening is None:
            raise RuntimeError("a transaction tries locks before its first statement")
        self._opening.try_lock(key, refusal=refusal)

    def ask(self, question: Queued, settle: Settle) -> None:
        """Ask with the next statement."""
        self._asked.append((question, settle))

    def send(self, queued: Sequence[Queued]) -> None:
        """Run what is queued and what was asked."""
        self._exchange(_calls(queued))

    def fetch(self, queued: Sequence[Queued], statement: Queued) -> list[Row]:
        """Run what is queued and the query."""
        if statement[0].one_plan:
            self._plan_once()
        return self._lease.link.rows(self._run(queued, statement))

    def execute(self, queued: Sequence[Queued], statement: Queued) -> int:
        """Run what is queued and the write."""
        return self._run(queued, statement).command_tuples or 0

    def execute_many(
        self, queued: Sequence[Queued], compiled: CompiledStatement, rows: list[list[object]]
    ) -> None:
        """Run the write for each row; rows of a plain insert go several in one statement."""
        calls = [*_calls(queued), *_calls_of(compiled.sql, rows)]
        for start in range(0, len(calls), _CALLS_AT_ONCE):
            self._exchange(calls[start : start + _CALLS_AT_ONCE])

    def commit(self, queued: Sequence[Queued]) -> None:
        """Run what is queued and commit."""
        # What commits cannot be run again on another connection, and no answer undoes it.
        if self._asked or (queued and self._opening):
            self._exchange([])
        if not self._opening:
            self._exchange([*_calls(queued), COMMIT])

    def _plan_once(self) -> None:
        """Have this query, and all behind it, planned once."""
        if self._plans_once:
            return
        self._plans_once = True
        if self._opening:
            self._opening.plans_once = True
        else:
            self._asked.insert(0, _ASK_FOR_ONE_PLAN)

    def _run(self, queued: Sequence[Queued], statement: Queued) -> PGresult:
        compiled, arguments = statement
        return self._exchange([*_calls(queued), (compiled.sql, arguments)])[-1]

    def _exchange(self, calls: Sequence[Call]) -> list[PGresult]:
        if not self._asked:
            return self._send(calls)
        asked, self._asked = self._asked, []
        questions = [(compiled.sql, arguments) for (compiled, arguments), _ in asked]
        results = self._send([*questions, *calls])
        for result, (_, settle) in zip(results, asked, strict=False):
            settle(self._lease.link.rows(result))
        return results[len(asked) :]

    def _send(self, calls: Sequence[Call]) -> list[PGresult]:
        if not self._opening:
            return self._lease.link.exchange(calls)
        opening, self._opening = self._opening, None
        return opening.run(self._lease, calls)


class PostgreSQLLook:
    """Run queries, each for itself, in one round trip.

    What tells the tenant goes out with each query: both are one transaction, without a word more.
    """

    dialect = DIALECT

    __slots__ = ("_lease", "_opening")

    def __init__(self, lease: Lease, opening: Opening) -> None:
        self._lease = lease
        self._opening = opening

    def fetch(self, queued: Sequence[Queued], statement: Queued) -> list[Row]:
        """Run the query."""
        compiled, arguments = statement
        self._opening.plans_once = compiled.one_plan
        [result] = self._opening.run(self._lease, [(compiled.sql, arguments)])
        return self._lease.link.rows(result)


def _calls(queued: Sequence[Queued]) -> list[Call]:
    """Give what is queued, the independent writes as few: they may go before the others.

    Of a write that comes again nobody has said that it is independent of itself: all that was
    queued before it goes first.
    """
    calls: list[Call] = []
    together: dict[str, Sequence[Any]] = {}
    others: list[Call] = []
    for compiled, arguments in queued:
        sql = compiled.sql
        if not compiled.independent:
            others.append((sql, arguments))
            continue
        if len(together) == _MOST_TOGETHER or sql in together:
            calls += [_call(together), *others]
            together, others = {}, []
        together[sql] = arguments
    return [*calls, *([_call(together)] if together else ()), *others]


def _call(together: Mapping[str, Sequence[Any]]) -> Call:
    if len(together) == 1:
        [call] = together.items()
        return call
    return _merged(*together), list(chain.from_iterable(together.values()))


def _calls_of(sql: str, rows: Sequence[list[object]]) -> Iterator[Call]:
    """Give the calls that run a write for each row."""
    together = _of_several_rows(sql)
    whole = len(rows) // _ROWS_TOGETHER * _ROWS_TOGETHER if together else 0
    for start in range(0, whole, _ROWS_TOGETHER):
        batch = rows[start : start + _ROWS_TOGETHER]
        yield together, [argument for row in batch for argument in row]
    for row in rows[whole:]:
        yield sql, row


@lru_cache(maxsize=256)
def _of_several_rows(sql: str) -> str:
    """Give the insert of `_ROWS_TOGETHER` rows; nothing for what is no plain insert of one.

    PERF: starting a statement costs the server more than a row of it: 2,000 addresses with their
    events take two thirds of the time.
    """
    plain = _PLAIN_INSERT.fullmatch(sql)
    if plain is None:
        return ""
    head, row = plain.groups()
    count = max(map(int, _PARAMETER.findall(row)), default=0)
    return head + ", ".join(_shifted(row, index * count) for index in range(_ROWS_TOGETHER))


@lru_cache(maxsize=1024)
def _merged(*statements: str) -> str:
    """Make one statement of several independent writes; each has its parameters behind the last's.

    PERF: each statement of a pipeline costs the server and Python 20 us together.
    """
    counts = [max(map(int, _PARAMETER.findall(sql)), default=0) for sql in statements]
    *others, last = map(_shifted, statements, accumulate(counts, initial=0))
    parts = ", ".join(f"w{index} AS ({sql})" for index, sql in enumerate(others))
    return f"WITH {parts} {last}"


def _shifted(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
