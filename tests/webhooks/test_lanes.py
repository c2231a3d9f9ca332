"""Lanes: what is slow holds up nobody but itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from ipcraft_webhooks.lanes import Lanes
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import Attempt, Endpoint

PATIENCE = 30.0
TAKEN = Outcome(at=0, duration_ms=1, status=200)
FAILED = Outcome(at=0, duration_ms=1, status=500)
SLOWLY_TAKEN = Outcome(at=0, duration_ms=5_000, status=200)
SLOWLY_FAILED = Outcome(at=0, duration_ms=10_000, error="too slow")

Open = Callable[..., Lanes]


def endpoint(name: str, *, failure_count: int = 0) -> Endpoint:
    """Make an endpoint."""
    return Endpoint("org_1", name, f"https://{name}.example.com", b"", None, None, failure_count)


def attempts(number: int, *, first: int = 0) -> list[Attempt]:
    """Make attempts with ids in their order."""
    return [
        Attempt(f"del_{count:05}", "evt_1", 1, "{}", leased_until=0)
        for count in range(first, first + number)
    ]


class Receivers:
    """Be all endpoints: those named as stuck answer when they are let go, the others at once."""

    def __init__(self, *stuck: str, outcome: Outcome = TAKEN) -> None:
        self._stuck = stuck
        self._outcome = outcome
        self._changing = threading.Condition()
        self.released = threading.Event()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.begun: list[tuple[str, str]] = []

    def make(self, endpoint: Endpoint, attempt: Attempt) -> Outcome | None:
        """Take an attempt."""
        name = endpoint.webhook_id
        with self._changing:
            self.begun.append((name, attempt.id))
            self.now[name] += 1
            self.most[name] = max(self.most[name], self.now[name])
            self._changing.notify_all()
        if name in self._stuck:
            self.released.wait(PATIENCE)
        with self._changing:
            self.now[name] -= 1
        return SLOWLY_FAILED if name in self._stuck else self._outcome

    def wait_until(self, number: int) -> None:
        """Wait until so many attempts are being made at the same moment."""
        with self._changing:
            assert self._changing.wait_for(lambda: self.now.total() >= number, PATIENCE)


@pytest.fixture
def opened() -> Iterator[Open]:
    """Give a way to make lanes; all are closed."""
    made: list[Lanes] = []

    def make(receivers: Receivers, *, threads: int = 8) -> Lanes:
        made.append(Lanes(receivers.make, threads=threads, made=lambda: None))
        return made[-1]

    yield make
    for each in made:
        each.close(patience=PATIENCE)


def test_attempts_of_a_lane_begin_in_their_order(opened: Open) -> None:
    """What is taken first is begun first."""
    receivers = Receivers()
    lanes = opened(receivers, threads=1)
    lanes.add(endpoint("a"), attempts(100))
    assert lanes.join(PATIENCE)
    assert [attempt for _, attempt in receivers.begun] == [each.id for each in attempts(100)]
    assert [made.attempt for _, made in lanes.finished()] == attempts(100)
    assert lanes.finished() == []


def test_lanes_take_turns(opened: Open) -> None:
    """A lane in which much waits does not go before one in which little does."""
    receivers = Receivers("stuck")
    lanes = opened(receivers, threads=4)
    lanes.add(endpoint("stuck"), attempts(2))
    receivers.wait_until(2)
    receivers.begun.clear()
    lanes.add(endpoint("flood"), attempts(500))
    lanes.add(endpoint("trickle"), attempts(1))
    receivers.released.set()
    assert lanes.join(PATIENCE)
    names = [name for name, _ in receivers.begun]
    assert names.index("trickle") < 50


def test_black_holes_do_not_hold_up_the_others(opened: Open) -> None:
    """While some answer nothing, whatever waits for them, the others get all of theirs."""
    holes = [f"hole{number}" for number in range(3)]
    receivers = Receivers(*holes)
    lanes = opened(receivers, threads=8)
    for hole in holes:
        lanes.add(endpoint(hole), attempts(500))
    receivers.wait_until(6)
    healthy = [f"healthy{number}" for number in range(47)]
    for name in healthy:
        lanes.add(endpoint(name), attempts(20))
    done = 0
    while done < 47 * 20:
        done += len(lanes.finished())
    assert receivers.now.total() == 6
    assert {receivers.most[hole] for hole in holes} == {2}
    lanes.refresh([])
    receivers.released.set()


def test_those_known_to_be_slow_share_half_of_the_threads(opened: Open) -> None:
    """However many they are, the other half is for those that are not."""
    holes = [f"hole{number}" for number in range(20)]
    receivers = Receivers(*holes)
    lanes = opened(receivers, threads=8)
    for hole in holes:
        lanes.add(endpoint(hole, failure_count=3), attempts(1))
    receivers.wait_until(4)
    lanes.add(endpoint("healthy"), attempts(50))
    done = 0
    while done < 50:
        done += len(lanes.finished())
    assert receivers.now.total() == 4
    receivers.released.set()
    assert lanes.join(PATIENCE)
    assert sorted(name for name, _ in receivers.begun if name != "healthy") == sorted(holes)


def rooms(lanes: Lanes, *endpoints: Endpoint) -> list[int]:
    """Give how many attempts may be taken for each."""
    wanted = {each.webhook_id: number for each, number in lanes.wanted(endpoints)}
    return [wanted.get(each.webhook_id, 0) for each in endpoints]


def test_a_window_grows_with_what_is_taken(opened: Open) -> None:
    """An endpoint nobody knows is sent two at a time, one that takes everything 16."""
    lanes = opened(Receivers(), threads=64)
    assert rooms(lanes, endpoint("a")) == [2 * 8]
    lanes.add(endpoint("a"), attempts(10))
    assert lanes.join(PATIENCE)
    assert rooms(lanes, endpoint("a")) == [12 * 8]
    lanes.add(endpoint("a"), attempts(100))
    assert lanes.join(PATIENCE)
    assert rooms(lanes, endpoint("a"), endpoint("b")) == [16 * 8, 2 * 8]


@pytest.mark.parametrize(
    ("outcome", "room"), [(FAILED, 8), (SLOWLY_FAILED, 1), (SLOWLY_TAKEN, 4), (TAKEN, 96)]
)
def test_a_window_is_what_the_endpoint_deserves(opened: Open, outcome: Outcome, room: int) -> None:
    """After a failure it is one; of a slow one no more is taken than is begun at once."""
    lanes = opened(Receivers(outcome=outcome))
    lanes.add(endpoint("a"), attempts(10))
    assert lanes.join(PATIENCE)
    assert rooms(lanes, endpoint("a")) == [room]


def test_little_is_taken_for_one_that_failed_the_last_time(opened: Open) -> None:
    """What a process learnt of a bad endpoint the next one knows from its failures."""
    assert rooms(opened(Receivers()), endpoint("a", failure_count=1)) == [1]


def test_no_more_is_taken_than_will_be_made_soon(opened: Open) -> None:
    """All lanes together hold 16 attempts for each thread."""
    receivers = Receivers("stuck")
    lanes = opened(receivers, threads=4)
    many = [endpoint(f"a{number}") for number in range(100)]
    assert sum(rooms(lanes, *many)) == 64
    lanes.add(endpoint("stuck"), attempts(60))
    assert sum(rooms(lanes, *many)) == 4
    lanes.add(endpoint("stuck"), attempts(10))
    assert sum(rooms(lanes, *many)) == 0
    lanes.refresh([])
    receivers.released.set()


def test_what_waits_for_nobody_is_forgotten(opened: Open) -> None:
    """A webhook that was deleted or switched off is sent nothing that was taken for it."""
    receivers = Receivers("a", "b")
    lanes = opened(receivers)
    lanes.add(endpoint("a"), attempts(10))
    lanes.add(endpoint("b"), attempts(10))
    receivers.wait_until(4)
    lanes.refresh([endpoint("b")])
    receivers.released.set()
    assert lanes.join(PATIENCE)
    assert Counter(name for name, _ in receivers.begun) == {"a": 2, "b": 10}


def test_an_endpoint_is_used_as_it_is_now(opened: Open) -> None:
    """What waits is sent to the URL, and signed with the secret, that the webhook has by then."""
    receivers = Receivers("a")
    seen: list[str] = []

    def make(endpoint: Endpoint, attempt: Attempt) -> Outcome | None:
        seen.append(endpoint.url)
        return receivers.make(endpoint, attempt)

    lanes = Lanes(make, threads=4, made=lambda: None)
    lanes.add(endpoint("a"), attempts(4))
    receivers.wait_until(2)
    new = Endpoint("org_1", "a", "https://new.example.com", b"", None, None, 0)
    lanes.refresh([new])
    receivers.released.set()
    assert lanes.join(PATIENCE)
    assert seen[2:] == ["https://new.example.com"] * 2
    lanes.close(patience=PATIENCE)


def test_an_end_gives_back_what_was_not_begun(opened: Open) -> None:
    """What is being made is waited for, as long as there is patience."""
    receivers = Receivers("a")
    lanes = opened(receivers)
    lanes.add(endpoint("a"), attempts(10))
    receivers.wait_until(2)
    left = lanes.close(patience=0)
    assert [attempt for _, attempt in left] == attempts(8, first=2)
    receivers.released.set()
    assert lanes.join(PATIENCE)
    assert len(lanes.finished()) == 2
