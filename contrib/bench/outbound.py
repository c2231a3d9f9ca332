"""Posts to a receiver on this machine: `app.outbound`, next to other clients without a guard."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from ipaddress import ip_network

import urllib3

from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.table import Goal, Line
from ipcraft.outbound.client import Outbound
from ipcraft.outbound.guard import Guard

_THREADS = 8
_POSTS = 20
"""Posts of a round, for each request that other parts make."""
_BODY = b"x" * 400
_HEADERS = {
    "Content-Type": "application/json",
    "webhook-id": "evt_00000000000000000000000000",
    "webhook-timestamp": "1764000000",
    "webhook-signature": f"v1,{'a' * 44}",
    "X-Webhook-Signature": f"t=1764000000,v1={'a' * 64}",
}

Post = Callable[[], int]


def outbound(grounds: Grounds) -> list[Line]:
    """Post by turns, from eight threads of one process; the receiver shares the machine."""
    ours, plain, pooled = Series(), Series(), Series()
    amount = grounds.effort.requests * _POSTS
    with _receiver() as port:
        for number in range(grounds.effort.rounds):
            say(f"posts, round {number + 1}")
            plain.add(_drive(partial(_plain, port), amount))
            with urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=_THREADS) as pool:
                pooled.add(_drive(partial(_pooled, pool), amount))
            with closing(Outbound(Guard([ip_network("127.0.0.0/8")]))) as client:
                ours.add(_drive(partial(_guarded, client, port), amount))
    return [
        Line(operation="limit: http.client", series=plain, clients=_THREADS),
        Line(operation="urllib3", series=pooled, clients=_THREADS),
        Line(
            operation="app.outbound.post",
            series=ours,
            clients=_THREADS,
            ratio=ours.rate_beside(plain),
            to="http.client",
            value=ours.rate,
            goals=(Goal("value", ">=", 1000, "/s"),),
        ),
    ]


def _plain(port: int) -> Post:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def post() -> int:
        connection.request("POST", "/hook", _BODY, _HEADERS)
        answer = connection.getresponse()
        answer.read(4096)
        return answer.status

    return post


def _pooled(pool: urllib3.HTTPConnectionPool) -> Post:
    def post() -> int:
        return pool.request("POST", "/hook", body=_BODY, headers=_HEADERS, redirect=False).status

    return post


def _guarded(client: Outbound, port: int) -> Post:
    url = f"http://127.0.0.1:{port}/hook"
    return lambda: client.post(url, headers=_HEADERS, body=_BODY).status


def _drive(make: Callable[[], Post], amount: int) -> Figures:
    """Have eight threads post so many times altogether."""

    def work(_: int) -> list[tuple[int, int]]:
        post = make()
        return [_timed(post) for _ in range(amount // _THREADS)]

    started = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as threads:
        posts = [each for done in threads.map(work, range(_THREADS)) for each in done]
    seconds = time.perf_counter() - started
    statuses = Counter(status for status, _ in posts)
    surprise = None if set(statuses) <= {200} else f"{dict(statuses)}"
    return Figures([ns for _, ns in posts], seconds, statuses, surprise=surprise)


def _timed(post: Post) -> tuple[int, int]:
    started = time.perf_counter_ns()
    return post(), time.perf_counter_ns() - started


@contextmanager
def _receiver() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
