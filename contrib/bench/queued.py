"""One job for each delivery, as it is usually done: what RQ carries, and the worker that does it.

``python -m bench.queued URL`` works until nothing is queued. A job posts and is done: it signs
nothing, logs nothing and tries nothing again, so its rate is what the queue alone allows.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import requests
from redis import Redis
from rq import Queue, SimpleWorker

_CONTRIB = Path(__file__).resolve().parent.parent
_QUEUE = "deliveries"
_session = requests.Session()


def post(url: str, body: str) -> int:
    """Deliver once."""
    headers = {"Content-Type": "application/json"}
    return _session.post(url, data=body, headers=headers, timeout=10).status_code


def queue_deliveries(redis_url: str, url: str, body: str, *, number: int) -> None:
    """Order deliveries, each a job."""
    with Redis.from_url(redis_url) as connection:
        queue = Queue(_QUEUE, connection=connection)
        for _ in range(number):
            queue.enqueue(post, url, body)


def work_off(redis_url: str) -> float:
    """Have one worker process do what is queued; give the seconds it took after its start."""
    command = [sys.executable, "-m", "bench.queued", redis_url]
    done = subprocess.run(command, cwd=_CONTRIB, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def _work(redis_url: str) -> None:
    with Redis.from_url(redis_url) as connection:
        worker = SimpleWorker([_QUEUE], connection=connection)
        began = time.perf_counter()
        worker.work(burst=True, logging_level="ERROR")
        print(time.perf_counter() - began)


if __name__ == "__main__":
    _work(sys.argv[1])
