"""Work that gathers behind a transaction which is held open."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ipcraft.context import set_request_id
from ipcraft.data import shared_transactions
from ipcraft.plugin import Application, Identity, SharedWork, Transaction
from ipcraft.testing import Organization

PATIENCE = 30.0


@dataclass
class Holding:
    """Hold a transaction open until it is told to go on."""

    order: str = ""
    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def begin(self, tx: Transaction) -> None:
        """Ask nothing."""

    def finish(self, tx: Transaction) -> None:
        """Wait."""
        self.begun.set()
        assert self.may_end.wait(PATIENCE)


@dataclass
class Gathering:
    """Send work to one application, and know how much is in line."""

    app: Application
    pool: ThreadPoolExecutor
    in_line: threading.Semaphore

    def send(
        self,
        identity: Identity,
        work: SharedWork[Any],
        *,
        request_id: str | None = None,
        line: str = "",
    ) -> Future[Any]:
        """Send one piece of work, as a request of its own."""

        def serve() -> Any:
            set_request_id(request_id)
            return self.app.transact_shared(identity, work, line=line)

        return self.pool.submit(serve)

    @contextmanager
    def held(self, identity: Identity) -> Iterator[None]:
        """Hold a transaction of the sender open; what is sent meanwhile is done at its end."""
        holding = Holding()
        held = self.send(identity, holding)
        assert holding.begun.wait(PATIENCE)
        try:
            yield
        finally:
            holding.may_end.set()
        held.result(PATIENCE)

    def together(
        self, identity: Identity, works: Mapping[str, SharedWork[Any]]
    ) -> dict[str, Future[Any]]:
        """Have work gather, each piece with the id of its request, and give what came of it."""
        with self.held(identity):
            sent = {}
            for request_id, work in works.items():
                sent[request_id] = self.send(identity, work, request_id=request_id)
                self.await_in_line()
        for each in sent.values():
            each.exception(PATIENCE)
        return sent

    def await_in_line(self) -> None:
        """Return when one more is in line."""
        assert self.in_line.acquire(timeout=PATIENCE)


@contextmanager
def gathering(app: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gathering]:
    """Let work gather for as long as a test likes."""
    monkeypatch.setattr(shared_transactions, "PATIENCE", PATIENCE)
    in_line = threading.Semaphore(0)
    seat = shared_transactions._Seat
    get_in_line = seat.get_in_line

    def told(self: shared_transactions._Seat[Any]) -> None:
        get_in_line(self)
        in_line.release()

    monkeypatch.setattr(seat, "get_in_line", told)
    with ThreadPoolExecutor(40) as pool:
        yield Gathering(app, pool, in_line)


def sender(organization: Organization) -> Identity:
    """Give the owner of an organization."""
    return Identity(
        organization_id=organization.id,
        user_id=organization.user_id,
        role="owner",
        scheme="test",
    )


def results(sent: Mapping[str, Future[Any]]) -> list[Any]:
    """Give what all of them gave."""
    return [each.result(PATIENCE) for each in sent.values()]


def refusals(sent: Mapping[str, Future[Any]]) -> Sequence[BaseException | None]:
    """Give what each of them raised, None for nothing."""
    return [each.exception(PATIENCE) for each in sent.values()]
