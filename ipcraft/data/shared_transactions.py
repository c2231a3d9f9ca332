"""Shared transactions: work that comes while a transaction is under way is done in the next one.

PERF: most of what a small write costs is not its rows but its transaction: the trips, the tenant,
the commit. So the work of one sender gathers behind the transaction that is under way for it in
this process, and the next one does all of it: one trip asks what is asked, one writes and commits
what is written. Who finds no transaction under way begins one, and so does the first in line when
that takes long. Between two transactions there is a moment for those who had theirs done in the
last one: clients that send one request after the other have the next one there by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from contextvars import Context, copy_context
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ipcraft.data.claims import changed_identity, joint
from ipcraft.errors import RequestError, Unavailable

if TYPE_CHECKING:
    from ipcraft.contributions import Identity, Storage
    from ipcraft.data.transactions import SharedWork, Transaction

T = TypeVar("T")

MOST = 32
"""Pieces of work that one transaction does."""

PATIENCE = 0.01
"""Seconds that the first in line waits at most for the transaction under way."""

COMPANY = 0.0005
"""Seconds that the next transaction waits at most for those who had work in the last one.

PERF: 16 clients have up to eight pieces of work done together, not four: 5 to 11 % more of them.
"""


class SharedTransactions:
    """Do the work of one process, each piece in a transaction of its own or in a shared one.

    `transact` does work in one of its own, as `Application.transact` does.
    """

    def __init__(self, storage: Storage, *, transact: Callable[..., Any]) -> None:
        self._storage = storage
        self._transact = transact
        self._lines: dict[Hashable, _Line] = {}
        self._changing = threading.Lock()

    def run(self, identity: Identity, work: SharedWork[T], *, line: str = "") -> T:
        """Do the work and commit it. Raises as if it were alone."""
        claim = identity.claim
        sender = (identity, claim and claim.question, line)
        seat = _Seat(identity, work)
        group = self._begin(sender, seat)
        if group:
            try:
                if len(group) == 1:
                    return self._alone(seat)
                self._together(group)
            finally:
                self._end(sender, group)
        if seat.refusal is not None:
            raise seat.refusal
        return seat.result if seat.is_done else self._alone(seat)

    def _begin(self, sender: Hashable, seat: _Seat[Any]) -> Sequence[_Seat[Any]]:
        """Give the work to do now; nothing when somebody else has had this done."""
        with self._changing:
            line = self._lines.get(sender)
            if line is None:
                self._lines[sender] = _Line()
                return (seat,)
            is_first = not line.waiting
            seat.get_in_line()
            line.join(seat)
        is_called = seat.called.acquire(timeout=PATIENCE if is_first else -1)
        with self._changing:
            if line.next is not seat:
                if is_called:
                    return ()
                line.under_way += 1
                return line.take_group()
            if not is_called:  # it was, in this very moment
                seat.called.acquire(blocking=False)
            line.is_open = not line.is_complete
            is_open = line.is_open
        if is_open:
            seat.called.acquire(timeout=COMPANY)
        with self._changing:
            return line.take_group()

    def _end(self, sender: Hashable, group: Sequence[_Seat[Any]]) -> None:
        """Call those who had their work done, and who is to do what has gathered meanwhile."""
        for seat in group[1:]:
            seat.called.release()
        with self._changing:
            line = self._lines[sender]
            if line.waiting and line.next is None:
                line.call_next(after=group)
            else:
                line.under_way -= 1
                if not line.under_way:
                    del self._lines[sender]

    def _alone(self, seat: _Seat[T]) -> T:
        work = seat.work
        done: T = self._transact(seat.identity, lambda tx: tx.perform(work))
        return done

    def _together(self, group: Sequence[_Seat[Any]]) -> None:
        """Do the work of all in one transaction, or of nobody."""
        identity = group[0].identity
        claim = joint([seat.identity.claim for seat in group])
        ordered = sorted(group, key=lambda seat: seat.work.order)

        def work(tx: Transaction) -> None:
            if tx.attempt > 1:  # others overtook it: alone each is faster than they are together
                raise _Apart
            tx.identity = identity
            for seat in ordered:
                seat.work.begin(tx)
            tx.send()
            if any(changed_identity(seat.identity) for seat in group):
                raise _Apart
            for seat in ordered:
                seat.context.run(seat.finish, tx)

        try:
            self._storage.transact(
                identity.organization_id, work, actor=identity.user_id, claim=claim
            )
        except Unavailable as error:  # it may be committed or not, so nobody tries again
            for seat in group:
                seat.refusal = copy(error)
        except BaseException as failure:
            for seat in group:
                seat.reopen()
            if not isinstance(failure, Exception):
                raise  # all others are raised again where they belong: alone
        else:
            for seat in group:
                seat.is_done = True


class _Apart(Exception):
    """Roll the work of several back: each is done alone."""


class _Seat(Generic[T]):
    """Be one piece of work, from its coming to its end."""

    __slots__ = (
        "_is_touched",
        "called",
        "context",
        "identity",
        "is_done",
        "refusal",
        "result",
        "work",
    )

    called: threading.Lock
    context: Context
    result: T

    def __init__(self, identity: Identity, work: SharedWork[T]) -> None:
        self.identity = identity
        self.work = work
        self.refusal: RequestError | None = None
        self.is_done = False
        self._is_touched = False

    def get_in_line(self) -> None:
        """Make ready to be called by another thread, and to be done in it."""
        self.called = threading.Lock()
        self.called.acquire()
        self.context = copy_context()

    def finish(self, tx: Transaction) -> None:
        """Do the work behind that of others in one transaction.

        What refuses it before it has changed anything concerns nobody else.
        """
        tx.guard(self._touch)
        try:
            result = self.work.finish(tx)
        except Unavailable as error:
            raise _Apart from error
        except RequestError as refusal:
            if self._is_touched:
                raise _Apart from refusal
            self.refusal = refusal
            return
        tx.settle()
        self.result = result

    def reopen(self) -> None:
        """Be as new: nothing was done."""
        self.refusal = None
        if self.identity.claim is not None:
            self.identity.claim.reopen()

    def _touch(self) -> None:
        self._is_touched = True


class _Line:
    """Be the work of one sender: transactions under way, and what waits for the next."""

    __slots__ = ("_expected", "is_open", "next", "under_way", "waiting")

    def __init__(self) -> None:
        self.under_way = 1
        """How many transactions there are, the one that is about to begin included."""
        self.waiting: list[_Seat[Any]] = []
        self.next: _Seat[Any] | None = None
        """Who was called to begin the next transaction, and has not begun it yet."""
        self.is_open = False
        """Whether he waits for those who are expected."""
        self._expected = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether all that are expected are there."""
        return len(self.waiting) >= self._expected

    def join(self, seat: _Seat[Any]) -> None:
        """Get in line; the last who was expected lets the transaction begin."""
        self.waiting.append(seat)
        if self.next and self.is_open and self.is_complete:
            self.is_open = False
            self.next.called.release()

    def call_next(self, *, after: Sequence[_Seat[Any]]) -> None:
        """Have who came first begin the next transaction."""
        self.next = self.waiting[0]
        self._expected = min(len(self.waiting) + len(after), MOST)
        self.next.called.release()

    def take_group(self) -> Sequence[_Seat[Any]]:
        """Take what has gathered."""
        self.next, self.is_open = None, False
        group, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        return group
