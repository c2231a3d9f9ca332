"""Work that gathers is done in one transaction, and each piece as if it were alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from ipcraft.data import shared_transactions
from ipcraft.plugin import (
    Change,
    Claim,
    Contention,
    Identity,
    Invalid,
    NotFound,
    Statement,
    Transaction,
    Unauthenticated,
    Unavailable,
    events,
    given,
    new_id,
    own,
)
from ipcraft.testing import make_application, make_organization
from ipcraft.testing.services import PostgreSQL
from ipcraft_ipam.tables import sections

from .gathering import PATIENCE, Gathering, Holding, gathering, refusals, results, sender

_INSERT = Statement(insert(sections))
_COUNT = Statement(
    select(func.count()).select_from(sections).where(sections.c.organization_id == own())
)
_NAMES = Statement(select(sections.c.name).where(sections.c.organization_id == own()), str)
_REQUESTS = Statement(
    select(events.c.label, events.c.request_id, events.c.actor).where(
        events.c.organization_id == own(), events.c.type == "folder.created"
    )
)
_TRUE = Statement(select(given("proof")), str)


@dataclass
class Adding:
    """Add a folder of a name; tell how many there were when it asked."""

    name: str
    refuse: Callable[[Transaction], object] = lambda tx: None
    """Called before anything is written."""
    spoil: Callable[[Transaction], object] = lambda tx: None
    """Called when it is."""
    seen: int = -1

    @property
    def order(self) -> str:
        """Give the name."""
        return self.name

    def begin(self, tx: Transaction) -> None:
        """Ask how many folders there are."""
        tx.ask(_COUNT, self._note)

    def finish(self, tx: Transaction) -> str:
        """Add one."""
        self.refuse(tx)
        section_id = new_id("sec")
        tx.record(
            Change(
                type="folder.created",
                resource_id=section_id,
                label=self.name,
                details=f"Created {self.name}",
            )
        )
        tx.write(
            _INSERT,
            id=section_id,
            name=self.name,
            description=None,
            sort_order=0,
            search_text=None,
            created_at=tx.now,
            updated_at=tx.now,
        )
        self.spoil(tx)
        return self.name

    def _note(self, row: tuple[int] | None) -> None:
        assert row is not None
        (self.seen,) = row


def refusing(error: Exception) -> Callable[[Transaction], object]:
    """Give something that raises an error."""

    def raise_it(tx: Transaction) -> None:
        raise error

    return raise_it


def test_what_gathers_is_done_in_one_transaction(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """Each gets its own result, and its event the id of its own request."""
    works = {f"req-{number}": Adding(f"folder {number}") for number in range(6)}
    sent = way.together(identity, works)
    assert results(sent) == [f"folder {number}" for number in range(6)]
    assert transactions == [1, 1]  # the one that was held, and the one for all
    assert [work.seen for work in works.values()] == [0] * 6
    with way.app.read(identity) as tx:
        assert sorted(tx.all(_REQUESTS)) == [
            (f"folder {number}", f"req-{number}", identity.user_id) for number in range(6)
        ]


def test_work_is_done_in_its_order(way: Gathering, identity: Identity) -> None:
    """Two transactions that want the same things do not wait for each other crosswise."""
    done: list[str] = []

    def adding(name: str) -> Adding:
        return Adding(name, spoil=lambda tx: done.append(name))

    way.together(identity, {name: adding(name) for name in ("b", "d", "a", "c")})
    assert done == ["a", "b", "c", "d"]


def test_no_more_is_done_at_once_than_may(
    way: Gathering,
    identity: Identity,
    transactions: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest has the next transaction."""
    monkeypatch.setattr(shared_transactions, "MOST", 4)
    works = {str(number): Adding(str(number)) for number in range(6)}
    assert results(way.together(identity, works)) == list(works)
    assert len(transactions) == 3


def test_who_is_refused_before_it_wrote_is_refused_alone(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """The others are done in the same transaction."""
    works = {
        "one": Adding("one"),
        "two": Adding("two", refuse=refusing(NotFound("no such thing"))),
        "three": Adding("three"),
    }
    sent = way.together(identity, works)
    assert [type(error) for error in refusals(sent)] == [type(None), NotFound, type(None)]
    assert len(transactions) == 2
    with way.app.read(identity) as tx:
        assert sorted(tx.all(_NAMES)) == ["one", "three"]


@pytest.mark.parametrize(
    "error",
    [Invalid("not so"), Contention("overtaken"), ZeroDivisionError("a fault of the work's own")],
    ids=lambda error: type(error).__name__,
)
def test_who_fails_when_it_wrote_fails_alone(
    way: Gathering, identity: Identity, transactions: list[int], error: Exception
) -> None:
    """All is rolled back and done again, each alone: only one of them raises, what it raised."""
    works = {
        "one": Adding("one"),
        "two": Adding("two", spoil=refusing(error)),
        "three": Adding("three"),
    }
    sent = way.together(identity, works)
    assert [type(raised) for raised in refusals(sent)] == [type(None), type(error), type(None)]
    assert len(transactions) > 2 + 2
    with way.app.read(identity) as tx:
        assert sorted(tx.all(_NAMES)) == ["one", "three"]
        assert sorted(row[0] for row in tx.all(_REQUESTS)) == ["one", "three"]


def test_who_is_overtaken_is_done_again_alone(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """What others hold now it may have in a moment."""
    works = {"one": Adding("one"), "two": Adding("two", refuse=refusing_once(Contention("held")))}
    assert results(way.together(identity, works)) == ["one", "two"]
    assert transactions == [1, 1, 1, 1]


def test_what_the_database_refuses_is_done_alone(way: Gathering, identity: Identity) -> None:
    """A folder without a name: the error comes with the commit, and to who has made it."""
    works = {"one": Adding("one", spoil=_write_without_a_name), "two": Adding("two")}
    spoiled, done = refusals(way.together(identity, works))
    assert "null" in str(spoiled).lower()
    assert done is None
    with way.app.read(identity) as tx:
        assert tx.all(_NAMES) == ["two"]


def _write_without_a_name(tx: Transaction) -> None:
    tx.write(
        _INSERT,
        id=new_id("sec"),
        name=None,
        description=None,
        sort_order=0,
        search_text=None,
        created_at=tx.now,
        updated_at=tx.now,
    )


def test_what_may_be_committed_is_not_done_again(
    way: Gathering, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost with the answer to the commit: everybody is told, nothing is twice."""
    commit, commits = Transaction.commit, list[Transaction]()

    def cut(tx: Transaction) -> None:
        commit(tx)
        commits.append(tx)
        if len(commits) > 1:  # the first is what they wait for
            raise Unavailable("the database is away")

    monkeypatch.setattr(Transaction, "commit", cut)
    sent = way.together(identity, {name: Adding(name) for name in ("one", "two")})
    assert [type(error) for error in refusals(sent)] == [Unavailable, Unavailable]
    assert refusals(sent)[0] is not refusals(sent)[1]
    assert len(commits) == 2
    with way.app.read(identity) as tx:
        assert sorted(tx.all(_NAMES)) == ["one", "two"]


@pytest.fixture
def side_by_side(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Gathering, Identity]]:
    """Give the way of work, and a sender, where transactions go on side by side."""
    url = postgresql.create_database()
    app = make_application(url)
    with gathering(app, monkeypatch) as made:
        yield made, sender(make_organization(app))
    app.close()
    postgresql.drop_database(url)


def test_the_first_in_line_does_not_wait_for_ever(
    side_by_side: tuple[Gathering, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that takes long keeps nobody."""
    way, identity = side_by_side
    monkeypatch.setattr(shared_transactions, "PATIENCE", 0.001)
    with way.held(identity):
        assert way.send(identity, Adding("later")).result(PATIENCE) == "later"
        assert way.send(identity, Adding("latest")).result(PATIENCE) == "latest"
    assert not way.app._shared._lines


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """Collect the transactions that are committed."""
    found: list[Transaction] = []
    commit = Transaction.commit

    def noted(self: Transaction) -> None:
        commit(self)
        found.append(self)

    monkeypatch.setattr(Transaction, "commit", noted)
    return found


def test_who_had_work_in_the_last_one_is_waited_for(
    way: Gathering,
    identity: Identity,
    commits: list[Transaction],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who comes again, or somebody else in his place, completes the next one."""
    monkeypatch.setattr(shared_transactions, "COMPANY", PATIENCE)
    with way.held(identity):
        first = way.send(identity, Adding("first"))
        way.await_in_line()
    assert first.running()
    assert way.send(identity, Adding("second")).result(PATIENCE) == "second"
    assert first.result(PATIENCE) == "first"
    assert len(commits) == 2, "one of them is what they waited behind"
    assert not way.app._shared._lines


def test_nobody_waits_long_for_company(
    way: Gathering,
    identity: Identity,
    commits: list[Transaction],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who had work in the last transaction may have no more."""
    monkeypatch.setattr(shared_transactions, "COMPANY", 0.001)
    with way.held(identity):
        first = way.send(identity, Adding("first"))
        way.await_in_line()
    assert first.result(PATIENCE) == "first"
    assert len(commits) == 2
    assert not way.app._shared._lines


def test_nobody_waits_for_more_than_go_together(
    way: Gathering, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When as many are there as one transaction does, it begins."""
    monkeypatch.setattr(shared_transactions, "COMPANY", PATIENCE)
    monkeypatch.setattr(shared_transactions, "MOST", 2)
    sent = way.together(identity, {name: Adding(name) for name in ("one", "two")})
    assert results(sent) == ["one", "two"]


def test_patience_ends_as_the_turn_comes(
    way: Gathering, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stops waiting in the moment he is called begins the next transaction like any other."""
    monkeypatch.setattr(shared_transactions, "COMPANY", PATIENCE)
    get_in_line = shared_transactions._Seat.get_in_line

    def impatient(self: shared_transactions._Seat[Any]) -> None:
        get_in_line(self)
        self.called = Impatient(self.called)  # type: ignore[assignment] # for a lock

    monkeypatch.setattr(shared_transactions._Seat, "get_in_line", impatient)
    with way.held(identity):
        first = way.send(identity, Adding("first"))
        way.await_in_line()
    monkeypatch.setattr(shared_transactions._Seat, "get_in_line", get_in_line)
    assert way.send(identity, Adding("second")).result(PATIENCE) == "second"
    assert first.result(PATIENCE) == "first"


def test_more_than_expected_come(identity: Identity) -> None:
    """The next transaction is begun once, whenever they come."""
    line = shared_transactions._Line()
    first, *others = (shared_transactions._Seat(identity, Adding(str(n))) for n in range(4))
    for seat in (first, *others):
        seat.get_in_line()
    line.join(first)
    line.call_next(after=[first])
    line.join(others[0])  # he who was called has not come yet
    assert first.called.acquire(blocking=False)
    line.is_open = True
    for seat in others[1:]:
        line.join(seat)
    assert first.called.acquire(blocking=False)
    assert line.take_group() == [first, *others]
    line.join(first)
    line.is_open = True
    assert line.take_group() == [first], "the others took too long"
    assert not line.is_open


def test_two_transactions_end_before_the_next_begins(
    side_by_side: tuple[Gathering, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one of them hands on to who is next."""
    way, identity = side_by_side
    monkeypatch.setattr(shared_transactions, "COMPANY", PATIENCE)
    monkeypatch.setattr(shared_transactions, "PATIENCE", 0.001)
    with way.held(identity):
        slow = Holding()
        other = way.send(identity, slow)
        way.await_in_line()
        assert slow.begun.wait(PATIENCE)
        monkeypatch.setattr(shared_transactions, "PATIENCE", PATIENCE)
        first = way.send(identity, Adding("first"))
        way.await_in_line()
    slow.may_end.set()
    other.result(PATIENCE)
    assert first.running()
    assert way.send(identity, Adding("second")).result(PATIENCE) == "second"
    assert first.result(PATIENCE) == "first"
    assert not way.app._shared._lines


class Impatient:
    """Be a lock that says the first time that it was waited for in vain, when it is free."""

    def __init__(self, lock: threading.Lock) -> None:
        self.lock = lock
        self.is_new = True

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - a lock's
        """Acquire it."""
        if not self.is_new:
            return self.lock.acquire(blocking, timeout)
        self.is_new = False
        assert self.lock.acquire(timeout=PATIENCE)
        self.lock.release()
        return False

    def release(self) -> None:
        """Release it. Raises RuntimeError when it is free."""
        self.lock.release()


def test_senders_do_not_share(side_by_side: tuple[Gathering, Identity]) -> None:
    """What one may do, and whose name it is in, is never another's: nobody waits for others."""
    way, identity = side_by_side
    other = make_organization(way.app)
    others = [
        replace(identity, role="viewer"),
        replace(identity, credential_id="key_other"),
        claiming(identity, lambda proof: identity),
        sender(other),
    ]
    with way.held(identity):
        for number, each in enumerate(others):
            assert way.send(each, Adding(str(number))).result(PATIENCE) == str(number)


def test_lines_do_not_share(side_by_side: tuple[Gathering, Identity]) -> None:
    """Work that must not be done beside other work waits for none of it."""
    way, identity = side_by_side
    with way.held(identity):
        assert way.send(identity, Adding("a"), line="other").result(PATIENCE) == "a"


def claiming(identity: Identity, found: Callable[[Any], Identity]) -> Identity:
    """Give a sender who is certain when the next answer has come."""
    return replace(identity, claim=Claim(_TRUE, parameters={"proof": "x"}, recognize=found))


def test_each_claim_is_settled_and_asked_once(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """Everybody's credentials are checked, and what each may do."""
    asked: list[str] = []
    allowed: list[str] = []

    def found(proof: str) -> Identity:
        asked.append(proof)
        return identity

    senders = []
    with way.held(claiming(identity, found)):
        sent = {}
        for name in ("one", "two", "three"):
            sender = claiming(identity, found)
            assert sender.claim is not None
            sender.claim.allow = lambda identity, name=name: allowed.append(name)
            senders.append(sender)
            sent[name] = way.send(sender, Adding(name))
            way.await_in_line()
    assert results(sent) == ["one", "two", "three"]
    assert sorted(allowed) == ["one", "three", "two"]
    assert asked == ["x"] * 4
    assert len(transactions) == 2
    assert all(sender.claim and sender.claim.settled for sender in senders)


def test_who_is_somebody_else_by_now_is_served_as_that(
    way: Gathering, identity: Identity, transactions: list[int]
) -> None:
    """A role that has changed is judged anew, for each of them."""
    now = replace(identity, role="member")
    with way.held(claiming(identity, lambda proof: identity)):
        sent = {}
        for name in ("one", "two"):
            roles = Adding(name, spoil=lambda tx: tx.notes.update(role=tx.identity))
            sent[name] = way.send(claiming(identity, lambda proof: now), roles)
            way.await_in_line()
    assert results(sent) == ["one", "two"]
    assert len(transactions) > 3


def test_who_is_nobody_any_more_does_nothing(way: Gathering, identity: Identity) -> None:
    """A key that was revoked meanwhile: each of its requests is refused."""

    def found(proof: str) -> Identity:
        raise Unauthenticated("The API key is not valid")

    with way.held(claiming(identity, lambda proof: identity)):
        sent = {}
        for name in ("one", "two"):
            sent[name] = way.send(claiming(identity, found), Adding(name))
            way.await_in_line()
    assert [type(error) for error in refusals(sent)] == [Unauthenticated, Unauthenticated]
    with way.app.read(identity) as tx:
        assert tx.all(_NAMES) == []


def test_the_death_of_who_does_it_leaves_the_others_their_work(
    way: Gathering, identity: Identity
) -> None:
    """What ends a thread from outside ends one request, and nothing of it is written."""
    works = {
        "one": Adding("one", spoil=refusing_once(SystemExit())),
        "two": Adding("two"),
        "three": Adding("three"),
    }
    sent = way.together(identity, works)
    assert [type(error) for error in refusals(sent)] == [SystemExit, type(None), type(None)]
    with way.app.read(identity) as tx:
        assert sorted(tx.all(_NAMES)) == ["three", "two"]
    assert not way.app._shared._lines


def refusing_once(error: BaseException) -> Callable[[Transaction], object]:
    """Give something that raises an error the first time."""
    errors = [error]

    def raise_it(tx: Transaction) -> None:
        if errors:
            raise errors.pop()

    return raise_it


def test_work_joins_the_transaction_of_its_request(way: Gathering, identity: Identity) -> None:
    """With an Idempotency-Key the whole request is one transaction, and what it asks is seen."""

    def work(tx: Transaction) -> list[int]:
        within = replace(identity, within=tx)
        works = [Adding("one"), Adding("two")]
        for each in works:
            way.app.transact_shared(within, each)
        return [each.seen for each in works]

    assert way.app.transact(identity, work) == [0, 1]
