"""Counting in memory: exact whoever counts, and bounded."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from ipcraft.plugin import RateLimit
from ipcraft.testing import Clock
from ipcraft_local import LocalRateLimiter
from ipcraft_local.windows import SETS, WAYS, Windows

NOW = 1_750_000_000.0
LIMIT = RateLimit(name="test", requests=100, seconds=60)
FORKS = """
import os, signal, sys
from ipcraft.plugin import RateLimit
from ipcraft_local import LocalRateLimiter, rate_limits

limit = RateLimit(name="test", requests=100, seconds=60)
rate_limits.share()
pipes = []
for number in range(4):
    reader, writer = os.pipe()
    if os.fork() == 0:
        limiter = LocalRateLimiter()
        allowed = sum(limiter.take("key", limit).allowed for _ in range(200))
        os.write(writer, str(allowed).encode())
        if number == 0:  # one of them dies while it keeps the others out
            with limiter._windows._alone():
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    os.close(writer)
    pipes.append(reader)
print(sum(int(os.read(reader, 10)) for reader in pipes))
"""


def test_threads_count_together() -> None:
    """Of 800 requests at once as many are allowed as the limit says."""
    limiter = LocalRateLimiter()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: limiter.take("key", LIMIT), range(800)))
    assert sum(each.allowed for each in taken) == 100


def test_the_processes_of_one_server_count_together() -> None:
    """What is shared before the fork is counted in by all, also when one of them is killed."""
    outcome = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert outcome.stdout == "100\n"


def test_a_window_begins_with_its_first_request() -> None:
    """It ends so many seconds later, and the next request begins another."""
    clock = Clock(NOW)
    limiter = LocalRateLimiter(clock=clock)
    assert limiter.take("key", LIMIT).remaining == 99
    clock.advance(seconds=59.5)
    second = limiter.take("key", LIMIT)
    assert (second.remaining, second.seconds) == (98, 0.5)
    clock.advance(seconds=0.5)
    third = limiter.take("key", LIMIT)
    assert (third.remaining, third.seconds) == (99, 60)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    """A window that ends in the far future is over."""
    windows, clock = Windows(), Clock(NOW)
    clock.advance(hours=1)
    for _ in range(3):
        windows.count("key", clock=clock, seconds=60)
    clock.advance(hours=-1)
    assert windows.count("key", clock=clock, seconds=60) == (1, 60)


def test_the_time_is_read_where_nobody_else_counts() -> None:
    """Who read it before a window began, and counts in it, would take it for one of the future."""
    windows = Windows()

    def clock() -> float:
        assert windows._guard.locked()
        return NOW

    assert windows.count("key", clock=clock, seconds=60) == (1, 60)


def test_too_many_keys_displace_the_one_that_ends_first() -> None:
    """Memory stays what it is; who is displaced starts anew."""
    windows, clock = Windows(), Clock(NOW)
    keys = [f"key {number}" for number in range(SETS * WAYS)]
    for key in keys:
        windows.count(key, clock=clock, seconds=60)
        clock.advance(seconds=1 / 10_000)
    used = [windows.count(key, clock=clock, seconds=60)[0] for key in keys[-1000:]]
    assert used == [2] * 1000
