"""Bringing the events of a test to where an application at work brings them by itself."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.events.sequences import Sequencer
from ipcraft.plugin import Application, EventSink


def count(app: Application, *, sinks: Sequence[EventSink] = ()) -> None:
    """Give every event its sequence."""
    sequencer = Sequencer(app.storage, sinks=sinks, clock=app.clock, tell=lambda: None)
    while sequencer.run() < 0.1:
        pass
