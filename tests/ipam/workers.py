"""Processes that write to one inventory at once, each with an application of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Answer = tuple[int, Any]
"""A status and a body."""

Request = tuple[str, str, object]
"""A method, a path and a body."""


@dataclass(frozen=True, slots=True)
class Job:
    """Say what one process does: send its requests, in order, as soon as all others are ready."""

    requests: Sequence[Request]
    seed: int = 0
    releases: int = 0
    """Delete, after each request, so many of the addresses it made and that are left."""


class Crew:
    """Keep processes that wait for jobs: starting one takes longer than most of their work."""

    def __init__(self, size: int) -> None:
        self._workers = [
            subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(size)
        ]

    def run(self, database_url: str, key: str, jobs: Sequence[Job]) -> list[list[Answer]]:
        """Run the jobs at the same time, each in a process of its own; give all their answers."""
        assert len(jobs) <= len(self._workers)
        workers = self._workers[: len(jobs)]
        for worker, job in zip(workers, jobs, strict=True):
            _tell(worker, {"database_url": database_url, "key": key, "job": asdict(job)})
        for worker in workers:
            assert _hear(worker) == "ready"
        for worker in workers:
            _tell(worker, "go")
        answers = [_hear(worker) for worker in workers]
        return [[(status, body) for status, body in each] for each in answers]

    def close(self) -> None:
        """Let the processes end."""
        for worker in self._workers:
            worker.communicate()


def _tell(worker: subprocess.Popen[str], message: object) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(message) + "\n")
    worker.stdin.flush()


def _hear(worker: subprocess.Popen[str]) -> Any:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    assert line, f"worker {worker.pid} ended"
    return json.loads(line)


def _work() -> None:
    """Be one of the processes: read jobs, say when ready, answer with what came of them."""
    from ipcraft.testing.applications import make_application
    from ipcraft.testing.clients import Client

    for line in sys.stdin:
        told = json.loads(line)
        app = make_application(told["database_url"])
        client = Client(app, told["key"])
        client.get("/api/v1/subnets")
        _say("ready")
        sys.stdin.readline()
        answers = _answers(client, Job(**told["job"]))
        app.storage.close()
        _say(answers)


def _say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _answers(client: Any, job: Job) -> list[Answer]:
    chance = random.Random(job.seed)
    answers: list[Answer] = []
    made: list[str] = []
    for method, path, body in job.requests:
        answers.append(_send(client, method, path, body))
        made += _made(answers[-1])
        for _ in range(min(job.releases, len(made))):
            released = made.pop(chance.randrange(len(made)))
            answers.append(_send(client, "DELETE", f"/api/v1/addresses/{released}", None))
    return answers


def _made(answer: Answer) -> list[str]:
    status, body = answer
    rows = body if isinstance(body, list) else [body]
    return [row["id"] for row in rows if status == 201 and row["id"].startswith("addr_")]


def _send(client: Any, method: str, path: str, body: object) -> Answer:
    answer = client.request(method, path, **({} if body is None else {"json": body}))
    return answer.status_code, answer.json if answer.content else None


if __name__ == "__main__":
    _work()
