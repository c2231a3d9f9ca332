"""Server processes of tests: whose they are, where they live, when they are ready.

::

    IPCraftError
    |-- MissingService    a server cannot be had here; the message says what to install
    `-- ServiceFailed     a server was started and did not do what it should
"""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from ipcraft.errors import IPCraftError

LOOPBACK = "127.0.0.1"
DEADLINE = 60.0
"""Seconds a server may take to start or to stop; reached on no healthy machine."""
POLL = 0.02
"""Seconds between two looks at a server that is not ready yet."""


class MissingService(IPCraftError):
    """Say which server a test needs and how to get it."""


class ServiceFailed(IPCraftError):
    """Say what a started server did instead of serving."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account a server runs as: nobody's when the tests run as root.

    PostgreSQL and PgBouncer refuse to run as root.
    """

    name: str
    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> Account | None:
        """Find an account to run servers as, or None if the present one will do."""
        if os.geteuid() != 0:
            return None
        accounts = sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody")
        for entry in accounts:
            if entry.pw_uid != 0:
                return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
        raise MissingService(
            "The tests run as root and there is no other account for their servers: "
            "run them as an ordinary user."
        )


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    folder: Path,
    log: Path,
    environ: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in `folder` as `account`, away from the terminal's signals.

    Its output is appended to `log`.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
        )


def run(command: Sequence[str | Path], *, account: Account | None, folder: Path, log: Path) -> None:
    """Run a program to its end; raise ServiceFailed with its last words if it fails."""
    code = spawn(command, account=account, folder=folder, log=log).wait(DEADLINE)
    if code != 0:
        raise ServiceFailed(f"{command[0]} ended with {code}:\n{last_words(log)}")


def can_run(command: Sequence[str | Path], *, account: Account | None) -> bool:
    """Tell whether `account` can reach a program and what it needs to start."""
    try:
        outcome = subprocess.run(
            [str(part) for part in command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        return False
    return outcome.returncode == 0


def temporary_folder(service: str, *, account: Account | None) -> Path:
    """Make a folder of mode 700 that belongs to `account` and that it can reach."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):
        if account is not None and not can_run(
            ["/bin/sh", "-c", 'cd -- "$0"', parent], account=account
        ):
            continue
        folder = Path(tempfile.mkdtemp(prefix=f"ipcraft-{service}-", dir=parent)).resolve()
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        return folder
    assert account is not None
    raise MissingService(
        f"The account {account.name} can reach no temporary folder: "
        "set TMPDIR to one with mode 1777."
    )


def free_port() -> int:
    """Find a loopback TCP port that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Tell whether somebody listens on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path) -> None:
    """Look again and again until `ready`; raise ServiceFailed if the process ends or is late."""
    deadline = time.monotonic() + DEADLINE
    pause = Event()
    while not ready():
        if process.poll() is not None:
            raise ServiceFailed(f"The server ended while starting:\n{last_words(log)}")
        if time.monotonic() > deadline:
            raise ServiceFailed(f"The server is not ready after {DEADLINE} s:\n{last_words(log)}")
        pause.wait(POLL)


def end(process: subprocess.Popen[bytes], *, politely: signal.Signals) -> None:
    """Send the process we started a signal and wait for its end; kill it when it is late."""
    if process.poll() is not None:
        return
    process.send_signal(politely)
    try:
        process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(DEADLINE)


def last_words(log: Path) -> str:
    """Give the end of a server's log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
