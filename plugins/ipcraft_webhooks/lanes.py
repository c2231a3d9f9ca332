"""Lanes: one for each endpoint, so that a slow one holds up nobody but itself.

Threads make the attempts of all lanes in turn. How many of one lane are made at the same moment is
its window: it grows while the endpoint takes what it is sent, and is one attempt after a failure.
Those that are slow share half of the threads. So black holes, however much waits for them, leave
room.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Attempt, Endpoint, Made

SLOW = 1_000
"""Milliseconds from which on an attempt counts as slow."""

_FIRST_WINDOW = 2
_MOST_WINDOW = 16
_MOST_SLOW_WINDOW = 4
_BUFFERED = 8
_HELD_FOR_EACH_THREAD = 16
_MOST_LANES = 10_000

Make = Callable[[Endpoint, Attempt], Outcome | None]
"""Make an attempt; None where it must not be made any more."""


@dataclass(slots=True, eq=False)
class _Lane:
    """Hold what was taken for one endpoint, and what was learnt of it.

    `turns` counts the times that its next attempt is some thread's: they stand in the line, or
    are being made.
    """

    endpoint: Endpoint
    window: int
    slow: bool
    waiting: deque[Attempt] = field(default_factory=deque)
    turns: int = 0
    making: int = 0
    parked: bool = False

    @classmethod
    def of(cls, endpoint: Endpoint) -> _Lane:
        """Begin a lane; little is expected of an endpoint that failed the last time."""
        failing = endpoint.failure_count > 0
        return cls(endpoint, 1 if failing else _FIRST_WINDOW, slow=failing)

    @property
    def room(self) -> int:
        """Say how many more attempts may be taken for it: of a slow one, no more than is begun."""
        wanted = self.window if self.slow else self.window * _BUFFERED
        return max(wanted - len(self.waiting) - self.making, 0)

    @property
    def wants_turn(self) -> bool:
        """Tell whether another thread could make an attempt of it."""
        return self.turns < self.window and self.turns - self.making < len(self.waiting)

    def learn(self, outcome: Outcome) -> None:
        """Make the window what the outcome says."""
        self.slow = outcome.duration_ms >= SLOW
        if outcome.succeeded:
            self.window = min(self.window + 1, _MOST_SLOW_WINDOW if self.slow else _MOST_WINDOW)
        else:
            self.window = 1


_Turn = tuple[_Lane, bool]
"""A lane, and whether it was slow when it was lined up."""


class Lanes:
    """Make attempts in threads, and keep what became of them until it is asked for."""

    def __init__(self, make: Make, *, threads: int, made: Callable[[], object]) -> None:
        self._make = make
        self._number = threads
        self._tell = made
        self._lanes: dict[str, _Lane] = {}
        self._line: SimpleQueue[_Turn | None] = SimpleQueue()
        self._parked: deque[_Lane] = deque()
        self._slow_turns = 0
        self._done: SimpleQueue[tuple[Endpoint, Made]] = SimpleQueue()
        self._changing = threading.Condition()
        self._open = 0
        self._threads: list[threading.Thread] = []

    def refresh(self, endpoints: Iterable[Endpoint]) -> None:
        """Take endpoints as they are now; forget what waits for those that are not there."""
        known = {each.webhook_id: each for each in endpoints}
        with self._changing:
            for webhook_id, lane in self._lanes.items():
                if webhook_id in known:
                    lane.endpoint = known[webhook_id]
                else:
                    self._clear(lane)
            if len(self._lanes) > _MOST_LANES:
                self._lanes = {
                    name: each for name, each in self._lanes.items() if each.turns or each.waiting
                }

    def wanted(self, endpoints: Sequence[Endpoint]) -> list[tuple[Endpoint, int]]:
        """Say how many attempts may be taken for which of the endpoints."""
        with self._changing:
            rooms = [(each, self._lane(each).room) for each in endpoints]
            held = self._open
        rooms = [(endpoint, room) for endpoint, room in rooms if room]
        random.shuffle(rooms)  # where there is not enough for all, it is not always the same's turn
        left = self._number * _HELD_FOR_EACH_THREAD - held
        share = max(left // max(len(rooms), 1), 1)
        return [(endpoint, min(room, share)) for endpoint, room in rooms[: max(left // share, 0)]]

    def add(self, endpoint: Endpoint, attempts: Sequence[Attempt]) -> None:
        """Have attempts made that were taken."""
        if not attempts:
            return
        self._begin()
        with self._changing:
            lane = self._lanes.setdefault(endpoint.webhook_id, self._lane(endpoint))
            lane.waiting.extend(attempts)
            self._open += len(attempts)
            self._line_up(lane)

    def finished(self) -> list[tuple[Endpoint, Made]]:
        """Give the attempts that were made since the last time, in their order."""
        return [self._done.get_nowait() for _ in range(self._done.qsize())]

    def join(self, patience: float) -> bool:
        """Wait until all attempts are made, no longer than the patience; tell whether they are."""
        with self._changing:
            return self._changing.wait_for(lambda: not self._open, patience)

    def close(self, *, patience: float) -> list[tuple[Endpoint, Attempt]]:
        """Begin no more attempts, wait a while for those being made; give those not begun."""
        with self._changing:
            left = [(lane.endpoint, each) for lane in self._lanes.values() for each in lane.waiting]
            for lane in self._lanes.values():
                self._clear(lane)
        self.join(patience)
        for _ in self._threads:
            self._line.put(None)
        return left

    def _clear(self, lane: _Lane) -> None:
        self._open -= len(lane.waiting)
        lane.waiting.clear()
        self._changing.notify_all()

    def _lane(self, endpoint: Endpoint) -> _Lane:
        return self._lanes.get(endpoint.webhook_id) or _Lane.of(endpoint)

    def _begin(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True)
                for number in range(self._number)
            ]
            for thread in self._threads:
                thread.start()

    def _line_up(self, lane: _Lane) -> None:
        """Give the lane as many turns as it may have now."""
        while lane.wants_turn:
            if lane.slow and self._slow_turns >= self._number // 2:
                if not lane.parked:
                    lane.parked = True
                    self._parked.append(lane)
                return
            lane.turns += 1
            self._slow_turns += lane.slow
            self._line.put((lane, lane.slow))

    def _work(self) -> None:
        while (turn := self._line.get()) is not None:
            lane, was_slow = turn
            with self._changing:
                attempt, endpoint = self._begin_turn(lane)
            outcome = None if attempt is None else self._make(endpoint, attempt)
            if attempt is not None and outcome is not None:
                self._done.put((endpoint, Made(endpoint.webhook_id, attempt, outcome)))
                self._tell()
            with self._changing:
                self._end_turn(lane, outcome, made=attempt is not None, was_slow=was_slow)

    def _begin_turn(self, lane: _Lane) -> tuple[Attempt | None, Endpoint]:
        if not lane.waiting:
            return None, lane.endpoint
        lane.making += 1
        return lane.waiting.popleft(), lane.endpoint

    def _end_turn(
        self, lane: _Lane, outcome: Outcome | None, *, made: bool, was_slow: bool
    ) -> None:
        lane.turns -= 1
        self._slow_turns -= was_slow
        if made:
            lane.making -= 1
            self._open -= 1
            if not self._open:
                self._changing.notify_all()
        if outcome is not None:
            lane.learn(outcome)
        self._line_up(lane)
        while self._parked and self._slow_turns < self._number // 2:
            waiting = self._parked.popleft()
            waiting.parked = False
            self._line_up(waiting)
