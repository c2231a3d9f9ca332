"""The way of events, gone when a test says so."""

from __future__ import annotations

from ipcraft.app import Application
from ipcraft.events.dispatch import Dispatcher
from ipcraft.events.sequences import Sequencer


def take_events(app: Application) -> None:
    """Take everything that has happened to every sink, as far as it is due, and wait for it.

    What a sink puts off is due later by the application's clock: with a `Clock`, advance it and
    call this again.
    """
    sequencer = Sequencer(
        app.storage, sinks=list(app.event_sinks.values()), clock=app.clock, tell=lambda: None
    )
    while sequencer.run() < 0.1:
        pass
    for sink in app.event_sinks.values():
        dispatcher = Dispatcher(
            sink,
            storage=app.storage,
            clock=app.clock,
            lease=app.settings.lease,
            wake=lambda drain: None,
        )
        while dispatcher.begin():
            dispatcher.join()
