"""The folder in which the processes of one machine put their numbers, for one page to show."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which `prometheus_client`, when it is imported, is told of the folder."""

_SHARED_MEMORY = "/dev/shm"


def share(folder: str) -> None:
    """Have this process, and those it starts, put their numbers into the folder.

    To be called before `prometheus_client` is imported.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER] = folder


def share_new() -> str | None:
    """Have them put their numbers into a new folder, unless there is one; give it for `remove`."""
    if FOLDER in os.environ:
        return None
    memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    made = tempfile.mkdtemp(prefix="ipcraft-metrics-", dir=memory)
    share(made)
    return made


def forget(pid: int) -> None:
    """Take a process that has ended out of the gauges; what it counted stays counted."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def remove(made: str | None) -> None:
    """Remove a folder that `share_new` has made."""
    if made is not None:
        shutil.rmtree(made, ignore_errors=True)
