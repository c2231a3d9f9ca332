"""The folder in which the processes of one machine put their numbers, for one page to show."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which `prometheus_client`, when it is imported, is told of the folder."""

_SHARED_MEMORY = "/dev/shm"
_PREFIX = "ipcraft-metrics-"
_LOCK = "held"


def share(folder: str) -> None:
    """Have this process, and those it starts, put their numbers into the folder.

    To be called before `prometheus_client` is imported.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER] = folder


def share_new() -> str | None:
    """Have them put their numbers into a new folder, unless there is one; give it for `remove`.

    Folders of servers that were killed are removed: nobody else would.
    """
    if FOLDER in os.environ:
        return None
    memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else tempfile.gettempdir()
    for old in Path(memory).glob(f"{_PREFIX}*"):
        _remove_if_left(old)
    made = _make_held(memory)
    share(made)
    return made


def forget(pid: int) -> None:
    """Take a process that has ended out of the gauges; what it counted stays counted."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _make_held(parent: str) -> str:
    """Make a folder held by this process and those it forks, until the last has ended, however.

    It has its name only when it is held, so that nobody takes it for one that was left.
    """
    making = tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent)
    fcntl.flock(os.open(Path(making, _LOCK), os.O_CREAT | os.O_RDWR, 0o600), fcntl.LOCK_SH)
    made = Path(parent, Path(making).name.removeprefix("."))
    os.rename(making, made)
    return str(made)


def _remove_if_left(folder: Path) -> None:
    """Remove a folder whose lock nobody holds."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:  # another user's, or gone
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def remove(made: str | None) -> None:
    """Remove a folder that `share_new` has made."""
    if made is not None:
        shutil.rmtree(made, ignore_errors=True)
