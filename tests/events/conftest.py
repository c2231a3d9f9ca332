"""Organizations whose changes are counted and taken to sinks that a test looks into."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from ipcraft.events.dispatch import Dispatcher
from ipcraft.events.sequences import Sequencer
from ipcraft.plugin import (
    Application,
    Change,
    Event,
    Postponed,
    Reader,
    Transaction,
    events_after,
)
from ipcraft.testing import Clock, make_application

NOON = 1_772_366_400


@dataclass
class Memory:
    """Be a sink that remembers, and fails or waits when a test says so."""

    name: str = "memory"
    taken: list[Event] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Organizations whose events are not taken."""
    postponed: deque[Postponed] = field(default_factory=deque)
    """What is said to the next deliveries, which take only as much as it says."""
    closed: int = 0
    """How often it was told that its process ends."""
    open: threading.Event = field(default_factory=threading.Event)
    """Cleared, every delivery waits."""
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.open.set()

    def deliver(self, events: Sequence[Event]) -> None:
        """Take the events."""
        self.entered.release()
        assert self.open.wait(30)
        if events[0].organization_id in self.refused:
            raise RuntimeError("not these")
        if self.postponed:
            postponed = self.postponed.popleft()
            self.taken.extend(events[: postponed.taken])
            raise postponed
        self.taken.extend(events)

    def close(self) -> None:
        """Count the ends."""
        self.closed += 1

    def sequences(self) -> dict[str, list[int]]:
        """Give the sequences taken, by organization, as they came."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for event in self.taken:
            found[event.organization_id].append(event.sequence)
        return dict(found)


@dataclass
class Choosy(Memory):
    """Be a sink for a few organizations."""

    wanted: set[str] = field(default_factory=set)
    is_broken: bool = False

    def wants(self, reader: Reader) -> bool:
        """Tell whether the organization is one of them."""
        if self.is_broken:
            raise RuntimeError("nobody knows")
        return reader.organization_id in self.wanted


@dataclass
class Way:
    """Be the way of events in one process: who counts them, and who takes them to a sink."""

    app: Application
    sequencer: Sequencer
    dispatcher: Dispatcher
    wakes: threading.Semaphore

    def count(self) -> None:
        """Count until nothing is left."""
        while self.sequencer.run() < 0.1:
            pass

    def take(self) -> None:
        """Take on what is due, one organization with each hand, and wait until all are free."""
        self.dispatcher.close()  # at the end no hand takes on a second one
        self.dispatcher.run()
        self.dispatcher.close()


Make = Callable[..., Way]


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give the application of the built-in plugins at a time that tests set."""
    app = make_application(database_url, clock=clock)
    yield app
    app.close()


@pytest.fixture
def sink() -> Memory:
    """Give a sink."""
    return Memory()


@pytest.fixture
def make(application: Application) -> Make:
    """Give a way to make the parts of a further process."""

    def make(sink: Memory, *, lease: float = 30.0, app: Application = application) -> Way:
        wakes = threading.Semaphore(0)
        sequencer = Sequencer(
            app.storage,
            sinks=[sink],
            clock=app.clock,
            tell=lambda: wakes.release(),
            fresh=app._fresh,
        )
        dispatcher = Dispatcher(
            sink,
            storage=app.storage,
            clock=app.clock,
            lease=lease,
            wake=lambda drain: wakes.release(),
        )
        return Way(app, sequencer, dispatcher, wakes)

    return make


@pytest.fixture
def way(make: Make, sink: Memory) -> Way:
    """Give the way of events to the sink."""
    return make(sink)


def record(tx: Transaction, count: int, *, start: int = 0) -> None:
    """Record so many changes."""
    tx.record_many(
        Change(type="folder.created", resource_id=f"sec_{n}", label=str(n), details=f"Made {n}")
        for n in range(start, start + count)
    )


def stored(app: Application, organization_id: str) -> list[Event]:
    """Give the organization's events that have a sequence."""
    with app.storage.look(organization_id) as reader:
        return events_after(reader, 0, limit=1_000_000)
