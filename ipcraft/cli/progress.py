"""Progress bars for long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(label: str, *, total: int | None) -> Iterator[Callable[[int], object]]:
    """Show a bar on standard error while the work goes on, if that is a terminal.

    Gives a function that is called with how many of the `total` were done since the last call.
    Where that is not known, the bar only shows that something is done.
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    # Imported late: 70 ms, which a script should not pay.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.advance(task, done)
