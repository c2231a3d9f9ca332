"""Progress bars for the phases of an import, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from ipcraft.plugin import progress_bar


class Bars:
    """Show the bar of the phase that an import is in."""

    def __init__(self) -> None:
        self._phase: str | None = None
        self._bar = ExitStack()
        self._done = 0
        self._move: Callable[[int], object] = lambda done: None

    def advance(self, phase: str, done: int, *, total: int | None = None) -> None:
        """Move on by so many rows; a phase that begins gets a bar of `total` rows."""
        if phase != self._phase:
            self.close()
            self._phase, self._done = phase, 0
            self._move = self._bar.enter_context(progress_bar(phase, total=total))
        self._done += done
        self._move(done)

    def reach(self, phase: str, done: int, *, total: int | None = None) -> None:
        """Move on to so many rows of a phase."""
        before = self._done if phase == self._phase else 0
        self.advance(phase, done - before, total=total)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
        self._phase = None


@contextmanager
def shown() -> Iterator[Bars]:
    """Give bars that are gone at the end."""
    bars = Bars()
    try:
        yield bars
    finally:
        bars.close()
