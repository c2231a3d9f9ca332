"""A sink that writes every event down, in a plugin of its own, and the processes that call it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from ipcraft.testing.distributions import write_distribution
from ipcraft.testing.services.processes import end

LEASE = 2.0

_PLUGIN = '''
"""Write events down."""

import os

from ipcraft.plugin import hookimpl

API = 1


class Ledger:
    name = "ledger"

    def deliver(self, events):
        lines = [f"{e.organization_id} {e.sequence} {e.id} {e.type} {e.label}" for e in events]
        file = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, ("\\n".join(lines) + "\\n").encode())
        finally:
            os.close(file)


@hookimpl
def ipcraft_event_sinks(app):
    return [Ledger()]
'''


class Ledger:
    """Be the file that the sink writes."""

    def __init__(self, folder: Path) -> None:
        self._site = folder / "site"
        self._site.mkdir()
        self._file = folder / "ledger"
        write_distribution(
            self._site,
            "ipcraft-ledger",
            plugins={"ledger": "ipcraft_ledger"},
            files={"ipcraft_ledger.py": _PLUGIN},
        )

    @property
    def environ(self) -> dict[str, str]:
        """Give the variables with which a process calls the sink."""
        return {
            "PYTHONPATH": str(self._site),
            "LEDGER": str(self._file),
            "IPCRAFT_PLUGINS_ENABLE": "ledger",
            "IPCRAFT_LEASE": str(LEASE),
        }

    @property
    def lines(self) -> int:
        """Give how many events were written down, those that came again included."""
        return len(self._file.read_text().splitlines())

    def entries(self, organization_id: str) -> dict[int, set[tuple[str, str, str]]]:
        """Give id, type and label of an organization's events, by their sequence."""
        found: defaultdict[int, set[tuple[str, str, str]]] = defaultdict(set)
        if self._file.exists():
            for line in self._file.read_text().splitlines():
                of, sequence, *event = line.split(" ", 4)
                if of == organization_id:
                    found[int(sequence)].add((event[0], event[1], event[2]))
        return dict(found)


class Crew:
    """Run `ipcraft worker` processes, which may be killed."""

    def __init__(self, number: int, *, folder: Path, environ: dict[str, str]) -> None:
        self._environ = {**os.environ, **environ}
        self._folder = folder
        self._workers = [self._start() for _ in range(number)]

    def kill(self) -> None:
        """Kill the oldest worker, and have another one take its place."""
        worker = self._workers.pop(0)
        worker.kill()
        worker.wait()
        self._workers.append(self._start())

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ipcraft", "worker"]
        with (self._folder / "worker.log").open("ab") as log:
            return subprocess.Popen(
                command, env=self._environ, cwd=self._folder, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            end(worker, politely=signal.SIGTERM)
