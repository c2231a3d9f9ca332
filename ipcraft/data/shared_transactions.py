"""Shared transactions: work that comes while a transaction is under way is done in the next one.

PERF: most of what a small write costs is not its rows but its transaction: the trips, the tenant,
the commit. So the work of one sender gathers behind the transaction that is under way for it in
this process, and the next one does all of it: one trip asks what is asked, one writes and commits
what is written. Nobody waits for company: who finds no transaction under way begins one, and so
does the first in line when that takes long.
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


class SharedTransactions:
    """Do the work of one process, each piece in a transaction of its own or in a shared one.

    `transact` does work in one of its own, as `Application.transact` does.
    """

    def __init__(self, storage: Storage, *, transact: Callable[..., Any]) -> None:
        self._storage = storage
        self._transact = transact
        self._lines: dict[Hashable, _Line] = {}
        self._changing = threading.Lock()

    def run(self, identity: Identity, work: SharedWork[T]) -> T:
        """Do the work and commit it. Raises as if it were alone."""
        claim = identity.claim
        sender = (identity, claim and claim.question)
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
            line.waiting.append(seat)
        if seat.called.acquire(timeout=PATIENCE if is_first else -1):
            return seat.group
        with self._changing:
            if not seat.group:
                line.under_way += 1
                line.next_group()
        return seat.group

    def _end(self, sender: Hashable, group: Sequence[_Seat[Any]]) -> None:
        """Call those who had their work done, and who is to do what has gathered meanwhile."""
        others = list(group[1:])
        with self._changing:
            line = self._lines[sender]
            if line.waiting:
                others.append(line.next_group()[0])
            else:
                line.under_way -= 1
                if not line.under_way:
                    del self._lines[sender]
        for seat in others:
            seat.called.release()

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
        "group",
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
        self.group: Sequence[_Seat[Any]] = ()
        """What its thread is to do next, itself first."""
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

    __slots__ = ("under_way", "waiting")

    def __init__(self) -> None:
        self.under_way = 1
        self.waiting: list[_Seat[Any]] = []

    def next_group(self) -> Sequence[_Seat[Any]]:
        """Take what has gathered: who came first has it done."""
        group, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        group[0].group = group
        return group
