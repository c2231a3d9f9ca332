"""A process that counts events and takes them to a file, and kills itself at one step.

Run with a database URL, the time, the file and the step; it dies of SIGKILL, or ends with 0 when
it never comes to the step.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ipcraft.events.dispatch import Dispatcher
from ipcraft.events.sequences import Sequencer
from ipcraft.plugin import Event
from ipcraft.testing import make_application

STEPS = (
    "Sequencer._count before",
    "Sequencer._advance before",
    "Sequencer._advance after",
    "Sequencer._count_for after",
    "Dispatcher._take after",
    "Dispatcher._batch after",
    "File.deliver before",
    "File.deliver after",
    "Dispatcher._write before",
    "Dispatcher._write after",
)
"""Where it can die: before or after it does what the method does."""


class File:
    """Be a sink that adds a line for each event to a file, all of one call at once."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, events: Sequence[Event]) -> None:
        """Write the lines."""
        lines = "".join(f"{each.organization_id} {each.sequence} {each.id}\n" for each in events)
        with self._path.open("a") as file:
            file.write(lines)


def main(database_url: str, time: str, path: str, step: str) -> None:
    """Go the way of the events, as far as it is allowed to."""
    mark(step)
    app = make_application(database_url, clock=lambda: float(time))
    sink = File(Path(path))
    sequencer = Sequencer(app.storage, sinks=[sink], clock=app.clock, tell=lambda: None)
    dispatcher = Dispatcher(
        sink,
        storage=app.storage,
        clock=app.clock,
        lease=30,
        wake=lambda drain: None,
    )
    sequencer.run()
    for _ in range(10):
        dispatcher.run()
        dispatcher.close()
    app.close()


def mark(step: str) -> None:
    """Have this process die where the step says."""
    place, _, when = step.partition(" ")
    owner, _, method = place.partition(".")
    kind: Any = {"Sequencer": Sequencer, "Dispatcher": Dispatcher, "File": File}[owner]
    setattr(kind, method, _deadly(getattr(kind, method), when))


def _deadly(method: Callable[..., Any], when: str) -> Callable[..., Any]:
    def run(*args: Any, **values: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        method(*args, **values)
        os.kill(os.getpid(), signal.SIGKILL)

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
